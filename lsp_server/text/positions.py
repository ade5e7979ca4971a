"""One map between the four ways a place in a text is named.

============  =====================================================  ==========================
offset        index into the Python ``str`` (code points)            everywhere inside Shardlight
position      line, column in UTF-8, UTF-16 or UTF-32 units          the language server protocol
byte offset   index into the UTF-8 bytes                             tree-sitter
point         row, column in UTF-8 bytes                             tree-sitter
============  =====================================================  ==========================

Lines end at ``\\n``, ``\\r\\n`` and ``\\r`` and at nothing else, as the protocol has it. ``str.splitlines`` would also
split at form feeds and Unicode separators. tree-sitter's rows end at ``\\n`` only.

Lone surrogates are kept: they count as one UTF-16 unit and as three UTF-8 bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from enum import Enum
from itertools import accumulate, pairwise
from typing import NamedTuple

_LINE_END = re.compile(r"\r\n|\n|\r")
_BLANKS = re.compile(r"[ \t]*")
# Characters that are counted through at most to find a byte.
_CHUNK = 512


class PositionEncoding(str, Enum):
    """The unit that columns are counted in; the values are the protocol's."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


class Position(NamedTuple):
    """A zero-based line, and a zero-based column in the units of some `PositionEncoding`."""

    line: int
    character: int


def split_lines(text: str) -> list[str]:
    """Split into lines that keep their terminators; joined they are ``text`` again, and none is empty."""
    bounds = [0, *(match.end() for match in _LINE_END.finditer(text)), len(text)]
    return [text[start:end] for start, end in pairwise(bounds) if start < end]


