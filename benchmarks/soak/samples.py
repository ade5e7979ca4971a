"""What processes and files take, and how fast this machine is just now."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

# Servers and all that they start have it in their environment.
MARK = "SHARDLIGHT_SOAK"


def taken(process: psutil.Process) -> dict[str, Any] | None:
    """Bytes, descriptors, threads, children and seconds of CPU of a process; None if it is gone."""
    try:
        with process.oneshot():
            if process.status() == psutil.STATUS_ZOMBIE:
                return None
            memory, cpu = process.memory_full_info(), process.cpu_times()
            return {
                "pid": process.pid,
                "rss": memory.rss,
                "pss": memory.pss,
                "uss": memory.uss,
                "descriptors": process.num_fds(),
                "threads": process.num_threads(),
                "children": len(process.children(recursive=True)),
                "cpu_s": round(cpu.user + cpu.system, 2),
                # Of those that are gone.
                "children_cpu_s": round(cpu.children_user + cpu.children_system, 2),
            }
    except psutil.Error:
        return None


def sizes(folder: Path) -> dict[str, int]:
    """Bytes of the files below a folder, by the names of those in which they are."""
    found: dict[str, int] = {}
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file():
                where = path.parent.relative_to(folder).as_posix()
                found[where] = found.get(where, 0) + path.stat().st_size
    return found


def marked(mark: str) -> Iterator[psutil.Process]:
    """Processes that have our mark, except this one."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.pid != os.getpid() and process.environ().get(MARK) == mark:
                yield process


def alive(processes: Iterable[psutil.Process]) -> list[str]:
    """What runs of some processes, in words."""
    found = []
    for process in processes:
        with suppress(psutil.Error):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
    return found


def calibration() -> float:
    """Milliseconds that a fixed piece of work takes now: pure Python, and sorting in numpy."""
    began = time.perf_counter()
    words = {}
    for number in range(40_000):
        words[f"w{number % 1000}"] = number * number % 7
    values = np.random.default_rng(7).random(100_000)
    values.sort()
    return (time.perf_counter() - began) * 1000
