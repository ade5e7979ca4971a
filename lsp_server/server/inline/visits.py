"""Where somebody works: a place that was left is worth remembering; where the cursor is, the prompt shows it anyway."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.ring import CHUNK_LINES, RecentChunks, text_around
from lsp_server.text.positions import LineIndex


@dataclass(frozen=True, slots=True)
class _Visit:
    path: Path
    line: int
    text: str
    edited: bool


class Visits:
    """Turns the cursor's ways into recent chunks."""

    def __init__(self, recent: RecentChunks) -> None:
        self._recent = recent
        self._last: _Visit | None = None

    def at(self, path: Path, lines: LineIndex, offset: int, *, edited: bool) -> None:
        """The cursor is at a place, and the text there may just have been changed."""
        line, last = lines.line_of(offset), self._last
        stays = last is not None and last.path == path and abs(last.line - line) <= CHUNK_LINES // 2
        if last and not stays:
            (self._recent.edited if last.edited else self._recent.viewed)(last.path, last.text)
        was_edited = last is not None and stays and last.edited
        self._last = _Visit(path, line, text_around(lines, offset), edited or was_edited)
