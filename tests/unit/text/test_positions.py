from __future__ import annotations

from itertools import accumulate

import pytest
import tree_sitter
import tree_sitter_python
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.text.positions import LineIndex, Position, PositionEncoding, split_lines, utf8

UTF8, UTF16, UTF32 = PositionEncoding.UTF8, PositionEncoding.UTF16, PositionEncoding.UTF32

PIECES = [
    "a",
    "b ",
    "\t",
    "é",
    "e\u0301",
    "漢",
    "😀",
    "👩‍👩‍👧",
    "\ud83d",
    "\ude00",
    "\n",
    "\r\n",
    "\r",
    "\x0c",
    "\u2028",
    "\x85",
]
texts = st.lists(st.sampled_from(PIECES), max_size=24).map("".join)
encodings = st.sampled_from(PositionEncoding)


def naive_lines(text: str) -> list[tuple[int, int]]:
    """(start, end before the terminator) of each line, one character at a time."""
    lines, start, place = [], 0, 0
    while place < len(text):
        step = 2 if text[place : place + 2] == "\r\n" else 1
        if text[place] in "\r\n":
            lines.append((start, place))
            start = place + step
        place += step
    return [*lines, (start, len(text))]


def naive_width(char: str, encoding: PositionEncoding) -> int:
    if encoding is UTF32:
        return 1
    if encoding is UTF16:
        return len(char.encode("utf-16-le", "surrogatepass")) // 2
    return len(char.encode("utf-8", "surrogatepass"))


@given(texts)
def test_lines_end_where_the_protocol_says(text: str) -> None:
    lines = LineIndex(text)
    expected = naive_lines(text)
    assert lines.line_count == len(expected)
    assert [(lines.line_start(n), lines.line_end(n)) for n in range(lines.line_count)] == expected
    assert [lines.line_text(n) for n in range(lines.line_count)] == [text[start:end] for start, end in expected]


@given(texts, texts, texts, texts)
def test_the_index_of_a_changed_text_is_that_of_the_text(head: str, old: str, new: str, tail: str) -> None:
    text = head + new + tail
    lines = LineIndex(head + old + tail).replaced(len(head), len(head) + len(old), text)
    assert lines.text == text
    assert [(lines.line_start(n), lines.line_end(n)) for n in range(lines.line_count)] == naive_lines(text)


@given(texts, st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 600), texts, st.integers(1, 300)), max_size=6))
def test_bytes_are_found_after_changes(text: str, edits: list[tuple[int, int, str, int]]) -> None:
    text = text * 40
    lines = LineIndex(text)
    for start, length, new, times in edits:
        lines.byte_offset(len(text))
        start, end = min(start, len(text)), min(start + length, len(text))
        text = text[:start] + new * times + text[end:]
        lines = lines.replaced(start, end, text)
    ends = [0, *accumulate(len(utf8(char)) for char in text)]
    places = range(0, len(text) + 1, 7)
    assert [lines.byte_offset(place) for place in places] == [ends[place] for place in places]
    assert [lines.offset_of_byte(ends[place]) for place in places] == [*places]


@given(texts)
def test_split_lines_keeps_everything(text: str) -> None:
    pieces = split_lines(text)
    assert "".join(pieces) == text
    starts = [start for start, _ in naive_lines(text)]
    assert [len("".join(pieces[:n])) for n in range(len(pieces))] == [start for start in starts if start < len(text)]


@given(texts, encodings)
def test_positions_agree_with_a_naive_reference(text: str, encoding: PositionEncoding) -> None:
    lines = LineIndex(text)
    for number, (start, end) in enumerate(naive_lines(text)):
        column = 0
        for offset in range(start, end + 1):
            assert lines.position(offset, encoding) == (number, column)
            assert lines.offset(Position(number, column), encoding) == offset
            if offset < end:
                width = naive_width(text[offset], encoding)
                for inside in range(1, width):
                    assert lines.offset((number, column + inside), encoding) == offset
                column += width
        for beyond in (1, 2, 1000):
            assert lines.offset((number, column + beyond), encoding) == end


