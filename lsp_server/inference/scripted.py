"""A backend that answers from a script: for tests of everything above the model, exact to the character."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

from lsp_server.errors import BackendRejectedError
from lsp_server.inference.backend import (
    ChatRequest,
    Chunk,
    InfillRequest,
    ScoredToken,
    ScoreRequest,
    StopReason,
    Timings,
)

Reply = str | Exception


@dataclass(slots=True)
class ScriptedBackend:
    """Answers holes from ``infills`` and conversations from ``chats``, in order; the last reply is repeated.

    Attributes:
        scores: tells how likely a text is.
        infills, chats: replies; an exception is raised instead of being answered.
        pause: awaited before each piece; a test can hold an answer back with it.
        seen: every request, in order.
        fills_holes: see ``Backend.fills_holes``; without it ``infill`` is refused, as an engine would.
    """

    infills: Sequence[Reply] = ()
    chats: Sequence[Reply] = ()
    scores: Callable[[ScoreRequest], Sequence[ScoredToken]] = lambda _request: ()
    pause: Callable[[], asyncio.Future[None]] | None = None
    seen: list[InfillRequest | ChatRequest | ScoreRequest] = field(default_factory=list)
    fills_holes: bool = True
    _counts: dict[type, int] = field(default_factory=dict)

    async def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        if not self.fills_holes:
            raise BackendRejectedError("The scripted model was not trained to fill holes.")
        async for chunk in self._answer(request, self.infills, request.stop):
            yield chunk

    async def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        async for chunk in self._answer(request, self.chats, request.stop):
            yield chunk

    async def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.score``."""
        self.seen.append(request)
        for token in self.scores(request):
            if self.pause:
                await self.pause()
            yield Chunk(token.text, scored=(token,))
        yield Chunk("", StopReason.LENGTH)

    async def _answer(
        self, request: InfillRequest | ChatRequest, replies: Sequence[Reply], stop: tuple[str, ...]
    ) -> AsyncIterator[Chunk]:
        self.seen.append(request)
        number = self._counts.get(type(request), 0)
        self._counts[type(request)] = number + 1
        reply: Reply = replies[min(number, len(replies) - 1)] if replies else ""
        if isinstance(reply, Exception):
            raise reply
        cuts = [reply.index(s) for s in stop if s in reply]
        text = reply[: min(cuts)] if cuts else reply
        pieces = re.findall(r"\s*\S+|\s+$", text)
        for piece in pieces:
            if self.pause:
                await self.pause()
            yield Chunk(piece)
        reason = StopReason.STOP if cuts else StopReason.EOS
        yield Chunk("", reason, Timings(predicted_tokens=len(pieces)))
