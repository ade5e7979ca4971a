"""The use itself: windows with people at them, an engine that is killed now and then, and a look at all of it."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil

from benchmarks.soak import samples
from benchmarks.soak.person import Person
from benchmarks.soak.record import Record
from benchmarks.soak.window import Window
from lsp_server import own_python
from lsp_server.engine import runtime

MODEL = "qwen2.5-coder-0.5b"
SETTINGS: dict[str, Any] = {"models": {"completion": MODEL, "assistant": MODEL}}
# Packages that are there wherever this runs, as workspaces.
_PACKAGES = ("rich", "jinja2")
# Cores; what people at work take of a machine on average, so that others can work on it, too.
_SHARE = 0.35
_GUEST_EVERY_S, _GUEST_STAYS_S = 600.0, 180.0
_PROBE = (
    'def mean(values):\n    """The arithmetic mean; {} for no values."""\n    if not values:\n        return 0.0\n    '
)
_LEAVING_S = 20.0
_LONGEST_PAUSE_S = 120.0


@dataclass
class Use:
    """All of it.

    Attributes:
        folder: of our own: workspaces, caches, states.
        kill_every_s: an engine is killed in the middle of each of these spans.
        factor: by how much people slow down, so that all of it takes no more than its share.
        engines: processes that were seen, by pid.
    """

    folder: Path
    record: Record
    seed: int
    minutes: int
    kill_every_s: float
    factor: float = 4.0
    windows: dict[str, Window] = field(default_factory=dict)
    engines: dict[int, psutil.Process] = field(default_factory=dict)
    seen: dict[int, psutil.Process] = field(default_factory=dict)
    killed: set[int] = field(default_factory=set)
    gone: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._began = time.monotonic()
        self._used = 0.0
        caches = {f"XDG_{name}_HOME": str(self.folder / name.lower()) for name in ("STATE", "CACHE", "CONFIG")}
        # This process looks for engines where the servers leave word of them.
        os.environ.update(caches)
        self._env = {**os.environ, samples.MARK: str(self.folder)}

    def over(self) -> bool:
        """Whether it is time to end."""
        return time.monotonic() - self._began >= self.minutes * 60

    async def pause(self, seconds: float) -> None:
        """What a person waits."""
        left = self._began + self.minutes * 60 - time.monotonic()
        await asyncio.sleep(max(0.0, min(seconds * self.factor, _LONGEST_PAUSE_S, left)))

    async def run(self) -> None:
        """From the first window to the last process."""
        self.record.start(
            seed=self.seed,
            minutes=self.minutes,
            kill_every_s=self.kill_every_s,
            server=self._which(),
            cores=os.cpu_count(),
        )
        roots = [self._workspace(name) for name in _PACKAGES]
        beside = [asyncio.create_task(self._guests(roots[0])), asyncio.create_task(self._kills())]
        try:
            await asyncio.gather(
                self._stay("inline", roots[0], popups=False, watches=True),
                self._stay("popups", roots[1], popups=True, watches=False),
                self._look(),
            )
        finally:
            for task in beside:
                task.cancel()
            await asyncio.wait(beside)
            await self._end()

    def _which(self) -> str:
        """The package that our processes import, which may be another one than this process has."""
        command = [sys.executable, "-c", "import lsp_server; print(lsp_server.__file__)"]
        done = subprocess.run(
            command, cwd=own_python.FOLDER, env=self._env, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout.strip()

    def _workspace(self, package: str) -> Path:
        """A copy of an installed package."""
        found = importlib.util.find_spec(package)
        assert found  # noqa: S101 - what we depend on is installed
        assert found.origin  # noqa: S101
        root = self.folder / "work" / package
        shutil.copytree(Path(found.origin).parent, root / package, ignore=shutil.ignore_patterns("__pycache__"))
        (root / "probe.py").write_text(_PROBE, encoding="utf-8")
        return root

    async def _stay(self, name: str, root: Path, *, popups: bool, watches: bool) -> None:
        """A window that is open all the time; one that is lost is opened again, and counted."""
        number = 0
        while not self.over():
            number += 1
            await self._visit(name, root, f"{self.seed} {name} {number}", self.over, popups=popups, watches=watches)

    async def _guests(self, root: Path) -> None:
        """Another window on a folder that is open already, now and then; every third one just vanishes."""
        number = 0
        every = min(_GUEST_EVERY_S, self.minutes * 20.0)
        while not self.over():
            await asyncio.sleep(every / 2)
            if self.over():
                return
            number += 1
            leaves = time.monotonic() + min(_GUEST_STAYS_S, every / 2)

            def left(leaves: float = leaves) -> bool:
                return time.monotonic() >= leaves or self.over()

            seed = f"{self.seed} guest {number}"
            await self._visit("guest", root, seed, left, popups=False, watches=True, rudely=number % 3 == 0)
            await asyncio.sleep(max(0.0, every / 2 - _GUEST_STAYS_S / 4))

    async def _visit(
        self,
        name: str,
        root: Path,
        seed: str,
        until: Callable[[], bool],
        *,
        popups: bool,
        watches: bool,
        rudely: bool = False,
    ) -> None:
        window = Window(root, self.record, popups=popups, watches=watches)
        try:
            await window.start(self._env, SETTINGS)
            self.windows[name] = window
            self.seen[window.server.pid] = window.server
            self.record.event("window opened", name=name, pid=window.server.pid)
            await Person(window, SETTINGS, random.Random(seed), self.record, self.pause).live(until)
        except Exception:
            self.record.event("lost", name=name, text=traceback.format_exc()[-2000:])
            await asyncio.sleep(5.0)
        finally:
            self.windows.pop(name, None)
            try:
                await window.leave(rudely=rudely)
                self.record.event("window closed", name=name, rudely=rudely)
            except Exception:
                self.record.event("did not end", name=name, text=traceback.format_exc()[-2000:])

    async def _kills(self) -> None:
        """An engine in the middle of each span, at whatever it is just then."""
        rng = random.Random(f"{self.seed} kills")
        middle = self._began + self.kill_every_s * 0.5
        while not self.over():
            await asyncio.sleep(max(0.0, middle - time.monotonic()) + rng.uniform(0.0, 20.0))
            middle += self.kill_every_s
            for engine in runtime.all_running() if not self.over() else ():
                self.killed.add(engine.pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(engine.pid, signal.SIGKILL)
                self.record.event("engine killed", pid=engine.pid)

    async def _look(self) -> None:
        """Take down what it is like, minute by minute."""
        with ProcessPoolExecutor(1, get_context("spawn")) as other:
            loop = asyncio.get_running_loop()
            minute, last = 0, time.monotonic()
            times: list[float] = []
            while not self.over():
                await asyncio.sleep(3.0)
                times.append(round(await loop.run_in_executor(other, samples.calibration), 3))
                self._note_engines()
                now = time.monotonic()
                if now - last >= 60.0:
                    minute += 1
                    await self._probe(minute)
                    self._minute(minute, now - last, times)
                    times, last = [], now

    def _note_engines(self) -> None:
        """See which engines there are; one that is gone and was not killed here is told."""
        running = {record.pid for record in runtime.all_running()}
        for pid in running - self.engines.keys():
            with contextlib.suppress(psutil.NoSuchProcess):
                self.engines[pid] = self.seen[pid] = psutil.Process(pid)
                self.record.event("engine seen", pid=pid)
        for pid in self.engines.keys() - running - self.gone:
            self.gone.add(pid)
            if pid not in self.killed:
                self.record.event("engine gone, not by us", pid=pid)
        for process in (*self.engines.values(), *(window.server for window in self.windows.values())):
            with contextlib.suppress(psutil.Error):
                self.seen.update({child.pid: child for child in process.children(recursive=True)})

    async def _probe(self, minute: int) -> None:
        """The same requests each minute, in a document that nobody else touches."""
        for name, window in list(self.windows.items()):
            if name == "guest":
                continue
            with contextlib.suppress(Exception):
                text = _PROBE.format(minute)
                uri = window.open(window.root / "probe.py", text)
                for _ in range(5):
                    at = window.at(uri, 6)
                    await window.list_at(uri, at, "probe: list of actions")
                await window.suggestion(uri, len(text), "probe", invoked=True)
                window.close(uri)

    def _minute(self, minute: int, seconds: float, times: list[float]) -> None:
        processes = {name: samples.taken(window.server) for name, window in self.windows.items()}
        alive = self.engines.keys() - self.gone
        processes |= {f"engine {i}": samples.taken(self.engines[pid]) for i, pid in enumerate(sorted(alive))}
        processes["ourselves"] = samples.taken(psutil.Process())
        share = self._share(processes, seconds)
        self.factor = min(max(self.factor * min(max(share / _SHARE, 0.5), 2.0), 0.3), 30.0)
        self.record.minute(
            minute=minute,
            seconds=round(seconds, 1),
            processes=processes,
            files={name: samples.sizes(self.folder / name) for name in ("state", "cache")},
            calibration_ms=times,
            cores=round(share, 3),
            factor=round(self.factor, 2),
        )

    def _share(self, processes: dict[str, dict[str, Any] | None], seconds: float) -> float:
        """Cores that were used since the last look."""
        used = {one["pid"]: one["cpu_s"] + one["children_cpu_s"] for one in processes.values() if one}
        # Children that have ended are in our own figures; those that run are counted by themselves.
        if own := processes.get("ourselves"):
            used[own["pid"]] = own["cpu_s"]
        # An engine that was killed is counted with whoever started it as soon as it is collected.
        before, self._used = self._used, float(sum(used.values()))
        return max(0.0, self._used - before) / seconds

    async def _end(self) -> None:
        """End the engines as a user does, and look for what is left."""
        for record in runtime.all_running():
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, signal.SIGTERM)
        deadline = time.monotonic() + _LEAVING_S
        left = self._left()
        while left and time.monotonic() < deadline:
            await asyncio.sleep(0.5)
            left = self._left()
        # Those that ended and that nobody has collected.
        children = psutil.Process().children(recursive=True)
        zombies = sum(child.status() == psutil.STATUS_ZOMBIE for child in children)
        self.record.end(left=left, zombies=zombies, processes_seen=len(self.seen), engines_seen=len(self.engines))
        for process in (*self.seen.values(), *samples.marked(str(self.folder))):
            with contextlib.suppress(psutil.Error):
                process.kill()

    def _left(self) -> list[str]:
        return samples.alive({**self.seen, **{one.pid: one for one in samples.marked(str(self.folder))}}.values())
