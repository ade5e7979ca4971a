"""The editor's process, which may end without a word while somebody else keeps the server's input open.

The protocol has the server watch ``InitializeParams.process_id`` and leave with it.
"""

from __future__ import annotations

import asyncio

import psutil

LOOK_S = 10.0


async def gone(process_id: int, *, started_us: bool = False) -> None:
    """Return when an ancestor of this process has ended; never if it is none.

    An editor in another container has a number that means nothing here, or somebody else.

    Args:
        started_us: it is known to have been one, and may have ended already.
    """
    ancestor = await asyncio.to_thread(_ancestor, process_id)
    if ancestor is None and not started_us:
        await asyncio.Event().wait()
    while ancestor and _runs(ancestor):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_S)


def _ancestor(process_id: int) -> psutil.Process | None:
    try:
        return next((one for one in psutil.Process().parents() if one.pid == process_id), None)
    except psutil.Error:
        return None


def _runs(process: psutil.Process) -> bool:
    try:
        # One that has ended is still there until its own parent looks, and then somebody else may get its number.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