def utf8(text: str) -> bytes:
    """Encode for tree-sitter, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def _units(text: str, encoding: PositionEncoding) -> int:
    if encoding is PositionEncoding.UTF32 or text.isascii():
        return len(text)
    if encoding is PositionEncoding.UTF8:
        return len(utf8(text))
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _characters(text: str, units: int, encoding: PositionEncoding) -> int:
    """How many whole characters lie within the first ``units`` of a text.

    By halves, which look at each character about once: a loop takes seconds where a generated file is one line.
    """
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        size = _units(text[low:middle], encoding)
        if size <= units:
            low, units = middle, units - size
        else:
            high = middle - 1
    return low


# Where pieces of at most `_CHUNK` characters begin, as offsets and as bytes. By pieces and not by lines: a generated
# file may be one line.
_Chunks = tuple[list[int], list[int]]


class LineIndex:
    """An immutable map between offsets, positions, points and byte offsets of one text.

    Every argument that lies outside the text is clamped into it, so no method raises.
    """

    def __init__(self, text: str, *, _starts: list[int] | None = None, _chunks: _Chunks | None = None) -> None:
        self.text = text
        self._known_chunks = _chunks
        self._starts = _starts or [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._ascii = text.isascii()

    def replaced(self, start: int, end: int, text: str) -> LineIndex:
        """The index of ``text``, which has something else between ``start`` and ``end``; only that is looked through.

        What came there may be longer or shorter; all around it is as it was.
        """
        moved = len(text) - len(self.text)
        # A \r may get or lose its \n at both ends of the place, so the lines that begin there are looked for again.
        above, below = bisect_left(self._starts, start) or 1, bisect_right(self._starts, end)
        between = _LINE_END.finditer(text, max(start - 1, 0), min(end + moved + 1, len(text)))
        starts = self._starts[:above]
        starts += (match.end() for match in between if start <= match.end() <= end + moved)
        starts += (place + moved for place in self._starts[below:])
        chunks = self._known_chunks and _chunks_replaced(self._known_chunks, start, end, text, moved)
        return LineIndex(text, _starts=starts, _chunks=chunks)

    @property
    def line_count(self) -> int:
        """How many lines there are: one more than there are line ends."""
        return len(self._starts)

    def line_of(self, offset: int) -> int:
        """The line that holds ``offset``; a line's terminator belongs to it."""
        return bisect_right(self._starts, self._clamp(offset)) - 1

    def line_start(self, line: int) -> int:
        """Offset of the line's first character; the end of the text for lines beyond it."""
        if line >= len(self._starts):
            return len(self.text)
        return self._starts[max(line, 0)]

    def line_end(self, line: int) -> int:
        """Offset just before the line's terminator."""
        line = max(line, 0)
        if line + 1 >= len(self._starts):
            return len(self.text)
        start, end = self._starts[line], self._starts[line + 1]
        return end - (2 if end - start > 1 and self.text[end - 2 : end] == "\r\n" else 1)

    def line_text(self, line: int) -> str:
        """The line without its terminator; empty beyond the text."""
        return self.text[self.line_start(line) : self.line_end(line)]

    def offset(self, position: Position | tuple[int, int], encoding: PositionEncoding) -> int:
        """The offset of a position.

        As the protocol says: a column beyond the line's end means its end (before the terminator), a line beyond the
        text means the text's end. A column inside a character means that character's start.
        """
        line, column = position
        if line < 0:
            return 0
        if line >= len(self._starts):
            return len(self.text)
        if column <= 0:
            return self._starts[line]
        text = self.line_text(line)
        # While only ASCII comes before it, a column is an index in every encoding.
        if encoding is PositionEncoding.UTF32 or text[:column].isascii():
            return self._starts[line] + min(column, len(text))
        return self._starts[line] + _characters(text[:column], column, encoding)

    def position(self, offset: int, encoding: PositionEncoding) -> Position:
        """The position of an offset; one between ``\\r`` and ``\\n`` is the line's end."""
        line = self.line_of(offset)
        start = self._starts[line]
        end = min(self._clamp(offset), self.line_end(line))
        return Position(line, _units(self.text[start:end], encoding))

    def indentation(self, line: int) -> str:
        """The blanks and tabs that a line begins with, however long the line is."""
        blanks = _BLANKS.match(self.text, self.line_start(line), self.line_end(line))
        return blanks[0] if blanks else ""

    def byte_offset(self, offset: int) -> int:
        """The index into the UTF-8 bytes."""
        offset = self._clamp(offset)
        if self._ascii:
            return offset
        starts, sizes = self._chunks
        chunk = bisect_right(starts, offset) - 1
        return sizes[chunk] + len(utf8(self.text[starts[chunk] : offset]))

    def offset_of_byte(self, byte: int) -> int:
        """The offset of an index into the UTF-8 bytes; inside a character, that character's start."""
        if self._ascii:
            # Asked thousands of times a file: without a call where there is nothing to clamp.
            return byte if 0 <= byte <= len(self.text) else self._clamp(byte)
        byte = max(byte, 0)
        starts, sizes = self._chunks
        chunk = bisect_right(sizes, byte) - 1
        start, column = starts[chunk], byte - sizes[chunk]
        encoded = utf8(self.text[start : start + _CHUNK])
        while 0 < column < len(encoded) and encoded[column] & 0xC0 == 0x80:
            column -= 1
        return start + len(encoded[:column].decode("utf-8", "surrogatepass"))

    def point(self, offset: int) -> tuple[int, int]:
        """tree-sitter's (row, column in bytes)."""
        offset = self._clamp(offset)
        row_start = self.text.rfind("\n", 0, offset) + 1
        return self.text.count("\n", 0, row_start), len(utf8(self.text[row_start:offset]))

    def _clamp(self, offset: int) -> int:
        return max(0, min(offset, len(self.text)))

    @property
    def _chunks(self) -> _Chunks:
        if self._known_chunks is None:
            self._known_chunks = _chunks_of(self.text, 0, len(self.text), 0)
        return self._known_chunks


def _chunks_of(text: str, start: int, end: int, byte: int) -> _Chunks:
    """The chunks of a part of a text that begins at ``byte``, at least one."""
    starts = [*range(start, max(end, start + 1), _CHUNK)]
    sizes = accumulate((len(utf8(text[at : at + _CHUNK])) for at in starts[:-1]), initial=byte)
    return starts, [*sizes]


def _chunks_replaced(chunks: _Chunks, start: int, end: int, text: str, moved: int) -> _Chunks:
    """As `LineIndex.replaced`: those around the place stay, moved."""
    starts, sizes = chunks
    # At the end of a piece one writes on in it, or each letter would be one.
    above = max(bisect_left(starts, start) - 1, 0)
    below = bisect_left(starts, end, above)
    stop = starts[below] + moved if below < len(starts) else len(text)
    between, between_sizes = _chunks_of(text, starts[above], stop, sizes[above])
    more = between_sizes[-1] + len(utf8(text[between[-1] : stop])) - sizes[below] if below < len(sizes) else 0
    return (
        [*starts[:above], *between, *(at + moved for at in starts[below:])],
        [*sizes[:above], *between_sizes, *(size + more for size in sizes[below:])],
    )
