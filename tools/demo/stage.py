"""Where a part is played: it asks through the stage, which times it, shows it and puts things back if it fails."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pygls.exceptions import JsonRpcException

from tools.demo.checks import CheckFailedError
from tools.demo.editor import Document, Editor
from tools.demo.excerpt import Excerpt

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Figures:
    """What an answer cost.

    Attributes:
        ttft_s: seconds to the first token, as the server has it.
        tokens, tokens_per_second: what the model wrote.
        total_s: seconds that the editor waited, without those in which the model was loaded.
    """

    ttft_s: float
    tokens: int
    tokens_per_second: float
    total_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that is shown.

    Attributes:
        run: plays it on a stage; returns a sentence about what was checked, raises `CheckFailedError`.
    """

    title: str
    run: Callable[[Stage], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a part: a sentence either way; no figures if nothing was answered."""

    part: Part
    passed: bool
    sentence: str
    figures: Figures | None


class View(Protocol):
    """What draws the demo; every method is about the part that is on."""

    def asked(self, place: str, request: str, excerpt: Excerpt) -> None:
        """What was asked, and about which lines of which file."""

    def code(self, excerpt: Excerpt) -> None:
        """Code that came back."""

    def diff(self, lines: list[str]) -> None:
        """A change that came back, as the lines of a unified diff."""

    def markdown(self, text: str) -> None:
        """Prose that came back."""

    def output(self, text: str) -> None:
        """What a program printed."""

    def note(self, text: str) -> None:
        """Words of the server."""

    def working(self) -> AbstractContextManager[None]:
        """While the editor waits for an answer."""


class Stage:
    """What a part plays on: the editor, the view, and a stopwatch."""

    def __init__(self, editor: Editor, view: View) -> None:
        self.editor = editor
        self.view = view
        self._figures: Figures | None = None

    async def play(self, part: Part) -> Outcome:
        """Play a part; if it fails, files and buffers are as they were before it."""
        if self.editor.gone:
            return Outcome(part, False, f"the language server has ended: {self.editor.last_words()}", None)
        before = self.editor.texts()
        messages = len(self.editor.messages)
        self._figures = None
        try:
            return Outcome(part, True, await part.run(self), self._figures)
        except (CheckFailedError, JsonRpcException, RuntimeError, ValueError, OSError) as error:
            # RuntimeError is how pygls' client says that the server is gone.
            told = " ".join(dict.fromkeys(self.editor.messages[messages:]))
            reason = f"{error} (the server says: {told})" if told else str(error)
            if not self.editor.gone:
                self.editor.restore(before)
            return Outcome(part, False, reason, self._figures)

    async def ask(self, document: Document, request: str, excerpt: Excerpt, answer: Awaitable[T]) -> T:
        """Show a request, await its answer and note what it cost."""
        self.view.asked(self.editor.relative(document.path), request, excerpt)
        loading, begun = self.editor.loading_s, time.monotonic()
        with self.view.working():
            result = await answer
        waited = time.monotonic() - begun - (self.editor.loading_s - loading)
        if result is not None:
            status = await self.editor.command("shardlight.status")
            self._figures = _figures(status.get("lastAnswer"), waited)
        return result


def _figures(last: Mapping[str, Any] | None, waited: float) -> Figures | None:
    if not last:
        return None
    return Figures(last["ttftMs"] / 1000, last["predictedTokens"], last["tokensPerSecond"], waited)
