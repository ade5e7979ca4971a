"""Decoding beside another program that keeps a core busy."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.engine.outcome import Bar, Outcome, Setup, median, percentile, table
from benchmarks.engine.peers import Server, llama_server, ours
from benchmarks.engine.source import file_text

_N_PREDICT = 48
_BAR = 2.5


def run(setup: Setup) -> Outcome:
    """Quiet and beside a busy core, in turn; llama-server as well, for comparison."""
    with ours(setup.model) as server:
        mine = _measure(setup, server)
    rows = _rows("ours", mine)
    if setup.llama_server:
        with llama_server(setup, setup.model, 512) as server:
            rows += _rows("llama-server", _measure(setup, server))
    slower = median(mine[0]) / median(mine[1])
    bar = Bar("decode beside one busy core", f"≤ {_BAR} × quiet", f"{slower:.2f} ×", slower <= _BAR)
    return Outcome(table(["", "runs", "tok/s, median", "lowest", "× slower"], rows), [bar])


def _rows(name: str, found: tuple[list[float], list[float]]) -> list[list[object]]:
    quiet, busy = found
    return [
        [f"{name}, quiet", len(quiet), median(quiet), percentile(quiet, 0.0), 1.0],
        [f"{name}, beside a busy core", len(busy), median(busy), percentile(busy, 0.0), median(quiet) / median(busy)],
    ]


def _measure(setup: Setup, server: Server) -> tuple[list[float], list[float]]:
    """Tokens per second (quiet, beside a busy core)."""
    prefix = file_text()[:1500]
    quiet, busy = [], []
    _rate(server, prefix)
    for _ in range(setup.count(6, 2)):
        quiet.append(_rate(server, prefix))
        with busy_core():
            busy.append(_rate(server, prefix))
    return quiet, busy


def _rate(server: Server, prefix: str) -> float:
    answer = server.infill(prefix, "\n", n_predict=_N_PREDICT)
    return (answer.generated - 1) / (answer.wall_ms - answer.ttft_ms) * 1000


@contextmanager
def busy_core() -> Iterator[None]:
    """A process that does nothing but work."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        time.sleep(0.3)
        yield
    finally:
        process.kill()
        process.wait()
