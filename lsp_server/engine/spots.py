"""The text behind a cursor, kept as it was when editing began there.

In a prompt that has the suffix first, another suffix is another prompt: all of it is evaluated anew. While somebody
types at one place, what stands behind it hardly changes, and what does is put there by the editor: brackets and quotes
that close what was opened, the line that Enter leaves them on. The model writes these by itself, so it is shown the
text without them until something else changes.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from lsp_server.text.closers import front_lengths, without_blanks

_DOCUMENTS = 32
_SPOTS = 4
# Positions in a front that are tried; more than an editor makes.
_FRONTS = 16
# A text shorter than this was not cut by a client's window.
_LEAST_WINDOW_CHARS = 200


@dataclass(slots=True)
class _Spot:
    """``frozen``: the suffix that its prompts have. ``seen``: what really stood there last."""

    frozen: str
    seen: str


class Spots:
    """Remembers the suffix of each place where somebody edits; the oldest documents and places are forgotten.

    Args:
        documents: how many are remembered, with up to ``spots`` places each.
    """

    def __init__(self, documents: int = _DOCUMENTS, spots: int = _SPOTS) -> None:
        self._n_documents = documents
        self._n_spots = spots
        self._documents: OrderedDict[str, list[_Spot]] = OrderedDict()

    def suffix(self, document: str, suffix: str) -> str:
        """What a prompt is to have behind the cursor: ``suffix``, or what it was frozen as.

        The frozen text may lack closers and blanks that the document has in front, never have closers that it has not:
        a doubled bracket misleads a model, a missing one it writes. And it may end elsewhere, where the client's window
        does. Anything else is a place of its own.

        Args:
            document: opaque id; nothing is remembered for an empty one.
        """
        if not document:
            return suffix
        spots = self._documents.setdefault(document, [])
        self._documents.move_to_end(document)
        while len(self._documents) > self._n_documents:
            self._documents.popitem(last=False)
        spot = next((spot for spot in _likeliest(spots, suffix) if _fits(spot, suffix)), None)
        if spot is None:
            spot = _Spot(suffix, suffix)
        else:
            spots.remove(spot)
            spot.seen = suffix
        spots.insert(0, spot)
        del spots[self._n_spots :]
        return spot.frozen


def _likeliest(spots: list[_Spot], suffix: str) -> list[_Spot]:
    """The place of the last request first: typing stays there. Then those that need no rule."""
    return spots[:1] + sorted(spots[1:], key=lambda spot: spot.frozen != suffix)


def _fits(spot: _Spot, suffix: str) -> bool:
    """Whether the frozen text can stand for the one that is there now."""
    if spot.frozen == suffix:
        return True
    match = _match(spot.frozen, suffix)
    if match is None:
        return False
    front, new_front, same_end = match
    if not without_blanks(suffix[:new_front]).endswith(without_blanks(spot.frozen[:front])):
        return False
    # What moved a window's end since the text was frozen moved it step by step; a deletion shows against the last one.
    return same_end or spot.seen == suffix or _match(spot.seen, suffix) is not None


def _match(one: str, other: str) -> tuple[int, int, bool] | None:
    """The shortest fronts without which two texts are the same, and whether they also end at the same place."""
    fronts = [(m, n) for m in front_lengths(one)[:_FRONTS] for n in front_lengths(other)[:_FRONTS]]
    for m, n in sorted(fronts, key=lambda lengths: lengths[0] + lengths[1]):
        if len(one) - m == len(other) - n and one.endswith(other[n:]):
            return m, n, True
        if _is_window_moved(one, m, other, n) or _is_window_moved(other, n, one, m):
            return m, n, False
    return None


def _is_window_moved(short: str, front: int, long: str, long_front: int) -> bool:
    """Whether one text ends before another only because a longer front takes room in a window of one size.

    The size may be counted in lines, or in characters up to a line's start.
    """
    rest = short[front:]
    if front <= long_front or len(rest) < _LEAST_WINDOW_CHARS or not long.startswith(rest, long_front):
        return False
    missing_line, newline, _ = long[long_front + len(rest) :].partition("\n")
    return short.count("\n") >= long.count("\n") or len(short) + len(missing_line) + len(newline) > len(long)