@given(texts, encodings)
def test_places_outside_the_text_are_clamped(text: str, encoding: PositionEncoding) -> None:
    lines = LineIndex(text)
    assert lines.offset((-1, 5), encoding) == 0
    assert lines.offset((0, -3), encoding) == 0
    assert lines.offset((lines.line_count, 0), encoding) == len(text)
    assert lines.position(-4, encoding) == (0, 0)
    assert lines.position(len(text) + 9, encoding) == lines.position(len(text), encoding)
    assert lines.line_of(-1) == 0
    assert lines.line_of(len(text) + 1) == lines.line_count - 1
    assert lines.line_text(lines.line_count + 2) == ""


@given(texts)
def test_bytes_agree_with_the_encoded_text(text: str) -> None:
    lines = LineIndex(text)
    for offset in range(len(text) + 1):
        byte = len(utf8(text[:offset]))
        assert lines.byte_offset(offset) == byte
        assert lines.offset_of_byte(byte) == offset
        if offset < len(text):
            for inside in range(1, len(utf8(text[offset]))):
                assert lines.offset_of_byte(byte + inside) == offset
    assert lines.offset_of_byte(len(utf8(text)) + 3) == len(text)


@pytest.mark.parametrize("encoding", list(PositionEncoding))
def test_columns_of_a_long_line(encoding: PositionEncoding) -> None:
    text = "aé漢😀\ud83d" * 300
    lines = LineIndex(text)
    columns = [lines.position(offset, encoding).character for offset in range(len(text) + 1)]
    assert columns == sorted(set(columns))
    assert [lines.offset((0, column), encoding) for column in columns] == list(range(len(text) + 1))


def test_bytes_of_a_long_line() -> None:
    text = "aé漢😀\ud83d" * 700
    lines = LineIndex(text)
    ends = [len(utf8(text[:offset])) for offset in range(len(text) + 1)]
    assert [lines.byte_offset(offset) for offset in range(len(text) + 1)] == ends
    assert [lines.offset_of_byte(byte) for byte in ends] == list(range(len(text) + 1))
    # The second of an emoji's four bytes.
    assert [lines.offset_of_byte(ends[place] + 1) for place in range(3, len(text), 5)] == list(range(3, len(text), 5))


@given(texts.filter(lambda text: "\ud83d" not in text and "\ude00" not in text))
def test_points_are_those_of_tree_sitter(text: str) -> None:
    text = f"x\n{text}y"
    tree = tree_sitter.Parser(tree_sitter.Language(tree_sitter_python.language())).parse(utf8(text))
    lines = LineIndex(text)
    node = tree.root_node
    pending = [node]
    while pending:
        node = pending.pop()
        assert lines.point(lines.offset_of_byte(node.start_byte)) == tuple(node.start_point)
        assert lines.point(lines.offset_of_byte(node.end_byte)) == tuple(node.end_point)
        pending += node.children


def test_a_column_inside_a_surrogate_pair_is_its_start() -> None:
    assert LineIndex("a😀b").offset((0, 2), UTF16) == 1
    assert LineIndex("a😀b").offset((0, 3), UTF16) == 2


@given(texts)
def test_indentation_is_what_a_line_begins_with(text: str) -> None:
    lines = LineIndex(text)
    for number in range(lines.line_count):
        line = lines.line_text(number)
        assert lines.indentation(number) == line[: len(line) - len(line.lstrip(" \t"))]
    assert lines.indentation(lines.line_count) == ""


def test_a_place_inside_crlf_is_the_end_of_the_line() -> None:
    assert LineIndex("ab\r\ncd").position(3, UTF8) == (0, 2)


@pytest.mark.parametrize("separator", ["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_other_separators_end_no_line(separator: str) -> None:
    assert LineIndex(f"a{separator}b").line_count == 1
