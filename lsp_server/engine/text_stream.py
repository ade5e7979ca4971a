"""From the bytes of tokens to text that can be shown, and the places where it has to end."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Token bytes → text that can be shown: whole characters, nothing of a stop string, nothing of a dropped prefix."""

    def __init__(self, stop: Sequence[str], drop_prefix: str = "") -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = tuple(s for s in stop if s)
        self._held = ""
        self._drop = len(drop_prefix)
        self.matched = ""

    def feed(self, data: bytes) -> str:
        """The next bytes; returns what can be shown now. Once ``matched`` is set, everything after it is dropped."""
        return self._release(self._decoder.decode(data))

    def flush(self) -> str:
        """What was held back, at the end of the generation."""
        if self.matched:
            return ""
        rest = self._release(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return rest

    def _release(self, text: str) -> str:
        while self._drop and text:
            if text[0] not in " \t":
                self._drop = 0
            else:
                text = text[1:]
                self._drop -= 1
        self._held += text
        found = [(at, s) for s in self._stop if (at := self._held.find(s)) >= 0]
        if found:
            # The one that is complete first: what is shown must not depend on how the text is cut into tokens.
            at, self.matched = min(found, key=lambda match: (match[0] + len(match[1]), match[0]))
            shown, self._held = self._held[:at], ""
            return shown
        hold = max((_overlap(self._held, s) for s in self._stop), default=0)
        shown, self._held = self._held[: len(self._held) - hold], self._held[len(self._held) - hold :]
        return shown


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that is a proper start of ``stop``."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
