"""A raw fill → what belongs at the cursor: it ends where the hole ends, and repeats nothing that is there already."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from lsp_server.syntax.hole import Extent
from lsp_server.text.brackets import brackets
from lsp_server.text.edits import indent_of

_TAB = 4
# A statement that has ended goes on with one of these, if they stand no deeper.
_GOES_ON = re.compile(
    r"(?:\}\s*)?(?:else|elif|elsif|elseif|except|finally|catch|rescue|ensure|end|fi|done|esac|while)\b|[)\]}]"
)
_PREAMBLE = re.compile(r"@|#\[|#|//|--|/\*|\*")
_BLOCK_HEAD = re.compile(r"(?::|\{|\b(?:then|do))\s*$")
_OPENS = re.compile(r"(?:[:({\[]|\b(?:then|do))$")
# Words, not brackets: a line that may be told from others.
_WORD = re.compile(r"\w")
_WORDS = re.compile(r"\w\W*\w|\w{2}")
# Lines that come so often, one after the other, are a model that goes in circles; so many may make up a circle.
_CIRCLES, _CIRCLE_LINES = 3, 4
# A circle within a line: a few words with what stands between them.
_LINE_CIRCLE = re.compile(r"(?P<circle>\S.{0,30}?)(?P=circle){9,}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fill goes.

    Attributes:
        line_prefix, line_suffix: the cursor's line, before and after the cursor.
        next_lines: the lines below, without terminators.
        extent: how much is wanted.
        line_comment: what begins a comment in this language.
        unclosed: whether a bracket that is open before the cursor is not closed below, so that the fill has to.
    """

    line_prefix: str
    line_suffix: str
    next_lines: tuple[str, ...]
    extent: Extent
    line_comment: str = ""
    unclosed: bool = False

    @property
    def on_blank_line(self) -> bool:
        """Whether there is nothing else on the cursor's line, or only the end of the block that is gone on with."""
        return not self.line_prefix.strip() and (not self.line_suffix.strip() or self.closes_block)

    @property
    def below(self) -> str:
        """The first line below that is not blank; empty if there is none."""
        return next((line for line in self.next_lines if line.strip()), "")

    @property
    def goes_on_below(self) -> bool:
        """Whether the next line stands deeper: it belongs into a block or brackets that begin at the cursor."""
        return self.goes_on_deeper_than(depth(self.line_prefix))

    def goes_on_deeper_than(self, columns: int) -> bool:
        """Whether the next line does."""
        return bool(self.below) and depth(self.below) > columns

    @property
    def opens_block(self) -> bool:
        """Whether the cursor stands right behind what opens a block."""
        return self.extent is Extent.BLOCK and bool(self.line_prefix.strip())

    @property
    def closes_block(self) -> bool:
        """Whether what is wanted is closed right behind the cursor, as in ``{}`` or in front of the last ``}``."""
        return self.extent is not Extent.LINE and bool(self.line_suffix.strip())

    def is_comment(self, line: str) -> bool:
        """Whether a first line only comments on what stands before the cursor."""
        mark = self.line_comment
        return bool(mark and self.line_prefix.strip()) and line.lstrip().startswith(mark)


def is_complete(text: str, place: Place) -> bool:
    """Whether a growing fill has gone past the end of what is wanted, so that generation can stop."""
    lines = _lines(text, place)
    if place.is_comment(lines[0]) or any(map(_line_circle, lines)):
        return True
    *whole, _ = lines
    if not whole:
        return False
    if place.closes_block and "\n" in text[len(up_to_closing(text, place.line_suffix)) :]:
        return True
    return _length(whole, place) < len(whole) or _has_ended(whole, place)


def trim(text: str, place: Place, *, cut_off: bool) -> str:
    """The part of a fill that belongs at the cursor; empty if nothing does.

    Args:
        cut_off: the fill ended for length, so its last line may be half a line.
    """
    lines = _lines(text, place)
    if place.is_comment(lines[0]):
        return ""
    if cut_off and len(lines) > 1:
        lines.pop()
    lines = _up_to_line_circle(lines[: _length(lines, place)])
    if place.opens_block and not lines[0].strip():
        # A block begins right below its head.
        first = next((number for number, line in enumerate(lines) if number and line.strip()), len(lines))
        lines[1:first] = []
    blanks = lines[-1][len(lines[-1].rstrip()) :] if lines and place.line_suffix[:1].strip() else ""
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(lines) + blanks if lines else ""


def without_overlap(text: str, suffix: str) -> str:
    """The text without what repeats the line's end: an end that is its start, or all of it and what follows that."""
    length = next((n for n in range(min(len(text), len(suffix)), 0, -1) if text.endswith(suffix[:n])), 0)
    if length:
        return text[: len(text) - length]
    repeated = suffix.strip()
    at = text.find(repeated) if len(repeated) > 1 and _WORD.search(repeated) else -1
    return text if at < 0 else text[:at]


def up_to_closing(text: str, suffix: str) -> str:
    """The text up to where it closes what it has not opened; a quote counts where the line behind begins with it.

    What closes it stands behind the cursor or on a line below, and what comes after that does not belong here.
    """
    quote = suffix.lstrip()[:1]
    if quote and quote in "'\"`":
        match = re.match(rf"(?:[^\\{quote}]|\\.)*", text, re.DOTALL)
        return match.group() if match else text
    closes = brackets(text).closes
    return text[: closes[0][0]] if closes else text


