"""How long to wait for the next key before a model is asked: no longer than it pays."""

from __future__ import annotations

# A new value counts for this much: about the last ten keys, or answers.
_WEIGHT = 0.2
# A longer gap between two keys is no typing.
_TYPING_GAP_S = 1.0
# A request that is given up costs the engine a part of a step. Waiting half a gap saves about a third of them, and is
# never more than a quarter of what an answer takes anyway.
_SHARE_OF_GAP = 0.5
_SHARE_OF_RESPONSE = 0.25
_LONGEST_S = 0.15


class Rhythm:
    """The gaps between keys and the times that answers took, smoothed; times in seconds of one clock."""

    def __init__(self) -> None:
        self._last_key: float | None = None
        self._gap: float | None = None
        self._response: float | None = None

    def key(self, now: float) -> None:
        """The document was changed."""
        if self._last_key is not None and 0 < now - self._last_key <= _TYPING_GAP_S:
            self._gap = _smoothed(self._gap, now - self._last_key)
        self._last_key = now

    def answered(self, seconds: float) -> None:
        """A model's answer took so long."""
        self._response = _smoothed(self._response, seconds)

    def pause(self, least: float) -> float:
        """How long to wait after a key, at least ``least``."""
        if self._gap is None or self._response is None:
            return least
        return max(least, min(_SHARE_OF_GAP * self._gap, _SHARE_OF_RESPONSE * self._response, _LONGEST_S))


def _smoothed(before: float | None, value: float) -> float:
    return value if before is None else before + _WEIGHT * (value - before)
