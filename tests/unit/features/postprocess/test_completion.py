from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.features.postprocess.completion import Place, is_complete, trim, up_to_closing, without_overlap
from lsp_server.syntax.hole import Extent

BLANK = Place("    ", "", (), Extent.BLOCK)
AFTER_COLON = Place("    if x:", "", (), Extent.BLOCK)
BRACES = Place("  if (b) {", "}", (), Extent.BLOCK)
LINE = Place("    x = ", "", (), Extent.LINE, "#")
WITHIN = Place("    x = f(", ", b)", (), Extent.LINE, "#")
STATEMENT = Place("    ", "", ("    return a",), Extent.STATEMENT, "#")


@pytest.mark.parametrize(
    ("place", "text", "trimmed"),
    [
        (LINE, "1\n    y = 2", "1"),
        (LINE, "f(\n        1,\n    )\n    y", "f(\n        1,\n    )"),
        (LINE, '"""a\nb"""\ny', '"""a\nb"""'),
        (LINE, "a + \\\n        b\ny", "a + \\\n        b"),
        (LINE, "f()  # not (\ny", "f()  # not ("),
        (WITHIN, "g(\n    a)", "g("),
        (LINE, "1   ", "1"),
        (LINE, "  1", "  1"),
        (BLANK, "a\n    b\nc", "a\n    b"),
        (BLANK, "if a:\n        b\n    else:\n        c\n", "if a:\n        b\n    else:\n        c"),
        (BLANK, "a\n\n\n    b\n\n\n", "a\n\n\n    b"),
        (BLANK, "a   \n    b  ", "a\n    b"),
        (BLANK, "a\r\n    b\r\n", "a\n    b"),
        (AFTER_COLON, "\n        a\n        b\n    c\n", "\n        a\n        b"),
        (AFTER_COLON, "\n\n        a\n\n        b\n", "\n        a\n\n        b"),
        (Place("", "", (), Extent.BLOCK), "a\nb\n", "a\nb"),
        (Place("\t", "", (), Extent.BLOCK), "a\n\tb\nc", "a\n\tb"),
    ],
    ids=[
        "one line where one is wanted",
        "a line goes on while a bracket is open",
        "and while a string is",
        "and behind a backslash",
        "but not for a comment",
        "in the middle of a line one line is all",
        "no blanks at the end",
        "blanks at the start stay",
        "ends where less is indented",
        "inner blocks stay",
        "blank lines end nothing",
        "no blanks at line ends",
        "line feeds",
        "ends where a block's head stood",
        "no blank line at a block's beginning",
        "top level",
        "tabs",
    ],
)
def test_trim(place: Place, text: str, trimmed: str) -> None:
    assert trim(text, place, cut_off=False) == trimmed


@pytest.mark.parametrize(
    ("text", "trimmed"),
    [
        ("a = 1\n    b = 2\n", "a = 1"),
        ("a = f(\n        1)\n    b = 2\n", "a = f(\n        1)"),
        ("if a:\n        b\n\n        c\n    d\n", "if a:\n        b\n\n        c"),
        ("if a:\n        b\n    elif c:\n        d\n    else:\n        e\n    f\n", None),
        ("try:\n        b\n    finally:\n        c\n    d", "try:\n        b\n    finally:\n        c"),
        ("# why\n    a = 1\n    b = 2", "# why\n    a = 1"),
        ("@property\n    def a(self):\n        b\n\n    def c", "@property\n    def a(self):\n        b"),
        ("if (a) {\n        b();\n    }\n    c();", "if (a) {\n        b();\n    }"),
        ("if (a) {\n        b();\n    }\n    else {\n        c();\n    }\n    d();", None),
        ("x.each do |a|\n        b\n    end\n    c\n", "x.each do |a|\n        b\n    end"),
        ("a = 1\n\n\n", "a = 1"),
        ("\n\n    a = 1\n    b", "a = 1"),
        ("\n\na = 1\n", ""),
    ],
)
def test_one_statement(text: str, trimmed: str | None) -> None:
    """``None``: all but the last line."""
    wanted = text.rstrip("\n").rpartition("\n")[0] if trimmed is None else trimmed
    assert trim(text, STATEMENT, cut_off=False) == wanted


def test_a_model_that_goes_in_circles_is_stopped() -> None:
    text = "a = 1\n    foo(b)\n    foo(b)\n    foo(b)\n    foo(b)\n"
    assert trim(text, BLANK, cut_off=False) == "a = 1\n    foo(b)"
    assert is_complete(text, BLANK)
    assert not is_complete("foo(a)\n    foo(b)\n    foo(c)\n", BLANK)


def test_what_is_open_before_the_cursor_may_have_to_be_closed() -> None:
    text = "a,\n        b)\n    c"
    assert trim(text, Place("    x = f(", "", (), Extent.LINE), cut_off=False) == "a,"
    assert trim(text, Place("    x = f(", "", (), Extent.LINE, unclosed=True), cut_off=False) == "a,\n        b)"