def _lines(text: str, place: Place) -> list[str]:
    """The fill's lines. On a blank line it begins with the first line that is none, at the cursor's column."""
    lines = text.replace("\r\n", "\n").split("\n")
    if place.on_blank_line and not lines[0].strip() and any(line.strip() for line in lines):
        while not lines[0].strip():
            lines.pop(0)
        # The line was written from column 0, and the cursor is behind the blanks that are there.
        if not lines[0].startswith(place.line_prefix):
            return [""]
        lines[0] = lines[0].removeprefix(place.line_prefix)
    return lines


@lru_cache(maxsize=256)
def _line_circle(line: str) -> int:
    """Where a line begins to say the same for the second time, if it does so over and over; else 0."""
    # Asked anew with each token of a fill, of whose lines all but the last are the same.
    for match in _LINE_CIRCLE.finditer(line):
        circle = match["circle"]
        if _WORD.search(circle) and re.search(r"\W", circle):
            return match.start() + len(circle)
    return 0


def _up_to_line_circle(lines: list[str]) -> list[str]:
    for number, line in enumerate(lines):
        if at := _line_circle(line):
            return [*lines[:number], line[:at]]
    return lines


def _repeats_below(line: str, place: Place) -> bool:
    """Whether a line of the fill is the next one of the document."""
    below = place.below.strip()
    return len(below) > 1 and line.strip() == below


def depth(line: str) -> int:
    """How deep a line stands, in columns."""
    return len(indent_of(line).expandtabs(_TAB))


def _base(lines: list[str], place: Place) -> int:
    """The depth that the fill's first statement stands at."""
    return depth(place.line_prefix + lines[0] if place.on_blank_line else place.line_prefix)


def _length(lines: list[str], place: Place) -> int:
    """How many of a fill's lines belong into the hole."""
    if place.line_suffix.strip() and not place.closes_block:
        return 1
    if place.extent is Extent.LINE:
        return _line_length(lines, place)
    length = min(_block_length(lines, place), _head_length(lines, place))
    if place.extent is Extent.STATEMENT:
        length = min(length, _statement_length(lines[:length], place))
    return min(length, _before_circle(lines))


def _has_ended(whole: list[str], place: Place) -> bool:
    """Whether the last of the lines that have come ends the fill for certain, whatever comes."""
    if place.line_suffix.strip() and not place.closes_block:
        return True
    if place.extent is Extent.LINE:
        return _line_length(whole, place) == len(whole) and _ends(whole, place)
    return False


def _line_length(lines: list[str], place: Place) -> int:
    """The lines up to the first that is whole: no bracket open, no sign that it goes on; or that goes on below."""
    for number in range(1, len(lines) + 1):
        if _ends(lines[:number], place) or (number < len(lines) and _repeats_below(lines[number], place)):
            return number
    return len(lines)


def _ends(lines: list[str], place: Place) -> bool:
    text = "\n".join(lines)
    if text.endswith(("(", "[", "{")) and place.goes_on_below:
        return True
    if place.unclosed:
        text = place.line_prefix + text
    found = brackets(text, place.line_comment)
    return not (found.opens or found.open_string or text.endswith("\\"))


def _head_length(lines: list[str], place: Place) -> int:
    """The lines up to one that opens what stands below already; all where nothing does."""
    base = _base(lines, place)
    if not place.on_blank_line or not place.goes_on_deeper_than(base):
        return len(lines)
    for number, line in enumerate(lines, 1):
        if _OPENS.search(line.rstrip()) and (number == 1 or depth(line) == base):
            return number
    return len(lines)


def _statement_length(lines: list[str], place: Place) -> int:
    """The lines of the first statement, with the comments and decorators before and the blocks that belong to it."""
    base = _base(lines, place)
    start = 0
    while start < len(lines) and (not lines[start].strip() or _PREAMBLE.match(lines[start].strip())):
        start += 1
    if start == len(lines):
        return start
    number = start + _line_length(lines[start:], place)
    if not _BLOCK_HEAD.search(lines[number - 1]) and not (number < len(lines) and depth(lines[number]) > base):
        # A closing brace may be followed by what goes on with the statement.
        while number < len(lines) and depth(lines[number]) == base and _GOES_ON.match(lines[number].strip()):
            number += _line_length(lines[number:], place)
        return number
    end = number
    for line_number in range(number, len(lines)):
        line = lines[line_number]
        if line.strip() and depth(line) <= base and not _GOES_ON.match(line.strip()):
            return end
        if line.strip():
            end = line_number + 1
    return len(lines)


def _block_length(lines: list[str], place: Place) -> int:
    """The lines up to one that is indented less than the block, or repeats the next line of the document."""
    base = _base(lines, place)
    for number, line in enumerate(lines):
        if number == 0 or not line.strip():
            continue
        deep = depth(line)
        closes = line.strip()[0] in ")]}" and deep == base
        if deep < base or (place.opens_block and deep == base and not closes):
            return number
        if _repeats_below(line, place):
            return number
    return len(lines)


def _before_circle(lines: list[str]) -> int:
    """The lines up to where some come again and again; all where none do."""
    for number in range(_CIRCLES, len(lines) + 1):
        for size in range(1, min(number // _CIRCLES, _CIRCLE_LINES) + 1):
            first, *others = (
                [line.strip() for line in lines[start : start + size]]
                for start in range(number - _CIRCLES * size, number, size)
            )
            if all(other == first for other in others) and any(map(_WORDS.search, first)):
                return number - (_CIRCLES - 1) * size
    return len(lines)
