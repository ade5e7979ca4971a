"""Ending an engine of this machine: asked to leave when it has done what it does, or at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time

import httpx
import psutil

from lsp_server.engine.runtime import EngineRecord

logger = logging.getLogger(__name__)

# Seconds: an engine that is asked to leave finishes what it does, but is not waited for any longer than this.
DRAIN_S = 20.0
_POLL_S = 0.05


async def drained(record: EngineRecord) -> None:
    """Have an engine finish what it does and leave; one that does not is ended."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5.0, headers=record.headers) as client:
            await client.post(f"{record.url}/drain")
    except httpx.HTTPError as error:
        logger.warning("An engine could not be asked to leave: %s", error)
    if not await has_ended(record, DRAIN_S):
        end(record)


def end(record: EngineRecord) -> None:
    """End an engine at once: that very process, and nobody who has its number by now."""
    with contextlib.suppress(psutil.Error):
        if record.alive:
            record.process().kill()


async def has_ended(record: EngineRecord, within_s: float) -> bool:
    """Whether an engine ends within so many seconds. One that hangs in a driver may not, even if it is killed."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if not record.alive:
            return True
        await asyncio.sleep(_POLL_S)
    return False
