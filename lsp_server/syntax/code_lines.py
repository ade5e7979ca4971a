"""Lines of code by their indentation, near a place, at a cost that does not grow with the file.

Internal to the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsp_server.syntax.regions import Region, region_at
from lsp_server.syntax.snapshot import Snapshot

# How much is looked through at first on the way up.
_CHUNK_CHARS = 4000


def line_above(snapshot: Snapshot, start: int, depth: int) -> int | None:
    """The nearest line of code above an offset that is indented by less than ``depth``."""
    size = _CHUNK_CHARS
    while start > 0 and depth > 0:
        first = snapshot.text.rfind("\n", 0, max(start - size, 0)) + 1
        for place in reversed(list(_line_beginnings(snapshot, first, start, rf"[ \t]{{0,{depth - 1}}}"))):
            if _is_code(snapshot, place):
                return snapshot.lines.line_of(place)
        start, size = first, size * 4
    return None


def first_code(snapshot: Snapshot, start: int, end: int, blanks: str) -> int | None:
    """Where the first line of code begins that begins between two offsets, and with just such blanks."""
    return next((place for place in _line_beginnings(snapshot, start, end, blanks) if _is_code(snapshot, place)), None)


def _line_beginnings(snapshot: Snapshot, start: int, end: int, blanks: str) -> Iterator[int]:
    pattern = re.compile(rf"^{blanks}(?=\S)", re.MULTILINE)
    return (match.end() for match in pattern.finditer(snapshot.text, start, end))


def _is_code(snapshot: Snapshot, place: int) -> bool:
    """Whether what begins at an offset is neither a comment nor within a string."""
    comment = snapshot.language.line_comment if snapshot.language else ""
    if comment and snapshot.text.startswith(comment, place):
        return False
    return region_at(snapshot, place) is Region.CODE


def without_comment(snapshot: Snapshot, line: int) -> str:
    """A line without the comment at its end."""
    start, end = snapshot.lines.line_start(line), snapshot.lines.line_end(line)
    marker = snapshot.language.line_comment if snapshot.language else ""
    at = snapshot.text.find(marker, start, end) if marker else -1
    while at >= 0:
        if region_at(snapshot, at) is Region.CODE and region_at(snapshot, at + len(marker)) is Region.COMMENT:
            return snapshot.text[start:at]
        at = snapshot.text.find(marker, at + 1, end)
    return snapshot.text[start:end]
