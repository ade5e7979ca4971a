"""A backend for a role, completion or assistant: has somebody answer, and goes on with another one when that fails."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from lsp_server.errors import BackendGoneError, BackendStuckError, BackendUnavailableError, ShardlightError
from lsp_server.inference.backend import Backend, ChatRequest, Chunk, InfillRequest, ScoreRequest
from lsp_server.inference.failover import Candidate, Failover
from lsp_server.inference.launcher import EngineSpec, attach
from lsp_server.inference.remote import RemoteBackend, connect
from lsp_server.inference.remote_spec import RemoteSpec
from lsp_server.inference.sources import Source


class _Attached(Backend, Protocol):
    """Somebody who answers."""

    async def load_notes(self) -> tuple[str, ...]: ...
    async def aclose(self) -> None: ...


@dataclass(eq=False)
class _Answering:
    """Who answers now, with how many requests it has under way.

    ``left``: it is to be closed when they are over.
    """

    candidate: Candidate[_Attached]
    backend: _Attached
    requests: int = 0
    left: bool = False
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    async def close_if_left(self) -> None:
        if self.left and not self.requests:
            await self.backend.aclose()
            self.closed.set()


class RoleBackend:
    """A ``Backend`` that brings its engine along, or its connection to a server elsewhere.

    The first request starts or attaches the engine; if the engine dies, that request fails and the next one starts it
    again. A request that dies before it has answered anything is tried once more, and then by whoever stands in. Those
    who are preferred are tried again beside that, and answer again when they can.

    Args:
        source: who is wanted.
        on_loading: called with the loaded fraction 0..1 while a model loads.
        on_change: called when a model can answer (True), also another one than before, when it is gone (False), and
            with the reason when none comes up.
        on_ended: called with the reason when an engine was ended since it did nothing any more.
        stand_ins: who answers while the wanted one does not, the preferred one first.
        clock, sleep: see ``Failover``.
    """

    def __init__(
        self,
        source: Source,
        on_loading: Callable[[float], None],
        on_change: Callable[[bool, str], None] = lambda _ready, _reason: None,
        on_ended: Callable[[str], None] = lambda _reason: None,
        *,
        stand_ins: Sequence[Source] = (),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._on_loading = on_loading
        self._on_change = on_change
        self._on_ended = on_ended
        attaches = [partial(self._attached, one) for one in (source, *stand_ins)]
        self._failover = Failover(attaches, clock=clock, sleep=sleep)
        self._answering: _Answering | None = None
        self._attaching: asyncio.Task[None] | None = None
        self._returning: asyncio.Task[None] | None = None
        self._successor: Callable[[], Awaitable[Backend]] | None = None
        self._fills_holes = True
        self.engine: EngineSpec | None = None
        """The engine of this machine that was attached last; None if there was none."""

    @property
    def ready(self) -> bool:
        """Whether a request would be served without waiting for a model to load."""
        return self._answering is not None

    @property
    def elsewhere(self) -> str:
        """The model and the host of the server that answers, for people; empty for an engine, and before."""
        backend = self._answering.backend if self._answering else None
        return backend.name if isinstance(backend, RemoteBackend) else ""

    @property
    def trouble(self) -> str:
        """What is wrong with the wanted one while another one stands in, for people; else empty."""
        return self._failover.trouble_before(self._answering.candidate) if self._answering else ""

    @property
    def fills_holes(self) -> bool:
        """See ``Backend.fills_holes``; what the engine said last, also while it is started again."""
        return self._fills_holes

    async def attach(self) -> None:
        """Have the engine ready.

        Raises:
            ModelError: the model is unknown, not installed or not usable.
            BackendError: the engine did not come up, or no server answers.
        """
        await self._current()

    async def load_notes(self) -> tuple[str, ...]:
        """See ``HttpBackend.load_notes``; nothing if no engine is attached."""
        return await self._answering.backend.load_notes() if self._answering else ()

    async def aclose(self) -> None:
        """Let go of the engine; it goes on without us."""
        for task in (self._attaching, self._returning):
            if task:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task
        if self._answering:
            await self._answering.backend.aclose()
            self._answering = None

    async def leave(self, successor: Callable[[], Awaitable[Backend]]) -> None:
        """As ``aclose``, when those are answered who have asked. Whoever still has this one and asks on is passed on.

        Args:
            successor: gives who answers from now on; raises ShardlightError.
        """
        self._successor = successor
        answering, self._answering = self._answering, None
        await self.aclose()
        if answering:
            answering.left = True
            await answering.close_if_left()
            await answering.closed.wait()

    def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        return self._answer(lambda backend: backend.infill(request), lambda backend: backend.fills_holes)

    def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        return self._answer(lambda backend: backend.chat(request))

    def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.score``."""
        return self._answer(lambda backend: backend.score(request))

    async def _answer(
        self,
        ask: Callable[[Backend], AsyncIterator[Chunk]],
        suits: Callable[[Backend], bool] = lambda _backend: True,
    ) -> AsyncIterator[Chunk]:
        failure: BackendUnavailableError | None = None
        # Each may have to be asked twice: it is attached anew after a first failure.
        for tries_left in reversed(range(2 * len(self._failover))):
            if self._successor:
                async with aclosing(ask(await self._successor())) as chunks:  # type: ignore[type-var]
                    async for chunk in chunks:
                        yield chunk
                return
            answering = await self._current()
            if failure and not suits(answering.backend):
                # The next request is made in the way of the one who answers now.
                raise failure
            answered = failed = False
            answering.requests += 1
            try:
                async with aclosing(ask(answering.backend)) as chunks:  # type: ignore[type-var]
                    async for chunk in chunks:
                        answered = True
                        yield chunk
                return
            except BackendUnavailableError as error:
                failed = True
                self._forget(answering, error)
                if isinstance(error, BackendStuckError):
                    self._on_ended(error.message)
                if answered or not tries_left:
                    raise
                failure = error
            finally:
                # Also one that was left early, which is how most suggestions end.
                if answered and not failed:
                    answering.candidate.breaker.succeeded()
                answering.requests -= 1
                await answering.close_if_left()

    async def _current(self) -> _Answering:
        # Again, if it has failed somebody else by the time that this one goes on.
        while self._answering is None:
            if self._attaching is None or self._attaching.done():
                self._attaching = asyncio.create_task(self._attach())
            # Several requests wait for one attempt, and one that is cancelled must not end it for the others.
            await asyncio.shield(self._attaching)
        return self._answering

    async def _attached(self, source: Source) -> _Attached:
        spec = await asyncio.to_thread(source)
        if isinstance(spec, RemoteSpec):
            return await connect(spec)
        engine = await attach(spec, self._on_loading)
        self.engine = spec
        return engine

    async def _attach(self) -> None:
        try:
            self._begin(*await self._failover.first())
        except ShardlightError as error:
            self._on_change(False, str(error))
            raise

    def _begin(self, candidate: Candidate[_Attached], backend: _Attached) -> None:
        """From now on this one answers."""
        answering = self._answering = _Answering(candidate, backend)
        self._fills_holes = backend.fills_holes
        self._on_change(True, "")
        if not self._failover.prefers(candidate):
            self._returning = asyncio.create_task(self._return(answering))

    async def _return(self, stand_in: _Answering) -> None:
        """Have one who is preferred answer again, as soon as that is possible."""
        better = await self._failover.better_than(stand_in.candidate)
        stand_in.left = True
        self._begin(*better)
        await stand_in.close_if_left()

    def _forget(self, answering: _Answering, error: BackendUnavailableError) -> None:
        """It has failed; of several requests that fail with it, the first one counts."""
        if self._answering is answering:
            self._answering, answering.left = None, True
            answering.candidate.failed(error, surely=isinstance(error, BackendGoneError))
            if self._returning:
                self._returning.cancel()
            self._on_change(False, "")
