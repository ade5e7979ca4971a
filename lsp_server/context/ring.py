"""What was lately looked at and edited, as pieces of text: an idea of llama.vim's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lsp_server.context.similarity import Passage, Words, jaccard, lines_of, passages, words
from lsp_server.context.workspace import is_secret
from lsp_server.text.positions import LineIndex

CAPACITY = 16
CHUNK_LINES = 64
# So many lines are less, if people wrote them.
CHUNK_CHARS = 8000
# More alike than this are two versions of one piece, of which the newer is kept.
_SAME = 0.9


@dataclass(frozen=True, slots=True)
class RecentChunk:
    """A piece of a file as it was when somebody was there, and what it is compared by."""

    path: Path
    text: str
    edited: bool
    words: Words
    lines: frozenset[str]
    passages: tuple[Passage, ...]


class RecentChunks:
    """The latest pieces of files that were viewed or edited; safe to share between threads.

    Files that may hold secrets, and those that ``excluded`` names, are never remembered; what is excluded later is not
    told any more.
    """

    def __init__(self, excluded: Callable[[Path], bool] = lambda _path: False) -> None:
        self._excluded = excluded
        self._chunks: tuple[RecentChunk, ...] = ()
        self._lock = threading.Lock()

    def viewed(self, path: Path, text_around: str) -> None:
        """The cursor came to a place in a file, or the file was opened there."""
        self._remember(path, text_around, edited=False)

    def edited(self, path: Path, text_around: str) -> None:
        """A place in a file was changed, or saved."""
        self._remember(path, text_around, edited=True)

    def latest(self) -> tuple[RecentChunk, ...]:
        """All of them, the latest first."""
        excluded = cache(self._excluded)
        return tuple(chunk for chunk in self._chunks if not excluded(chunk.path))

    def _remember(self, path: Path, text: str, *, edited: bool) -> None:
        found = words(text)
        # A name or two say nothing, and a blank page less.
        if len(found) <= 2 or is_secret(path) or self._excluded(path):
            return
        with self._lock:
            alike = [c for c in self._chunks if c.path == path and jaccard(c.words, found) > _SAME]
            # That it was edited stays true when it is only looked at again.
            was_edited = edited or any(c.edited for c in alike)
            chunk = RecentChunk(path, text, was_edited, found, lines_of(text), passages(text))
            others = [c for c in self._chunks if c.path != path or c not in alike]
            self._chunks = (chunk, *others)[:CAPACITY]


def text_around(lines: LineIndex, offset: int) -> str:
    """The ``CHUNK_LINES`` lines around a cursor, whole ones unless they have more than ``CHUNK_CHARS``."""
    first = max(lines.line_of(offset) - CHUNK_LINES // 2, 0)
    start, end = lines.line_start(first), lines.line_start(first + CHUNK_LINES)
    if end - start > CHUNK_CHARS:
        start = max(start, offset - CHUNK_CHARS // 2)
        end = min(end, start + CHUNK_CHARS)
    return lines.text[start:end]
