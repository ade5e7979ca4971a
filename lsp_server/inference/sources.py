"""Where a role's answers come from, by the settings: a model's engine of this machine, or servers elsewhere."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial

from lsp_server.engine.hardware import detect
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.remote_spec import RemoteSpec, is_remote, remote_spec, remote_urls
from lsp_server.models.catalog import Role
from lsp_server.models.hardware import Hardware
from lsp_server.models.planning.auto import suits
from lsp_server.models.reference import ModelRef
from lsp_server.models.store import ModelStore
from lsp_server.settings.schema import Settings

Source = Callable[[], "EngineSpec | RemoteSpec"]
"""Says which engine or server is wanted; called off the event loop, since it may read files or ask for a key."""


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


def sources(settings: Settings, store: ModelStore, role: Role) -> tuple[Source, ...]:
    """Where a role's answers come from, the preferred source first: servers elsewhere, an engine of this machine."""
    urls = remote_urls(settings, role)
    servers: tuple[Source, ...] = tuple(partial(remote_spec, settings, role, url) for url in urls)
    if servers and not settings.backend.local_fallback:
        return servers
    return (*servers, partial(engine_spec, settings, store, role))
