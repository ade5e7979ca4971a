"""Typing into an editor whose server is ours: one request a keystroke, the one before cancelled, as VS Code does."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from benchmarks.completion.editor import Editor, Suggested


@dataclass(slots=True)
class Stroke:
    """What came of a keystroke.

    Attributes:
        ms: from the keystroke to the answer, None if the next one came before.
        text: the suggestion behind the cursor; empty for none.
        expected: what was shown, less what was typed; empty where that did not agree, or nothing was shown.
    """

    ms: float | None = None
    text: str = ""
    expected: str = ""

    @property
    def flickers(self) -> bool:
        """Whether the suggestion changed though the person typed just that."""
        return self.ms is not None and bool(self.expected) and not self.text.startswith(self.expected)


@dataclass(slots=True)
class Typing:
    """A document that is typed in.

    Attributes:
        at: where the cursor is.
        shown: the text of the suggestion behind the cursor.
    """

    editor: Editor
    uri: str
    at: int
    shown: str = ""
    strokes: list[Stroke] = field(default_factory=list)
    _offer: Suggested | None = None
    _asking: asyncio.Task[None] | None = None

    def type(self, text: str) -> None:
        """A keystroke."""
        begun = time.perf_counter()
        agrees = self.shown.startswith(text)
        self.shown, self._offer = self.shown[len(text) :] if agrees else "", None
        self.editor.replace(self.uri, self.at, self.at, text)
        self.at += len(text)
        self._ask(Stroke(expected=self.shown), begun)

    async def accept(self) -> bool:
        """Tab, if there is something to accept."""
        if (offer := self._offer) is None:
            return False
        self._offer, self.shown = None, ""
        begun = time.perf_counter()
        self.at = await self.editor.accept(self.uri, offer)
        self._ask(Stroke(), begun)
        return True

    async def answered(self, patience_s: float) -> float | None:
        """Wait for the answer to the last keystroke; its milliseconds, None if nothing is suggested."""
        if self._asking:
            await asyncio.wait([self._asking], timeout=patience_s)
        last = self.strokes[-1]
        return last.ms if last.text else None

    async def stop(self) -> None:
        """Nothing is wanted any more."""
        if self._asking:
            self._asking.cancel()
            await asyncio.wait([self._asking])

    def _ask(self, stroke: Stroke, begun: float) -> None:
        self.strokes.append(stroke)
        if self._asking:
            self._asking.cancel()
        self._asking = asyncio.create_task(self._answer(stroke, begun))

    async def _answer(self, stroke: Stroke, begun: float) -> None:
        offer = await self.editor.suggest(self.uri, self.at)
        stroke.ms = (time.perf_counter() - begun) * 1000
        self._offer = offer
        self.shown = stroke.text = offer.text[self.at - offer.start :] if offer else ""
