"""A backend for a role, completion or assistant: finds its model, has its engine started, goes on when that dies."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Protocol

from lsp_server.engine.hardware import detect
from lsp_server.errors import BackendUnavailableError, ShardlightError
from lsp_server.inference.backend import Backend, ChatRequest, Chunk, InfillRequest, ScoreRequest
from lsp_server.inference.launcher import EngineSpec, attach
from lsp_server.inference.remote import RemoteBackend, connect
from lsp_server.inference.remote_spec import RemoteSpec, is_remote, remote_spec
from lsp_server.models.catalog import Role
from lsp_server.models.hardware import Hardware
from lsp_server.models.planning.auto import suits
from lsp_server.models.reference import ModelRef
from lsp_server.models.store import ModelStore
from lsp_server.settings.schema import Settings


def wanted_model(settings: Settings, store: ModelStore, role: Role) -> ModelRef:
    """The model that the settings name for a role; ``auto`` is resolved.

    Raises:
        UnknownModelError: the name means nothing.
    """
    name = settings.models.completion if role == "completion" else settings.models.assistant
    return store.resolve(name, role, lambda model: suits(model, role, _this_machine(), settings.engine.n_ctx))


@functools.cache
def _this_machine() -> Hardware:
    """Asked once a process: it takes a moment, and what `auto` means should not change meanwhile."""
    return detect(None)


def engine_spec(settings: Settings, store: ModelStore, role: Role) -> EngineSpec:
    """The engine for a role.

    Raises:
        ModelError: the model is unknown, not installed or not usable.
    """
    ref = wanted_model(settings, store, role)
    both = not is_remote(settings, "completion") and wanted_model(settings, store, "completion") == ref
    completes = role == "completion" or both
    engine = settings.engine
    return EngineSpec(
        model_id=ref.id,
        model_path=store.locate(ref).path,
        n_ctx=engine.n_ctx,
        n_gpu_layers=engine.n_gpu_layers,
        n_threads=engine.n_threads,
        port=engine.port,
        idle_minutes=engine.idle_minutes,
        role="completion" if completes else "assistant",
        memory_percent=engine.memory_percent,
        checkpoint_mb=engine.checkpoint_mb,
        background_percent=engine.background_percent,
    )


def source(settings: Settings, store: ModelStore, role: Role) -> EngineSpec | RemoteSpec:
    """Where a role's answers come from: a server elsewhere if the settings name one, else an engine of this machine.

    Raises:
        ModelError: as ``engine_spec`` does.
        BackendRejectedError: as ``remote_spec`` does.
    """
    return remote_spec(settings, role) if is_remote(settings, role) else engine_spec(settings, store, role)


class _Attached(Backend, Protocol):
    """Somebody who answers."""

    async def load_notes(self) -> tuple[str, ...]: ...
    async def aclose(self) -> None: ...


class RoleBackend:
    """A ``Backend`` that brings its engine along, or its connection to a server elsewhere.

    The first request starts or attaches the engine; if the engine dies, that request fails and the next one starts it
    again. A request that dies before it has answered anything is tried once more.

    Args:
        spec: says which engine or server is wanted; called off the event loop, since it may read files.
        on_loading: called with the loaded fraction 0..1 while a model loads.
        on_change: called when a model can answer (True), when its engine is gone (False), and with the reason when it
            does not come up.
    """

    def __init__(
        self,
        spec: Callable[[], EngineSpec | RemoteSpec],
        on_loading: Callable[[float], None],
        on_change: Callable[[bool, str], None] = lambda _ready, _reason: None,
    ) -> None:
        self._spec = spec
        self._on_loading = on_loading
        self._on_change = on_change
        self._attached: _Attached | None = None
        self._attaching: asyncio.Task[_Attached] | None = None
        self._fills_holes = True

    @property
    def ready(self) -> bool:
        """Whether a request would be served without waiting for a model to load."""
        return self._attached is not None

    @property
    def elsewhere(self) -> str:
        """The model and the host of the server that answers, for people; empty for an engine, and before."""
        return self._attached.name if isinstance(self._attached, RemoteBackend) else ""

    @property
    def fills_holes(self) -> bool:
        """See ``Backend.fills_holes``; what the engine said last, also while it is started again."""
        return self._fills_holes

    async def attach(self) -> None:
        """Have the engine ready.

        Raises:
            ModelError: the model is unknown, not installed or not usable.
            BackendError: the engine did not come up, or the server does not answer.
        """
        await self._backend()

    async def load_notes(self) -> tuple[str, ...]:
        """See ``HttpBackend.load_notes``; nothing if no engine is attached."""
        return await self._attached.load_notes() if self._attached else ()

    async def aclose(self) -> None:
        """Let go of the engine; it goes on without us."""
        if self._attaching:
            self._attaching.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._attaching
        if self._attached:
            await self._attached.aclose()
            self._attached = None

    def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        return self._answer(lambda backend: backend.infill(request))

    def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        return self._answer(lambda backend: backend.chat(request))

    def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.score``."""
        return self._answer(lambda backend: backend.score(request))

    async def _answer(self, ask: Callable[[_Attached], AsyncIterator[Chunk]]) -> AsyncIterator[Chunk]:
        for last_try in (False, True):
            backend = await self._backend()
            answered = False
            try:
                async with aclosing(ask(backend)) as chunks:  # type: ignore[type-var]
                    async for chunk in chunks:
                        answered = True
                        yield chunk
                return
            except BackendUnavailableError:
                await self._forget(backend)
                if answered or last_try:
                    raise

    async def _backend(self) -> _Attached:
        if self._attached:
            return self._attached
        if self._attaching is None or self._attaching.done():
            self._attaching = asyncio.create_task(self._attach())
        # Several requests wait for one attempt, and one that is cancelled must not end it for the others.
        return await asyncio.shield(self._attaching)

    async def _attach(self) -> _Attached:
        try:
            spec = await asyncio.to_thread(self._spec)
            if isinstance(spec, RemoteSpec):
                self._attached = await connect(spec)
            else:
                self._attached = await attach(spec, self._on_loading)
        except ShardlightError as error:
            self._on_change(False, str(error))
            raise
        self._fills_holes = self._attached.fills_holes
        self._on_change(True, "")
        return self._attached

    async def _forget(self, backend: _Attached) -> None:
        if self._attached is backend:
            self._attached = None
            self._on_change(False, "")
            await backend.aclose()
