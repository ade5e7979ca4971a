"""From the bytes of tokens to text that can be shown, and the places where it has to end."""

from __future__ import annotations

import codecs
import enum
from collections.abc import Sequence

_OPEN, _CLOSE = "<think>", "</think>"


class TextStream:
    """Token bytes → text that can be shown: whole characters, nothing of a thought, a dropped prefix or a stop string.

    However the bytes are cut into pieces, the text is the same.

    Args:
        stop: texts that end the answer and are not part of it.
        drop_prefix: leading blanks of the answer to swallow if they come.
        n_indent: the answer ends before the first line that is indented less; see ``Indentation``.
        thoughts: keeps what the model thinks before it answers, if that is not to be text.
    """

    def __init__(
        self, stop: Sequence[str] = (), drop_prefix: str = "", *, n_indent: int = 0, thoughts: Thoughts | None = None
    ) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stop = StopStrings(stop)
        self._indentation = Indentation(n_indent)
        # A stop string in a thought stops nothing, and what a stop string cut off has no indentation.
        ordered = (thoughts, Prefix(drop_prefix), self._stop, self._indentation)
        self._filters = [one for one in ordered if one is not None]

    def feed(self, data: bytes) -> str:
        """The next bytes; returns what can be shown now. Once it has ``ended``, everything is dropped."""
        text = self._decoder.decode(data)
        for one in self._filters:
            text = one.feed(text)
        return text

    def flush(self) -> str:
        """What was held back, at the end of the generation."""
        text = self._decoder.decode(b"", final=True)
        for one in self._filters:
            text = one.feed(text) + one.flush()
        return text

    @property
    def matched(self) -> str:
        """The stop string that ended the answer; empty if none did."""
        return "" if self._indentation.ended else self._stop.matched

    @property
    def ended(self) -> bool:
        """Whether the answer is over, by a stop string or by its indentation."""
        return self._indentation.ended or bool(self._stop.matched)


class Prefix:
    """Swallows the blanks of a prefix, if the text begins with some."""

    def __init__(self, blanks: str) -> None:
        self._left = len(blanks)

    def feed(self, text: str) -> str:
        """The next part of the text; returns what is left of it."""
        while self._left and text:
            if text[0] not in " \t":
                self._left = 0
            else:
                text = text[1:]
                self._left -= 1
        return text

    def flush(self) -> str:
        """Nothing is held back."""
        return ""


class StopStrings:
    """Ends a text before the first of some strings; holds back what may be the beginning of one."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(s for s in stop if s)
        self._held = ""
        self.matched = ""

    def feed(self, text: str) -> str:
        """The next part of the text; returns what is certain to belong to it. ``matched`` is set once it ended."""
        if self.matched:
            return ""
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

    def flush(self) -> str:
        """What was held back and is text after all."""
        rest, self._held = self._held, ""
        return rest


class Indentation:
    """Ends a text before its first line with less than so many blanks before the first other character.

    Neither the line that the text begins in counts (the text may begin anywhere in it) nor one of blanks alone. A tab
    is one blank, as in llama-server's ``n_indent``. 0 lets everything through.
    """

    def __init__(self, n_indent: int) -> None:
        self._least = n_indent
        self._held = ""
        self._within_line = True
        self.ended = False

    def feed(self, text: str) -> str:
        """The next part of the text; returns what is certain to belong to it: not a line's blanks before the rest."""
        if self.ended or not self._least:
            return "" if self.ended else text
        self._held += text
        shown = ""
        while self._held:
            if not self._within_line:
                rest = self._held.lstrip(" \t\r")
                if not rest:
                    break
                depth = len(self._held) - len(self._held.lstrip(" \t"))
                if rest[0] != "\n" and depth < self._least:
                    self.ended, self._held = True, ""
                    break
            line, newline, self._held = self._held.partition("\n")
            shown += line + newline
            self._within_line = not newline
        return shown

    def flush(self) -> str:
        """What was held back and is text after all."""
        rest, self._held = self._held, ""
        return rest


class _Phase(enum.Enum):
    BEGINNING = enum.auto()
    THINKING = enum.auto()
    GAP = enum.auto()
    ANSWERING = enum.auto()


class Thoughts:
    """Keeps ``<think>…</think>`` at the beginning of an answer out of it, with the blanks around.

    An answer that never closes its thought has no text.

    Args:
        begun: the prompt has opened the thought already.
    """

    def __init__(self, *, begun: bool = False) -> None:
        self._phase = _Phase.THINKING if begun else _Phase.BEGINNING
        self._held = ""
        self._thought = ""
        self._blank = True

    def take(self) -> str:
        """What was thought since the last call."""
        new, self._thought = self._thought, ""
        return new

    def feed(self, text: str) -> str:
        """The next part of the text; returns what is certain to belong to the answer."""
        self._held += text
        if self._phase is _Phase.BEGINNING:
            found = self._held.lstrip()
            if len(found) < len(_OPEN) and _OPEN.startswith(found):
                return ""
            opened = found.startswith(_OPEN)
            self._phase = _Phase.THINKING if opened else _Phase.ANSWERING
            self._held = found[len(_OPEN) :] if opened else self._held
        if self._phase is _Phase.THINKING:
            thought, closed, rest = self._held.partition(_CLOSE)
            keep = 0 if closed else _overlap(thought, _CLOSE)
            self._think(thought[: len(thought) - keep])
            self._held = rest if closed else thought[len(thought) - keep :]
            if not closed:
                return ""
            self._phase = _Phase.GAP
        if self._phase is _Phase.GAP:
            self._held = self._held.lstrip()
            if not self._held:
                return ""
            self._phase = _Phase.ANSWERING
        return self.flush()

    def flush(self) -> str:
        """What was held back and is text after all; at the end of a thought it is one."""
        rest, self._held = self._held, ""
        if self._phase is _Phase.THINKING:
            self._think(rest)
            return ""
        return rest

    def _think(self, text: str) -> None:
        text = text.lstrip() if self._blank else text
        self._blank = self._blank and not text
        self._thought += text


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that is a proper start of ``stop``."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if text.endswith(stop[:n])), 0)