def test_a_closing_bracket_ends_the_block_that_the_line_opened() -> None:
    place = Place("  return {", "", (), Extent.BLOCK)
    assert trim("\n    a: 1,\n  };\n  b();\n", place, cut_off=False) == "\n    a: 1,\n  };"


def test_the_next_line_of_the_document_is_not_repeated() -> None:
    place = Place("    ", "", ("", "    return total"), Extent.BLOCK)
    assert trim("total = 1\n    return total\n    more", place, cut_off=False) == "total = 1"


def test_a_lone_bracket_below_is_no_repetition() -> None:
    place = Place("    ", "", ("}",), Extent.BLOCK)
    assert trim("if (a) {\n    }\n    b();", place, cut_off=False) == "if (a) {\n    }\n    b();"


def test_half_a_line_is_dropped_only_where_whole_ones_are_left() -> None:
    assert trim("a\n    b = fo", BLANK, cut_off=True) == "a"
    assert trim("b = fo", BLANK, cut_off=True) == "b = fo"


@pytest.mark.parametrize(
    ("place", "text", "complete"),
    [
        (LINE, "1", False),
        (LINE, "1\n", True),
        (LINE, "f(\n", False),
        (LINE, "f(\n)\n", True),
        (WITHIN, "f(\n", True),
        (STATEMENT, "a = 1\n", False),
        (STATEMENT, "a = 1\n    b = 2\n", True),
        (STATEMENT, "if a:\n        b\n", False),
        (STATEMENT, "\n", False),
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
        ("a, b) + c", ", b)", "a"),
        ("a, c)", ", b)", "a, c)"),
        ("x) + y", ")", "x) + y"),
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


@given(st.text(st.sampled_from("ab \n\t}")), st.sampled_from(Extent), st.booleans())
def test_trimming_twice_is_trimming_once(text: str, extent: Extent, cut_off: bool) -> None:
    place = Place("  ", "", ("b",), extent)
    once = trim(text, place, cut_off=cut_off)
    assert trim(once, place, cut_off=False) == once
    assert once.split("\n")[0] in text


@given(st.text(st.sampled_from("ab \n")))
def test_what_comes_after_a_complete_fill_changes_nothing(text: str) -> None:
    if is_complete(text, BLANK):
        assert trim(text, BLANK, cut_off=False) == trim(text + "    a\n    b", BLANK, cut_off=False)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a = 1\n" * 3, "a = 1"),
        ("a = 1\n    b = 2\n    " * 3, "a = 1\n    b = 2"),
        ("a = 1\n    b = 2\n    " * 2 + "c = 3", None),
        ("a = [" + "0, " * 40, "a = [0,"),
        ("a = [" + "0, " * 8 + "]", None),
        ("a = '" + "-" * 40 + "'", None),
        ("a = 0x" + "0" * 40, None),
    ],
)
def test_what_goes_in_circles(text: str, kept: str | None) -> None:
    assert trim(text, BLANK, cut_off=False) == (kept or text)
    assert is_complete(text + "\n    z", BLANK) == (kept is not None)


def test_a_circle_within_a_line_needs_no_end() -> None:
    assert is_complete("    [" + "0, " * 40, LINE)


@pytest.mark.parametrize(
    ("below", "text", "kept"),
    [
        (("    b=1,", "    c=2,", ")"), "0),\n    b=1,\n    c=2,\n)", "0),"),
        (("    return 1;", "}"), "a) {\n    return 2;\n}", "a) {"),
        (("", "    return 1;", "}"), "a) {\n    return 2;\n}", "a) {"),
        (("b();",), "a) {\n    return 2;\n}", "a) {\n    return 2;\n}"),
    ],
)
def test_what_stands_below_does_not_come_again(below: tuple[str, ...], text: str, kept: str) -> None:
    place = Place("f(x, (", "", below, Extent.LINE, unclosed=True)
    assert trim(text, place, cut_off=False) == kept
    assert is_complete(text, place) == (kept != text)


@pytest.mark.parametrize(("suffix", "kept"), [('"b")', "a, "), (" b)", "a,"), ("", "a,")])
def test_blanks_before_what_follows_stay(suffix: str, kept: str) -> None:
    assert trim("a, ", Place("foo(", suffix, (), Extent.LINE), cut_off=False) == kept


@pytest.mark.parametrize(
    ("below", "text", "kept"),
    [
        ("        return a", "except ValueError:\n        return b", "except ValueError:"),
        ("        return a", "# why\n    for b in c:\n        if b:\n            d()", "# why\n    for b in c:"),
        ("        a, b", "x = f(\n        b, a\n    )", "x = f("),
        ("    return a", "if b:\n        c()", "if b:\n        c()"),
    ],
)
def test_what_goes_on_below_has_only_its_head_written(below: str, text: str, kept: str) -> None:
    for extent in (Extent.STATEMENT, Extent.BLOCK):
        assert trim(text, Place("    ", "", (below,), extent, "#"), cut_off=False) == kept
