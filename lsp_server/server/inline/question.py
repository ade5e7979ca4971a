"""A question to the model: who waits for its answer, and where else that fits."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lsp_server.features.inline_completion import Suggestion

if TYPE_CHECKING:
    from lsp_server.server.session import Place

# An editor takes its question back with each key, and asks anew at once: so long the answer goes on, in case that the
# key was what it says.
_GRACE_S = 0.1


@dataclass(slots=True, eq=False)
class Question:
    """What a model is asked for a place.

    Attributes:
        task: the work; set at once by whoever asks.
        written: what was answered so far.
        stopped: the answer is not wanted any more.
    """

    place: Place
    offset: int
    task: asyncio.Task[tuple[Suggestion, ...]] = field(init=False)
    written: str = ""
    stopped: bool = False
    _waiting: int = 0
    _grace: asyncio.TimerHandle | None = None

    async def answer(self, patience_s: float | None = None) -> tuple[Suggestion, ...]:
        """Wait for the answer; empty if it was stopped, or takes longer than ``patience_s`` seconds (and goes on).

        Several may wait. Once the last of them is cancelled and nobody comes instead, the work is stopped.
        """
        if self._grace:
            self._grace.cancel()
        self._waiting += 1
        try:
            await asyncio.wait({self.task}, timeout=patience_s)
        except asyncio.CancelledError:
            if self._waiting == 1:
                self._grace = asyncio.get_running_loop().call_later(_GRACE_S, self.stop)
            raise
        finally:
            self._waiting -= 1
        return self.task.result() if self.task.done() and not self.task.cancelled() else ()

    def stop(self) -> None:
        """End the work, unless it is done."""
        self.stopped |= self.task.cancel()

    def wrote(self, text: str) -> None:
        """The answer has come so far."""
        self.written = text

    def is_for(self, place: Place, offset: int) -> bool:
        """Whether it is about this very text and place."""
        return offset == self.offset and place.snapshot.text == self.place.snapshot.text

    def fits(self, place: Place, offset: int) -> bool:
        """Whether its answer will do here: nothing was typed since it was asked, or only how the answer begins."""
        text, now = self.place.snapshot.text, place.snapshot.text
        typed = now[self.offset : offset]
        goes_on = bool(typed) and self.written.startswith(typed) and now.startswith(text[: self.offset])
        return not self.stopped and (goes_on or self.is_for(place, offset))

    def lies_ahead(self, place: Place, offset: int) -> bool:
        """Whether what is written at a place may lead to the text and the place that it is about."""
        text, now, lines = self.place.snapshot.text, place.snapshot.text, place.snapshot.lines
        behind = now[max(lines.line_end(lines.line_of(offset)), offset) :]
        has_room = offset <= self.offset <= len(text) - len(behind)
        return has_room and text.startswith(now[:offset]) and text.endswith(behind)
