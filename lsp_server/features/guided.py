"""Writing an answer together with the model: we write its form, the model fills in the words.

A small model loses its way in a long form. Here it only ever continues a text whose next words are obvious, and since
each continuation begins with all that was there, the engine evaluates next to nothing anew.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

from lsp_server.errors import RefusedError
from lsp_server.features.types import FileTarget, Selection, Target, Tools, add_timings, fence_of
from lsp_server.inference.backend import ChatRequest, Message, Priority, StopReason, Timings
from lsp_server.syntax.languages import Language

T = TypeVar("T")


async def ask_twice(
    tools: Tools,
    messages: tuple[Message, ...],
    target: FileTarget | Target | Selection,
    taken: Callable[[str], tuple[T | None, str]],
    *,
    phase: str,
    max_tokens: int,
    refusal: str,
    hint: str,
    check: Callable[[T], Awaitable[str]] | None = None,
    language: Language | None = None,
) -> tuple[T, Timings]:
    """What comes of code that the model writes; where that cannot be used, of what it writes when it is told why.

    Args:
        taken: what comes of an answer, or None and the reason, a sentence.
        refusal: what is said before the last reason.
        check: what else is wrong with what was taken, a sentence; empty if nothing is. For what takes a while.
        language: of the code; None for the target's.

    Raises:
        RefusedError: neither can be used.
    """
    written = language or target.language
    timings, reason, asked = Timings(), "", messages
    for doing in (phase, f"{phase} once more"):
        guide = Guide(tools, asked, phase=doing)
        guide.write(f"```{fence_of(written)}\n")
        await guide.fill(stop=("\n```",), max_tokens=max_tokens)
        timings = add_timings(timings, guide.timings)
        result, reason = taken(guide.answer) if guide.complete else (None, "It did not come to an end.")
        if result is not None:
            reason = await check(result) if check else ""
            if not reason:
                return result, timings
        repair = tools.prompts.render("repair", written.id, language=written.name, reason=reason)
        asked = (*messages, Message("assistant", f"{guide.answer}\n```"), *repair)
    raise RefusedError(f"{refusal} {reason}", hint=hint)


class Guide:
    """An answer in the making."""

    def __init__(
        self,
        tools: Tools,
        messages: tuple[Message, ...],
        *,
        phase: str,
        priority: Priority = Priority.ACTION,
    ) -> None:
        self._tools = tools
        self._messages = messages
        self._phase = phase
        self._priority = priority
        self.answer = ""
        self.timings = Timings()
        self.complete = True

    @property
    def shown(self) -> str:
        """All that the model has been told."""
        return "\n".join(message.content for message in self._messages)

    def write(self, text: str) -> None:
        """Add words of ours."""
        self.answer += text

    def take_back(self, text: str) -> None:
        """Remove words from the end of the answer, where they must stand."""
        self.answer = self.answer.removesuffix(text)

    async def fill(
        self,
        *,
        stop: tuple[str, ...],
        max_tokens: int,
        repeat_penalty: float = 1.0,
        temperature: float = 0.0,
        grammar: str | None = None,
        enough: Callable[[str], bool] = lambda _text: False,
    ) -> str:
        """Let the model go on until one of ``stop``; returns what it added, which is part of the answer now.

        Args:
            grammar: what is added follows it (GBNF).
            enough: asked about what was added so far after each piece; True ends it there.

        ``complete`` tells afterwards whether it came to an end by itself.
        """
        opening = (Message("assistant", self.answer),) if self.answer else ()
        request = ChatRequest(
            messages=(*self._messages, *opening),
            max_tokens=max_tokens,
            stop=stop,
            repeat_penalty=repeat_penalty,
            temperature=temperature,
            grammar=grammar,
            priority=self._priority,
        )
        added = ""
        cost, reason = Timings(), None
        count = self.timings.predicted_tokens
        async with aclosing(self._tools.backend.chat(request)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                added += chunk.text
                cost, reason = chunk.timings, chunk.stop_reason
                if reason is None:
                    count += 1
                    self._tools.report(self._phase, count)
                if enough(added):
                    break
        self.complete = reason in (StopReason.EOS, StopReason.STOP)
        self.timings = add_timings(self.timings, cost)
        self.answer += added
        return added
