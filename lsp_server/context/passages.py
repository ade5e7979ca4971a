"""Pieces of text worth showing: what resembles the code at the cursor, what tests it, what was lately worked on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path

from lsp_server.context.budget import estimated_tokens
from lsp_server.context.candidates import Candidate, Kind, Sources
from lsp_server.context.counterparts import counterpart, is_test
from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.ring import RecentChunk
from lsp_server.context.similarity import WINDOW_LINES, Passage, Words, jaccard, lines_of, passages, words
from lsp_server.context.spot import Spot
from lsp_server.context.symbols import as_symbol, same_family
from lsp_server.text.positions import LineIndex

# Below this, two pieces of one project share no more than its habits.
_LEAST_ALIKE = 0.2
_LEAST_SHARED = 4
# Chunks more alike than this to the window, or with more of their lines in it, say nothing new.
_SAME = 0.5
_MOST_FILES = 8
_MOST_CHARS = 100_000
# Lines of the document itself that are compared, on either side of the window.
_OWN_LINES = 200
_OWN_CHARS = 20_000
# `WINDOW_LINES` lines are less, if people wrote them.
_BEFORE_CHARS = 4000
_TEST_LINES = 30
_TESTED = 0.4
_TESTS = 0.4
_EDITED = 0.5
_VIEWED = 0.35
_AGEING = 0.015


def recent(spot: Spot, latest: Sequence[RecentChunk], budget_tokens: int) -> list[Candidate]:
    """The chunks that were lately viewed and edited, without what the window shows anyway."""
    shown = spot.snapshot.text[slice(*spot.shown)]
    shown_words, shown_lines = words(shown), lines_of(shown)
    near = words(_before(spot))
    found = []
    for age, chunk in enumerate(latest):
        shown_of_it = len(chunk.lines & shown_lines)
        if jaccard(chunk.words, shown_words) > _SAME or shown_of_it > _SAME * len(chunk.lines):
            continue
        # What shares names with the code at the cursor is rather of use; all of it may be.
        shared = len(near & chunk.words) / len(near) if near else 0.0
        score = ((_EDITED if chunk.edited else _VIEWED) - _AGEING * age) * (0.7 + 0.6 * shared)
        text = _best_part(chunk, near, budget_tokens)
        reason = "edited" if chunk.edited else "viewed"
        found.append(Candidate(Kind.RECENT, chunk.path, -1, -1, reason, score, text=text))
    return found


def similar(spot: Spot, sources: Sources, around: Sequence[Path]) -> list[Candidate]:
    """The piece of each file around that resembles the lines before the cursor most, and what follows it there."""
    near = words(_before(spot))
    language = spot.snapshot.language
    if len(near) < _LEAST_SHARED:
        return []
    language_of = sources.workspace.language
    paths = (p for p in dict.fromkeys(around) if p != spot.path and same_family(language_of(p), language))
    found = [_in_own_file(spot, near)]
    for path in islice(paths, _MOST_FILES):
        text = sources.files.text(path, sources.workspace)
        if text is None or len(text) > _MOST_CHARS:
            continue
        pieces = sources.files.derived(path, sources.workspace, _passages) or ()
        found.append(_most_alike(path, text, pieces, near))
    return [candidate for candidate in found if candidate]


def of_the_counterpart(spot: Spot, sources: Sources, linked: Sequence[Path]) -> list[Candidate]:
    """In a test what the tested file offers; elsewhere the test of what is being written."""
    other = counterpart(spot.path, sources.workspace.root_of(spot.path), linked)
    # What the index leaves out is left out here as well.
    symbols = sources.symbols.symbols_in(other) if other else ()
    if other is None or not symbols:
        return []
    if is_test(spot.path):
        return [
            Candidate(Kind.COUNTERPART, other, s.start, s.end, "tested code", _TESTED, as_symbol(s))
            for s in symbols
            if not s.name.startswith("_")
        ]
    text = sources.files.text(other, sources.workspace) or ""
    for scope in spot.around:
        if call := re.search(rf"\b{re.escape(scope.name)}\s*\(", text):
            start, end = _test_around(LineIndex(text), symbols, call.start())
            return [Candidate(Kind.COUNTERPART, other, start, end, "tests", _TESTS, text=text[start:end])]
    return []


def _test_around(lines: LineIndex, symbols: Sequence[IndexedSymbol], offset: int) -> tuple[int, int]:
    """Start and end of the whole lines of the function at an offset, or of what follows it; not too many."""
    test = next((s for s in reversed(symbols) if s.start <= offset < s.end and s.kind in ("function", "method")), None)
    first = lines.line_of(test.start if test else offset)
    last = first + _TEST_LINES
    if test:
        last = min(last, lines.line_of(test.end - 1) + 1)
    return lines.line_start(first), lines.line_start(last)


def _in_own_file(spot: Spot, near: Words) -> Candidate | None:
    """The most alike piece of the document itself, out of what its window does not show."""
    lines, text = spot.snapshot.lines, spot.snapshot.text
    start, end = spot.shown
    first = max(lines.line_start(lines.line_of(start) - _OWN_LINES), start - _OWN_CHARS)
    last = min(lines.line_start(lines.line_of(end) + _OWN_LINES), end + _OWN_CHARS)
    parts = ((first, start), (end, last))
    pieces = (Passage(a + piece.start, a + piece.end, piece.words) for a, b in parts for piece in passages(text[a:b]))
    return _most_alike(spot.path, text, pieces, near)


def _most_alike(path: Path, text: str, pieces: Iterable[Passage], near: Words) -> Candidate | None:
    best, alike, most = None, _LEAST_ALIKE, len(near)
    # Of a long file there are hundreds: a call of `jaccard` for each would take half of the time.
    for piece in pieces:
        both = len(piece.words & near)
        if both >= _LEAST_SHARED and (share := both / (len(piece.words) + most - both)) > alike:
            best, alike = piece, share
    if best is None:
        return None
    shown = text[best.start : best.end]
    return Candidate(Kind.SIMILAR, path, best.start, best.end, "similar code", min(0.2 + alike, 0.9), text=shown)


def _passages(_path: Path, text: str) -> tuple[Passage, ...]:
    return passages(text)


def _before(spot: Spot) -> str:
    lines, offset = spot.snapshot.lines, spot.offset
    start = lines.line_start(lines.line_of(offset) - WINDOW_LINES + 1)
    return spot.snapshot.text[max(start, offset - _BEFORE_CHARS) : offset]


def _best_part(chunk: RecentChunk, near: Words, budget_tokens: int) -> str:
    """A chunk, or where it would take more than half of a small budget the part that fits best."""
    if 2 * estimated_tokens(chunk.text) <= budget_tokens:
        return chunk.text
    best = max(chunk.passages, key=lambda piece: jaccard(piece.words, near))
    return chunk.text[best.start : best.end]
