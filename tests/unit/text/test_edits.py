from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.text.edits import (
    TextEdit,
    apply_edits,
    detect_newline,
    indent_of,
    indent_unit,
    minimal_edits,
    unified_diff,
)
from lsp_server.text.positions import LineIndex, PositionEncoding

PIECES = ["a", "b", "ab", "    ", "\t", "é", "漢", "😀", "\ud83d", "\n", "\n\n", "\r\n", "\r", "}\n", "\x0c"]
texts = st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


@given(texts, texts)
def test_minimal_edits_lead_from_before_to_after(before: str, after: str) -> None:
    assert apply_edits(before, minimal_edits(before, after)) == after


@given(texts, texts, st.sampled_from(PositionEncoding))
def test_minimal_edits_survive_the_way_through_positions(before: str, after: str, encoding: PositionEncoding) -> None:
    lines = LineIndex(before)

    def through(offset: int) -> int:
        return lines.offset(lines.position(offset, encoding), encoding)

    edits = [TextEdit(through(e.start), through(e.end), e.new_text) for e in minimal_edits(before, after)]
    assert apply_edits(before, edits) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [("a\r\n", "a\rb\r\n"), ("a\r\n", "a\n"), ("a\n", "a\r\n"), ("a\r\nb", "a\r\n\r\nb"), ("a\r", "a\r\n")],
)
def test_no_edit_begins_or_ends_inside_crlf(before: str, after: str) -> None:
    edits = minimal_edits(before, after)
    assert apply_edits(before, edits) == after
    assert all(before[place - 1 : place + 1] != "\r\n" for e in edits for place in (e.start, e.end) if place)


@given(texts)
def test_no_change_is_no_edit(text: str) -> None:
    assert minimal_edits(text, text) == []


def test_minimal_edits_touch_only_what_changed() -> None:
    before = "def f(a):\n    return a\n\n\ndef g():\n    return 1\n"
    after = 'def f(a):\n    """Doc."""\n    return a\n\n\ndef g():\n    return 2\n'
    first, second = minimal_edits(before, after)
    assert (first.start, first.end, first.new_text) == (10, 10, '    """Doc."""\n')
    assert (before[second.start : second.end], second.new_text) == ("1", "2")


def test_edits_mean_the_text_as_it_is_now() -> None:
    edits = [TextEdit(4, 5, "E"), TextEdit(0, 1, "xyz"), TextEdit(2, 2, "1"), TextEdit(2, 2, "2")]
    assert apply_edits("abcde", edits) == "xyzb12cdE"


def test_an_insertion_where_a_replacement_begins_comes_before_it() -> None:
    assert apply_edits("abc", [TextEdit(1, 2, "X"), TextEdit(1, 1, "i")]) == "aiXc"


@pytest.mark.parametrize(
    "edits",
    [[TextEdit(0, 3, ""), TextEdit(2, 4, "")], [TextEdit(-1, 0, "")], [TextEdit(3, 9, "")], [TextEdit(3, 2, "")]],
)
def test_impossible_edits_are_refused(edits: list[TextEdit]) -> None:
    with pytest.raises(ValueError, match="TextEdit"):
        apply_edits("abcde", edits)


def test_unified_diff_names_the_file_and_a_missing_newline() -> None:
    assert unified_diff("a\nb\n", "a\nc", "m.py") == (
        "--- a/m.py\n+++ b/m.py\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n"
    )
    assert unified_diff("a\n", "a\n", "m.py") == ""


@pytest.mark.parametrize(
    ("text", "newline"), [("", "\n"), ("a\nb\r\nc\r\n", "\r\n"), ("a\rb\rc\n", "\r"), ("a\nb\n", "\n")]
)
def test_detect_newline_takes_the_commonest(text: str, newline: str) -> None:
    assert detect_newline(text) == newline


def test_indentation() -> None:
    assert indent_of("\t  x y") == "\t  "
    assert indent_of("\x0cx") == ""
    assert indent_unit("a:\n  b:\n    c\nd:\n  e\n") == "  "
    assert indent_unit("a {\n\tb\n}\n") == "\t"
    assert indent_unit("a\nb\n") == "    "
