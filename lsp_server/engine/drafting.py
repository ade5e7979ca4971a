"""Guessing ahead from what was there before: an edit mostly repeats its input.

Prompt lookup (A. Saxena, 2023): where the last few tokens stood before, what followed them is likely to follow again.
The model checks all guesses in one step, and takes them as far as it would have written them itself. Where it writes
something else, the guesses go on behind that; and what it wrote once in another's place, it is expected to write again,
as in a renaming.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lsp_server.models.planning.settings import MOST_OUTPUTS

# Guesses with the token before them fill a step of 4, 8 or 16 tokens, sizes that kernels are good at.
_LENGTHS = (3, 7, MOST_OUTPUTS - 1)
# So many tokens must have stood there before in the same order.
_KEY = 3
_LONGEST_MATCH = 24
# What repeats itself more often than this is not worth looking at in full with every token.
_MOST_PLACES = 32
# A replacement that was followed by so many right guesses was one.
_PROOF = 2


@dataclass(frozen=True, slots=True)
class _Guess:
    """The last guesses: where they were taken from, and what they would prove if they were right."""

    place: int
    tokens: list[int]
    replacement: tuple[int, int] | None


class Drafter:
    """Guesses for one generation; the longer, the more of the last ones were right.

    Args:
        most: guesses a step at most; 0 for none at all.
    """

    def __init__(self, most: int) -> None:
        self.drafted = 0
        self.accepted = 0
        self._lengths = tuple(length for length in _LENGTHS if length <= most) or ((most,) if most else ())
        self._level = len(self._lengths) // 2
        self._failures = 0
        self._places: dict[tuple[int, ...], list[int]] = {}
        self._indexed = _KEY
        self._last: _Guess | None = None
        # Behind the last wrong guess: where to go on, and what was written instead of what.
        self._behind: tuple[int, tuple[int, int]] | None = None
        self._replacements: dict[int, int] = {}

    def draft(self, history: Sequence[int], room: int) -> list[int]:
        """What may follow the tokens so far; empty where nothing suggests itself.

        Args:
            history: only ever grows.
            room: so many tokens are wanted at most.
        """
        behind, self._behind, self._last = self._behind, None, None
        if not self._lengths or room <= 0:
            return []
        self._index(history)
        place, replacement = self._place(history), None
        if place is None and behind:
            place, replacement = behind
        if place is None:
            return []
        source = history[place : place + min(self._lengths[self._level], room)]
        guesses = [self._replacements.get(token, token) for token in source]
        self._last = _Guess(place, guesses, replacement)
        return guesses

    def checked(self, history: Sequence[int], accepted: int) -> None:
        """Tell how many of the last guesses were right; ``history`` ends with what came after these."""
        guess = self._last
        if guess is None:
            return
        drafted = len(guess.tokens)
        self.drafted += drafted
        self.accepted += accepted
        if guess.replacement and accepted >= min(_PROOF, drafted):
            self._replacements[guess.replacement[0]] = guess.replacement[1]
        if accepted == drafted:
            self._level = min(self._level + 1, len(self._lengths) - 1)
            self._failures = 0
            return
        self._failures = 0 if accepted else self._failures + 1
        if accepted < drafted // 2:
            self._level = max(self._level - 1, 0)
        at = guess.place + accepted
        self._replacements.pop(history[at], None)
        if accepted or guess.replacement is None:
            self._behind = at + 1, (history[at], history[-1])

    def _index(self, history: Sequence[int]) -> None:
        # The end itself is no place to go on from: nothing follows it yet.
        for end in range(self._indexed, len(history)):
            self._places.setdefault(tuple(history[end - _KEY : end]), []).append(end)
        self._indexed = max(self._indexed, len(history))

    def _place(self, history: Sequence[int]) -> int | None:
        """Where the longest repetition of the last tokens goes on; of equals the last. None if it is too short."""
        places = self._places.get(tuple(history[-_KEY:]), [])[-_MOST_PLACES:]
        length, place = max(((_matching(history, place), place) for place in places), default=(0, -1))
        # After guesses that failed, only a place that resembles this one more is worth a try.
        return place if place >= 0 and length >= min(_KEY * (1 + self._failures), _LONGEST_MATCH) else None


def _matching(history: Sequence[int], place: int) -> int:
    length = 0
    while length < min(_LONGEST_MATCH, place) and history[place - 1 - length] == history[-1 - length]:
        length += 1
    return length
