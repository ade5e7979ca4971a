"""From one engine of this machine to another: whether both fit, and that the old one gives its memory back."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time

from lsp_server.engine import runtime
from lsp_server.engine.hardware import installed_library
from lsp_server.engine.loading import survey
from lsp_server.engine.neighbours import Claims, Neighbours, is_unused
from lsp_server.engine.runtime import EngineRecord
from lsp_server.errors import ModelError
from lsp_server.inference.ending import drained
from lsp_server.inference.launcher import EngineSpec
from lsp_server.models.planning.plan import Plan
from lsp_server.models.planning.planner import make_plan

# Seconds in which an engine has noticed that a connection of ours is closed.
_NOTICES_S = 1.0
_POLL_S = 0.05


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
        return Neighbours(new.name, os.getpid(), str(new.config.path)).is_better_without([record], planned)
    # The engine itself will say what is wrong with the file.
    return False


async def dismiss(old: EngineSpec) -> bool:
    """Have an engine leave that nobody has any more, and wait for it; whether it has left."""
    record = runtime.read(old.name)
    if record is None:
        return True
    if not await _is_given_up(record):
        return False
    await drained(record)
    return True


async def _is_given_up(record: EngineRecord) -> bool:
    """Whether nobody has an engine any more, also we who may have had it until now."""
    deadline = time.monotonic() + _NOTICES_S
    while not await asyncio.to_thread(is_unused, record):
        if time.monotonic() >= deadline:
            return False
        await asyncio.sleep(_POLL_S)
    return True
