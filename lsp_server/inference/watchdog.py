"""Ends an engine that no longer does anything: one that was stopped, or hangs in a driver.

It never judges by how long an answer takes: a long prompt says nothing for minutes. It asks the engine how it is, which
tells as well whether its work has stopped (``engine/heartbeat.py``).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from lsp_server.errors import BackendStuckError, BackendUnavailableError

# How often an engine that says nothing is asked how it is, and how often in a row that may fail.
LOOK_S, MOST_MISSES = 5.0, 4


class Watchdog:
    """Looks after one engine as long as somebody waits for it, or it is not well.

    Args:
        health: asks the engine how it is; raises BackendStuckError where it does not answer, or says that it is stuck.
        end: ends its process, so that whoever waits for it sees the connection break.

    Attributes:
        ended: whether that has happened.
    """

    def __init__(self, health: Callable[[], Awaitable[object]], end: Callable[[], None]) -> None:
        self.ended = False
        self._health = health
        self._end = end
        self._waiting = 0
        self._heard_at = 0.0
        self._watch: asyncio.Task[None] | None = None

    @contextmanager
    def waits(self) -> Iterator[None]:
        """Somebody waits for an answer, for the time of a ``with``."""
        self._waiting += 1
        # It goes on when they leave: while somebody types each request is given up for the next one.
        if self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._look_after())
        try:
            yield
        finally:
            self._waiting -= 1

    def hears(self) -> None:
        """The engine has said something."""
        self._heard_at = time.monotonic()

    async def aclose(self) -> None:
        """Look after it no more."""
        if self._watch:
            self._watch.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watch

    async def _look_after(self) -> None:
        misses = 0
        while misses < MOST_MISSES:
            await asyncio.sleep(LOOK_S)
            try:
                if time.monotonic() - self._heard_at > LOOK_S:
                    await self._health()
                misses = 0
            except BackendStuckError:
                misses += 1
            except BackendUnavailableError:
                return  # It is gone, which whoever waits for it has noticed.
            if not misses and not self._waiting:
                return
        self.ended = True
        self._end()
