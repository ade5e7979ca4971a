"""What commands have in common that ask a model: which engine, and what is shown while it loads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from lsp_server.inference.http import HttpBackend
from lsp_server.inference.launcher import EngineSpec, attach
from lsp_server.inference.sources import engine_spec
from lsp_server.models.catalog import Role
from lsp_server.models.store import store_from
from lsp_server.settings.schema import Settings


def spec_of(name: str, settings: Settings, role: Role) -> EngineSpec:
    """The engine for a model by its name, as editors would start it; ``auto`` is what the settings say of the role.

    Raises:
        ModelError: the model is unknown, not installed or not usable.
    """
    models = settings.models
    if name != "auto":
        models = replace(models, completion=name) if role == "completion" else replace(models, assistant=name)
    store = store_from(models.directory, registry_mirror=models.registry_mirror)
    return engine_spec(replace(settings, models=models), store, role)


def progress() -> Progress:
    """A line with a bar and a figure, on stderr: stdout is for the outcome. Nothing where stderr is no terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[figure]}"))
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


@asynccontextmanager
async def engine(spec: EngineSpec, shown: Progress) -> AsyncIterator[HttpBackend]:
    """A backend of the engine that editors use, started if none runs; its loading is shown.

    Raises:
        EngineStartError: it does not come up.
    """
    task = shown.add_task(f"Loading {spec.model_id}", total=1.0, figure="")
    try:
        backend = await attach(spec, lambda fraction: shown.update(task, completed=fraction))
    finally:
        shown.remove_task(task)
    try:
        yield backend
    finally:
        await backend.aclose()
