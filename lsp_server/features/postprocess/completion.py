"""A raw fill → what belongs at the cursor: it ends where the block ends, and repeats nothing that is there already."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.text.edits import indent_of

_QUOTES = ("'", '"', "`")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fill goes.

    Attributes:
        line_prefix, line_suffix: the cursor's line, before and after the cursor.
        next_lines: the lines below, without terminators.
        multiline: whether more than the rest of the line is wanted; the line may end with what closes the block.
    """

    line_prefix: str
    line_suffix: str
    next_lines: tuple[str, ...]
    multiline: bool

    @property
    def opens_block(self) -> bool:
        """Whether the cursor stands right behind what opens a block."""
        return bool(self.line_prefix.strip()) and self.multiline

    @property
    def closes_block(self) -> bool:
        """Whether the block that is wanted is closed right behind the cursor, as in ``{}``."""
        return bool(self.line_suffix.strip()) and self.multiline


def is_complete(text: str, place: Place) -> bool:
    """Whether a growing fill has gone past the end of what is wanted, so that generation can stop."""
    if not place.multiline:
        return "\n" in text
    if place.closes_block and "\n" in text[len(up_to_closing(text, place.line_suffix)) :]:
        return True
    lines = text.split("\n")
    return _block_length(lines[:-1], place) < len(lines) - 1


def trim(text: str, place: Place, *, cut_off: bool) -> str:
    """The part of a fill that belongs at the cursor; empty if nothing does.

    Args:
        cut_off: the fill ended for length, so its last line may be half a line.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    if not place.multiline:
        return lines[0].rstrip()
    if cut_off and len(lines) > 1:
        lines.pop()
    lines = lines[: _block_length(lines, place)]
    while lines and not lines[-1].strip():
        lines.pop()
    return "\n".join(line.rstrip() for line in lines)


def without_overlap(text: str, suffix: str) -> str:
    """The text without an end that is the start of what follows it on the line."""
    length = next((n for n in range(min(len(text), len(suffix)), 0, -1) if text.endswith(suffix[:n])), 0)
    return text[: len(text) - length]


def up_to_closing(text: str, suffix: str) -> str:
    """The text up to where it closes what it has not opened; a quote counts where the line behind begins with it.

    What closes it stands behind the cursor or on a line below, and what comes after that does not belong here.
    """
    quote = suffix.lstrip()[:1]
    if quote in _QUOTES:
        match = re.match(rf"(?:[^\\{quote}]|\\.)*", text, re.DOTALL)
        return match.group() if match else text
    depth = 0
    for position, char in enumerate(text):
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return text[:position]
    return text


def _block_length(lines: list[str], place: Place) -> int:
    """How many lines of a fill belong to the block at the cursor.

    A block ends before a line that is indented less than its first one, and before a line that repeats the next line
    of the document.
    """
    base = len(indent_of(place.line_prefix).expandtabs(4))
    following = next((line.strip() for line in place.next_lines if line.strip()), None)
    for number, line in enumerate(lines):
        if number == 0 or not line.strip():
            continue
        depth = len(indent_of(line).expandtabs(4))
        closes = line.strip()[0] in ")]}" and depth == base
        if depth < base or (place.opens_block and depth == base and not closes):
            return number
        if following is not None and len(following) > 1 and line.strip() == following:
            return number
    return len(lines)
