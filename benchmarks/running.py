"""Running benchmarks one after the other: each in a process of its own, with what it says kept in a file."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.areas import PEERS, Area
from benchmarks.results import BARS_MISSED, QUICK

_PATIENCE_S = 60.0
_LAST_LINES = 12

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """How areas are run.

    Attributes:
        quick: whether figures matter less than that all of it runs.
        commit: of the code.
        results: the folder in which results are.
        logs: the folder for what the benchmarks say, and for what has been run.
        lacking: of an area, what it needs and is not here; empty if it can run.
        peers: programs and folders of the peers that are here, by name.
        say: takes a line for the user.
    """

    quick: bool
    commit: str
    results: Path
    logs: Path
    lacking: Callable[[Area], str]
    peers: Mapping[str, Path]
    say: Say

    def arguments(self, area: Area) -> tuple[str, ...] | None:
        """What the area's module is given; None if it has no quick run and this is one."""
        arguments = area.quick if self.quick else area.full
        if arguments is None:
            return None
        named = ((PEERS[peer], str(self.peers[peer])) for peer in _peers(area) if peer in self.peers)
        return (*arguments, *(word for pair in named for word in pair))

    def is_done(self, area: Area) -> bool:
        """Whether the area was run on this commit and its results are still there."""
        there = all((self.results / f"{name}.json").is_file() for name in area.results)
        return there and self._done().get(area.name) == self.commit

    def finished(self, area: Area) -> None:
        """Remember that it was run."""
        self._file().write_text(json.dumps({**self._done(), area.name: self.commit}), encoding="utf-8")

    def _done(self) -> dict[str, str]:
        try:
            found: dict[str, str] = json.loads(self._file().read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found

    def _file(self) -> Path:
        return self.logs / f"done-{'quick' if self.quick else 'full'}.json"


def _peers(area: Area) -> Iterable[str]:
    return (peer for peer in (*area.needs, *area.beside) if peer in PEERS)


def run_all(run: Run, areas: Sequence[Area], *, again: bool = False) -> list[str]:
    """Run them in turn. What could not be run is left out, what fails does not keep the others.

    Returns:
        The names of those that failed.

    Raises:
        KeyboardInterrupt: as soon as the one that was being run has ended.
    """
    run.logs.mkdir(parents=True, exist_ok=True)
    begun, failed = time.monotonic(), []
    for number, area in enumerate(areas, start=1):
        place = f"[{number} of {len(areas)}, {_clock(time.monotonic() - begun)}] {area.name}"
        arguments = run.arguments(area)
        if arguments is None:
            run.say(f"{place}: only in a full run")
        elif lack := run.lacking(area):
            run.say(f"{place}: left out, {lack}")
        elif not again and run.is_done(area):
            run.say(f"{place}: has results of this commit")
        else:
            run.say(f"{place} …, about {area.minutes[0 if run.quick else 1]:g} min")
            since = time.monotonic()
            code = _run(run, area, arguments)
            took = _clock(time.monotonic() - since)
            if code in (0, BARS_MISSED):
                run.finished(area)
                run.say(f"    {took}" + (", a bar is not met" if code else ""))
            else:
                failed.append(area.name)
                run.say(f"    failed after {took} with exit code {code}; the end of {_log(run, area)}:")
                run.say("\n".join(f"    {line}" for line in _last_lines(_log(run, area))))
    return failed


def _run(run: Run, area: Area, arguments: Sequence[str]) -> int:
    environ = {**os.environ, QUICK: "1"} if run.quick else os.environ
    command = [sys.executable, "-m", area.module, *arguments]
    with _log(run, area).open("w", encoding="utf-8") as log:
        # Not of our group: Ctrl-C is passed on once, so that nothing breaks off its tidying up.
        process = subprocess.Popen(
            command, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            return process.wait()
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Have it end by itself, and make it, if it does not; then what it has left behind."""
    if sys.platform == "win32":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_PATIENCE_S)
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _log(run: Run, area: Area) -> Path:
    return run.logs / f"{area.name}.log"


def _last_lines(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-_LAST_LINES:]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
