"""What can be said without a model; tests/engine/test_lifecycle.py starts real engines."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from filelock import FileLock

from lsp_server.engine import crashes, runtime
from lsp_server.engine.runtime import EngineRecord
from lsp_server.errors import EngineStartError
from lsp_server.inference import http, launcher
from lsp_server.inference.launcher import EngineSpec, attach
from tests.support.engine import PATIENCE_S

SPEC = EngineSpec("small", Path("small.gguf"), 512, 0, 1, 0, 30)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "user_state_path", lambda name, appauthor: tmp_path / name)


class Spawned:
    """Stands in for the engine's program: runs a line of Python that writes to the engine's log."""

    def __init__(self) -> None:
        self.code = "pass"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.called = asyncio.Event()

    def __call__(self, spec: EngineSpec) -> subprocess.Popen[bytes]:
        with runtime.log_path(spec.name).open("wb") as log:
            process = subprocess.Popen([sys.executable, "-c", self.code], stdin=subprocess.PIPE, stderr=log)
        self.processes.append(process)
        self.called.set()
        return process


@pytest.fixture
def spawned(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spawned]:
    spawned = Spawned()
    monkeypatch.setattr(launcher, "_spawn", spawned)
    yield spawned
    for process in spawned.processes:
        process.kill()
        process.communicate()


WAITS = "input()"


@pytest.mark.parametrize(
    ("log", "reason"),
    [
        ("INFO noise\nshardlight: Port 1 is taken.\n  Set another one.\n", "Port 1 is taken. Set another one."),
        ("Traceback:\n  File\nZeroDivisionError: by zero\n", "ZeroDivisionError: by zero"),
        ("", "it left no log."),
    ],
)
async def test_a_process_that_ends_at_once_leaves_its_reason(spawned: Spawned, log: str, reason: str) -> None:
    spawned.code = f"import sys; sys.stderr.write({log!r})"

    with pytest.raises(EngineStartError) as failed:
        await attach(SPEC)

    assert failed.value.message == f"The engine process ended at once: {reason}"


async def test_a_state_folder_that_cannot_be_written(
    spawned: Spawned, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("", encoding="utf-8")
    monkeypatch.setattr(runtime, "user_state_path", lambda _name, appauthor: in_the_way)

    with pytest.raises(EngineStartError, match=r"cannot be started: .*file") as failed:
        await attach(SPEC)

    assert "XDG_STATE_HOME" in failed.value.hint
    assert spawned.processes == []


async def test_a_process_that_never_listens_is_ended(spawned: Spawned, monkeypatch: pytest.MonkeyPatch) -> None:
    spawned.code = WAITS
    monkeypatch.setattr(launcher, "_START_TIMEOUT_S", 0.1)

    with pytest.raises(EngineStartError, match="did not start to listen"):
        await attach(SPEC)

    assert spawned.processes[0].wait(timeout=10) != 0


async def test_a_start_that_is_cancelled_leaves_no_process(spawned: Spawned) -> None:
    spawned.code = WAITS
    starting = asyncio.create_task(attach(SPEC))
    await spawned.called.wait()

    starting.cancel()
    await asyncio.wait({starting})

    assert starting.cancelled()
    assert spawned.processes[0].wait(timeout=10) != 0


async def test_a_start_by_somebody_else_that_takes_too_long(spawned: Spawned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "_START_TIMEOUT_S", 0.1)

    with (
        FileLock(str(runtime.runtime_directory() / f"{SPEC.name}.lock")),
        pytest.raises(EngineStartError, match="Another program"),
    ):
        await attach(SPEC)

    assert spawned.processes == []


def record_of(pid: int) -> EngineRecord:
    """Of a process that listens nowhere."""
    created = runtime.creation(psutil.Process(pid))
    return EngineRecord(pid, created[0], 9, "t", "small", "small.gguf", 512, 0, "1.0", created[1])


async def test_an_engine_that_is_just_ending_is_replaced(spawned: Spawned) -> None:
    """Its record is there as long as its process is, and nobody listens any more."""
    spawned.code = "import sys; sys.stderr.write('It is another one.')"
    ending = await asyncio.create_subprocess_exec(sys.executable, "-c", "import time; time.sleep(60)")
    runtime.write(SPEC.name, record_of(ending.pid))
    attaching = asyncio.create_task(attach(SPEC))
    await asyncio.sleep(0.3)
    assert not attaching.done()
    assert spawned.processes == []
    ending.kill()
    await ending.wait()
    with pytest.raises(EngineStartError, match="another one"):
        await attaching
    assert len(spawned.processes) == 1


async def test_an_engine_that_runs_but_does_not_answer(spawned: Spawned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its record names this very process and a port on which nobody listens."""
    monkeypatch.setattr(launcher, "_LEAVING_S", 0.2)
    runtime.write(SPEC.name, record_of(os.getpid()))

    with pytest.raises(EngineStartError, match=r"small could not be started: .*does not answer") as failed:
        await attach(SPEC)

    assert str(runtime.log_path(SPEC.name)) in failed.value.hint
    assert spawned.processes == []


async def test_one_that_is_stuck_is_ended_and_replaced(spawned: Spawned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process takes connections and says nothing, as one that was stopped."""
    monkeypatch.setattr(http, "_HEALTH_S", 0.05)
    monkeypatch.setattr(launcher, "_LOOK_S", 0.01)
    spawned.code = "import sys; sys.stderr.write('It is another one.')"
    serves = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", serves, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    port = int(await process.stdout.readline())
    runtime.write(SPEC.name, replace(record_of(process.pid), port=port))
    with pytest.raises(EngineStartError, match="another one"):
        await attach(SPEC)
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == -signal.SIGKILL
    assert len(spawned.processes) == 1


async def test_one_that_crashes_again_and_again_is_not_started(spawned: Spawned) -> None:
    for _ in range(3):
        crashes.begun(SPEC.name)
    runtime.log_path(SPEC.name).write_text("Fatal Python error: Aborted\n", encoding="utf-8")
    with pytest.raises(EngineStartError, match=r"small has ended by itself 3 times in a row \(Aborted\)") as failed:
        await attach(SPEC)
    assert "rests for 30 minutes" in failed.value.hint
    assert spawned.processes == []
    runtime.log_path(SPEC.name).write_text("", encoding="utf-8")
    with pytest.raises(EngineStartError, match="maybe for want of memory"):
        await attach(SPEC)


@pytest.mark.parametrize(
    ("number", "way_out"),
    [
        (errno.EMFILE, "restarting the editor"),
        (errno.EAGAIN, "no room for another process"),
        (errno.ENOSPC, "The disk is full"),
        (errno.EROFS, "XDG_STATE_HOME"),
    ],
)
async def test_what_the_system_lacks(number: int, way_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_spec: EngineSpec) -> subprocess.Popen[bytes]:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(launcher, "_spawn", fail)
    with pytest.raises(EngineStartError) as failed:
        await attach(SPEC)
    assert way_out in failed.value.hint


async def test_a_full_disk_is_why_there_is_no_log(spawned: Spawned, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: SimpleNamespace(free=0))
    with pytest.raises(EngineStartError, match="ended at once: the disk is full"):
        await attach(SPEC)
