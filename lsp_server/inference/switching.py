"""From one engine of this machine to another: whether both fit, and that the old one gives its memory back."""

from __future__ import annotations

import contextlib
import os

import httpx

from lsp_server.engine import runtime
from lsp_server.engine.hardware import installed_library
from lsp_server.engine.loading import survey
from lsp_server.engine.neighbours import Claims, Neighbours
from lsp_server.errors import ModelError
from lsp_server.inference.launcher import EngineSpec, drained
from lsp_server.models.planning.plan import Plan
from lsp_server.models.planning.planner import make_plan


def in_the_way(old: EngineSpec, new: EngineSpec) -> bool:
    """Whether the old engine has to leave for the new one to run as well as it can. May take some seconds."""
    record = runtime.read(old.name)
    if record is None or runtime.read(new.name) is not None:
        return False
    library = installed_library()

    def planned(claims: Claims) -> Plan:
        model, here = survey(new.model_path, library)
        return make_plan(model, here.beside(claims), new.config.wishes)

    with contextlib.suppress(ModelError):
        return Neighbours(new.name, os.getpid(), str(new.model_path)).is_better_without([record], planned)
    # The engine itself will say what is wrong with the file.
    return False


async def dismiss(old: EngineSpec) -> bool:
    """Have an engine leave that nobody has any more, and wait for it; whether it has left."""
    record = runtime.read(old.name)
    if record is None:
        return True
    authorization = {"Authorization": f"Bearer {record.token}"}
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5.0, headers=authorization) as client:
            props = (await client.get(f"{record.url}/props")).json()
    except (httpx.HTTPError, ValueError):
        return False
    if not (isinstance(props, dict) and props.get("unused") is True):
        return False
    await drained(record)
    return True
