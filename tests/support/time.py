"""A time that passes only when it is told to, and waiting for what comes by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.support.engine import PATIENCE_S


async def until(condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> None:
    """Wait for something that has to come."""

    async def poll() -> None:
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process, or nobody tells
            await asyncio.sleep(0.01)

    await asyncio.wait_for(poll(), patience_s)


class Time:
    """Its ``clock`` and its ``sleep`` go together."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self._slept = asyncio.Condition()

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        awake = asyncio.Event()
        if seconds > 0:
            self._sleepers.append((self.now + seconds, awake))
            async with self._slept:
                self._slept.notify_all()
            await awake.wait()
        else:
            await asyncio.sleep(0)

    async def somebody_sleeps(self) -> None:
        """Wait until somebody does."""
        async with self._slept:
            await self._slept.wait_for(lambda: any(not awake.is_set() for _, awake in self._sleepers))

    def pass_by(self, seconds: float) -> None:
        """Let time pass, and wake whoever has slept long enough."""
        self.now += seconds
        for until, awake in self._sleepers:
            if until <= self.now:
                awake.set()
