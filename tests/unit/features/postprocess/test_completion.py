from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.features.postprocess.completion import Place, is_complete, trim, up_to_closing, without_overlap

BLANK = Place("    ", "", (), multiline=True)
AFTER_COLON = Place("    if x:", "", (), multiline=True)
BRACES = Place("  if (b) {", "}", (), multiline=True)
LINE = Place("    x = ", "", (), multiline=False)


@pytest.mark.parametrize(
    ("place", "text", "trimmed"),
    [
        (LINE, "1\n    y = 2", "1"),
        (LINE, "1   ", "1"),
        (LINE, "  1", "  1"),
        (BLANK, "a\n    b\nc", "a\n    b"),
        (BLANK, "if a:\n        b\n    else:\n        c\n", "if a:\n        b\n    else:\n        c"),
        (BLANK, "a\n\n\n    b\n\n\n", "a\n\n\n    b"),
        (BLANK, "a   \n    b  ", "a\n    b"),
        (BLANK, "a\r\n    b\r\n", "a\n    b"),
        (AFTER_COLON, "\n        a\n        b\n    c\n", "\n        a\n        b"),
        (Place("", "", (), multiline=True), "a\nb\n", "a\nb"),
        (Place("\t", "", (), multiline=True), "a\n\tb\nc", "a\n\tb"),
    ],
    ids=[
        "one line where one is wanted",
        "no blanks at the end",
        "blanks at the start stay",
        "ends where less is indented",
        "inner blocks stay",
        "blank lines end nothing",
        "no blanks at line ends",
        "line feeds",
        "ends where a block's head stood",
        "top level",
        "tabs",
    ],
)
def test_trim(place: Place, text: str, trimmed: str) -> None:
    assert trim(text, place, cut_off=False) == trimmed


def test_a_closing_bracket_ends_the_block_that_the_line_opened() -> None:
    place = Place("  return {", "", (), multiline=True)
    assert trim("\n    a: 1,\n  };\n  b();\n", place, cut_off=False) == "\n    a: 1,\n  };"


def test_the_next_line_of_the_document_is_not_repeated() -> None:
    place = Place("    ", "", ("", "    return total"), multiline=True)
    assert trim("total = 1\n    return total\n    more", place, cut_off=False) == "total = 1"


def test_a_lone_bracket_below_is_no_repetition() -> None:
    place = Place("    ", "", ("}",), multiline=True)
    assert trim("if (a) {\n    }\n    b();", place, cut_off=False) == "if (a) {\n    }\n    b();"


def test_half_a_line_is_dropped_only_where_whole_ones_are_left() -> None:
    assert trim("a\n    b = fo", BLANK, cut_off=True) == "a"
    assert trim("b = fo", BLANK, cut_off=True) == "b = fo"


@pytest.mark.parametrize(
    ("place", "text", "complete"),
    [
        (LINE, "1", False),
        (LINE, "1\n", True),
        (BLANK, "a\n    b", False),
        (BLANK, "a\nb", False),
        (BLANK, "a\nb\n", True),
        (AFTER_COLON, "\n        a\n    b\n", True),
        (AFTER_COLON, "\n        a\n\n", False),
        (BRACES, "\n    a();\n", False),
        (BRACES, "\n    if (b) {\n    }\n", False),
        (BRACES, "\n    a();\n  }", False),
        (BRACES, "\n    a();\n  }\n", True),
        (BRACES, " a(); }\n", True),
    ],
)
def test_is_complete(place: Place, text: str, complete: bool) -> None:
    assert is_complete(text, place) is complete


@pytest.mark.parametrize(
    ("text", "suffix", "kept"),
    [
        ("x)", ")", "x"),
        ('x")', '")', "x"),
        ("x)", "", "x)"),
        ("x", ")", "x"),
        ("x));", "));", "x"),
        ("a, b", ", b, c", "a"),
        (")", ")", ""),
    ],
)
def test_without_overlap(text: str, suffix: str, kept: str) -> None:
    assert without_overlap(text, suffix) == kept


@pytest.mark.parametrize(
    ("text", "suffix", "kept"),
    [
        ("a, b", ")", "a, b"),
        ("a, b) + c", ")", "a, b"),
        ("f(a), b)", ")", "f(a), b"),
        ("a[0]]", "", "a[0]"),
        (") and so on", '")', ") and so on"),
        ('a") % b', '")', "a"),
        (r"a \" b" + '" c', '"', r"a \" b"),
        ("it's", '"', "it's"),
        ("", ")", ""),
    ],
)
def test_up_to_closing(text: str, suffix: str, kept: str) -> None:
    assert up_to_closing(text, suffix) == kept


@given(st.text(st.sampled_from("ab \n\t}")), st.booleans(), st.booleans())
def test_trimming_twice_is_trimming_once(text: str, multiline: bool, cut_off: bool) -> None:
    place = Place("  ", "", ("b",), multiline=multiline)
    once = trim(text, place, cut_off=cut_off)
    assert trim(once, place, cut_off=False) == once
    assert text.startswith(once.split("\n")[0])


@given(st.text(st.sampled_from("ab \n")))
def test_what_comes_after_a_complete_fill_changes_nothing(text: str) -> None:
    if is_complete(text, BLANK):
        assert trim(text, BLANK, cut_off=False) == trim(text + "    a\n    b", BLANK, cut_off=False)
