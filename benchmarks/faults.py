"""What becomes of requests when engines are killed, again and again.

``python -m benchmarks.faults [--kills N]`` with the small model; the table goes into ``docs/reliability.md``. All of it
happens in a folder of its own: no engine of yours is touched.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import psutil

from benchmarks.results import insert, write_markdown
from lsp_server.engine import runtime
from lsp_server.errors import ShardlightError
from lsp_server.inference.backend import InfillRequest, collect
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.roles import RoleBackend, wanted_model
from lsp_server.models.store import store_from
from lsp_server.settings.schema import Settings

MODEL = "qwen2.5-coder-0.5b"
HOLE = InfillRequest("def add(a, b):\n    return ", "\n", 16)
# A longer one, so that there is something to kill.
LONG = InfillRequest("# A list of the first hundred prime numbers.\nPRIMES = [", "]\n", 120)
PATIENCE_S = 60.0


@dataclass
class Fault:
    """What was done so often, and what was seen.

    Attributes:
        answered: of the requests that were going on, how many had their answer all the same.
        told: how many failed with an error for people.
        other: what else came of them.
        next_s: seconds until the next request was answered; infinite where it was not.
    """

    name: str
    how: str
    answered: int = 0
    told: int = 0
    other: list[str] = field(default_factory=list)
    next_s: list[float] = field(default_factory=list)

    @property
    def row(self) -> str:
        """A row of the table."""
        good = sorted(one for one in self.next_s if one < PATIENCE_S)
        middle = f"{good[len(good) // 2]:.1f} s, longest {good[-1]:.1f} s" if good else "–"
        lost = len(self.next_s) - len(good)
        seen = f"{self.answered} answered all the same, {self.told} told why" if self.answered + self.told else "–"
        if self.other:
            seen += f", {len(self.other)} otherwise: {self.other[0]}"
        after = f"{len(good)} of {len(self.next_s)} ({middle})" if not lost else f"**{lost} of {len(self.next_s)} not**"
        return f"| {self.name} | {self.how} | {len(self.next_s)} | {seen} | {after} |"


class Site:
    """An engine of our own, and what is done to it."""

    def __init__(self, spec: EngineSpec) -> None:
        self.spec = spec
        self.backend = RoleBackend(lambda: spec, lambda _fraction: None)
        self.chance = random.Random(1)

    def pid(self) -> int | None:
        """The engine's, if one runs."""
        record = runtime.read(self.spec.name)
        return record.pid if record else None

    async def suffer(self, fault: Fault, request: InfillRequest, longest_s: float, harm: Callable[[], None]) -> None:
        """Do harm at some moment of a request, and see what comes of it and of the next one."""
        going_on = asyncio.create_task(collect(self.backend.infill(request)))
        await asyncio.sleep(self.chance.uniform(0, longest_s))
        harm()
        try:
            await asyncio.wait_for(going_on, PATIENCE_S)
            fault.answered += 1
        except ShardlightError:
            fault.told += 1
        except Exception as error:
            fault.other.append(f"{type(error).__name__}: {error}")
        await self.next(fault)

    async def next(self, fault: Fault) -> None:
        """Ask once more, and note how long that takes."""
        start = time.monotonic()
        try:
            await asyncio.wait_for(collect(self.backend.infill(HOLE)), PATIENCE_S)
            fault.next_s.append(time.monotonic() - start)
        except (ShardlightError, asyncio.TimeoutError) as error:
            fault.other.append(f"then {type(error).__name__}: {error}")
            fault.next_s.append(float("inf"))

    def kill(self) -> None:
        """The engine, at once."""
        if pid := self.pid():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


async def measure(site: Site, kills: int) -> list[Fault]:
    """All faults, in order."""
    await collect(site.backend.infill(HOLE))
    rows = []
    busy = Fault("engine killed at work", "`kill -9` at a random moment of an answer")
    for _ in range(kills // 2):
        await site.suffer(busy, LONG, 3.0, site.kill)
    idle = Fault("engine killed while idle", "`kill -9`, then a request")
    for _ in range(kills // 4):
        site.kill()
        await site.next(idle)
    loading = Fault("engine killed while it loads", "`kill -9` at a random moment of its start")
    for _ in range(kills - kills // 2 - kills // 4):
        site.kill()
        await site.suffer(loading, HOLE, 2.0, site.kill)
    rows += [busy, idle, loading]
    return rows


def orphans(site: Site) -> int:
    """Processes of ours that run beside the engine that is known."""
    known = site.pid()
    children = psutil.Process().children(recursive=True)
    return sum(one.pid != known and one.status() != psutil.STATUS_ZOMBIE for one in children)


def main() -> int:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    kills = parser.parse_args().kills
    settings = Settings()
    settings = replace(settings, models=replace(settings.models, completion=MODEL))
    store = store_from(settings.models.directory, registry_mirror=False)
    model = store.locate(wanted_model(settings, store, "completion")).path
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        site = Site(EngineSpec(MODEL, model, 1024, 0, 0, 0, 5))

        async def run() -> tuple[list[Fault], int]:
            try:
                return await measure(site, kills), orphans(site)
            finally:
                site.kill()
                await site.backend.aclose()

        rows, left = asyncio.run(run())
    command = f"python -m benchmarks.faults --kills {kills}"
    lines = ["| fault | how | times | the request that was going on | the next one works |", "|---|---|---|---|---|"]
    lines += [fault.row for fault in rows]
    lines += ["", f"Processes that were left over: {left}."]
    write_markdown("faults", command, lines)
    insert("docs/reliability.md", "faults", command, lines)
    return 1 if left or any(fault.other for fault in rows) else 0


if __name__ == "__main__":
    raise SystemExit(main())
