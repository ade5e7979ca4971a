"""An engine of the benchmark's own, what is done to it, and what is seen of it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import psutil

from lsp_server.engine import crashes, runtime
from lsp_server.errors import ShardlightError
from lsp_server.inference.backend import Answer, InfillRequest, collect
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.roles import RoleBackend

HOLE = InfillRequest("def add(a, b):\n    return ", "\n", 16)
# A longer one, so that there is something to harm.
LONG = InfillRequest("# A list of the first hundred prime numbers.\nPRIMES = [", "]\n", 120)
PATIENCE_S = 60.0


@dataclass
class Fault:
    """What was done so often, and what was seen.

    Attributes:
        answered: of the requests that were going on, how many had their answer all the same.
        told: how many failed with an error for people.
        reasons: what these were told.
        other: what else came of them, which is a defect.
        next_s: seconds until the next request was answered; infinite where it was not.
    """

    name: str
    how: str
    answered: int = 0
    told: int = 0
    reasons: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    next_s: list[float] = field(default_factory=list)

    @property
    def row(self) -> str:
        """A row of the table."""
        good = sorted(one for one in self.next_s if one != float("inf"))
        middle = f"{good[len(good) // 2]:.1f} s, longest {good[-1]:.1f} s" if good else "–"
        lost = len(self.next_s) - len(good)
        counts = ((self.answered, "answered all the same"), (self.told, "told why"), (len(self.other), "otherwise"))
        seen = ", ".join(f"{n} {what}" for n, what in counts if n) or "–"
        after = f"{len(good)} of {len(self.next_s)} ({middle})" if not lost else f"**{lost} of {len(self.next_s)} not**"
        return f"| {self.name} | {self.how} | {len(self.next_s)} | {seen} | {after} |"


class Site:
    """An engine of our own, and what is done to it.

    Args:
        patience_s: how long an answer may take.
    """

    def __init__(self, spec: EngineSpec, patience_s: float = PATIENCE_S) -> None:
        self.spec = spec
        self.ended: list[str] = []
        self.backend = RoleBackend(lambda: self.spec, lambda _fraction: None, on_ended=self.ended.append)
        self.chance = random.Random(1)
        self.patience_s = patience_s

    def pid(self) -> int | None:
        """The engine's, if one runs."""
        record = runtime.read(self.spec.name)
        return record.pid if record else None

    def process(self) -> psutil.Process:
        """The engine's. Raises psutil.NoSuchProcess if none runs."""
        pid = self.pid()
        if pid is None:
            raise psutil.NoSuchProcess(-1, "engine")
        return psutil.Process(pid)

    async def suffer(self, fault: Fault, request: InfillRequest, longest_s: float, harm: Callable[[], None]) -> None:
        """Do harm at some moment of a request, and see what comes of it and of the next one."""
        going_on = asyncio.create_task(collect(self.backend.infill(request)))
        await asyncio.sleep(self.chance.uniform(0, longest_s))
        harm()
        await self.outcome(fault, going_on)
        await self.next(fault)

    async def outcome(self, fault: Fault, going_on: asyncio.Task[Answer]) -> None:
        """Note what comes of a request."""
        try:
            await asyncio.wait_for(going_on, self.patience_s)
            fault.answered += 1
        except ShardlightError as error:
            fault.told += 1
            fault.reasons.append(str(error))
        except Exception as error:
            fault.other.append(f"{type(error).__name__}: {error}")

    async def next(self, fault: Fault) -> None:
        """Ask once more, and note how long that takes."""
        start = time.monotonic()
        try:
            await asyncio.wait_for(collect(self.backend.infill(HOLE)), self.patience_s)
            fault.next_s.append(time.monotonic() - start)
        except (ShardlightError, asyncio.TimeoutError) as error:
            fault.other.append(f"then {type(error).__name__}: {error}")
            fault.next_s.append(float("inf"))

    def signal(self, number: int = signal.SIGKILL) -> None:
        """Send the engine a signal. That it has ended before is forgotten, or it would not be started for long."""
        if pid := self.pid():
            crashes.forget(self.spec.name)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)

    async def end(self) -> None:
        """Kill the engine, and wait until it is gone."""
        self.signal()
        while self.pid():  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    async def fresh(self) -> None:
        """Another engine, loaded."""
        await self.end()
        await collect(self.backend.infill(HOLE))

    def orphans(self) -> int:
        """Processes of ours that run beside the engine that is known."""
        known = self.pid()
        children = psutil.Process().children(recursive=True)
        return sum(one.pid != known and one.status() != psutil.STATUS_ZOMBIE for one in children)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """With an engine that is loaded; ended afterwards."""
        try:
            await collect(self.backend.infill(HOLE))
            yield
        finally:
            self.signal()
            await self.backend.aclose()
