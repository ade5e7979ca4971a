"""The editor's process, which may end without a word while somebody else keeps the server's input open.

The protocol has the server watch ``InitializeParams.process_id`` and leave with it.
"""

from __future__ import annotations

import asyncio

import psutil

LOOK_S = 10.0


async def gone(process_id: int) -> None:
    """Return when an ancestor of this process has ended; never if it is none.

    An editor in another container has a number that means nothing here, or somebody else.
    """
    if not await asyncio.to_thread(_is_ancestor, process_id):
        await asyncio.Event().wait()
    while _runs(process_id):  # noqa: ASYNC110
        await asyncio.sleep(LOOK_S)


def _is_ancestor(process_id: int) -> bool:
    try:
        return any(one.pid == process_id for one in psutil.Process().parents())
    except psutil.Error:
        return False


def _runs(process_id: int) -> bool:
    try:
        # One that has ended is still there until its own parent looks.
        return psutil.Process(process_id).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
    except psutil.Error:
        return True
