"""Engines that are stopped, crash in native code, or lack memory, descriptors, disk or their model's file."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil

from benchmarks.faults.site import HOLE, LONG, Fault, Site
from lsp_server.engine import crashes
from lsp_server.errors import ShardlightError
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, collect

_PTRACE_ATTACH, _WALL = 16, 0x40000000
_LITTLE = 32 << 20
# Takes some seconds to read, so that there is time to stop a thread in it.
READING = InfillRequest("\n".join(f"def f{n}(value):\n    return value * {n}\n" for n in range(400)), "\n", 16)


async def stopped(site: Site, times: int) -> list[Fault]:
    """The whole process, by a signal."""
    busy = Fault("engine stopped at work", "`SIGSTOP` at a random moment of an answer")
    for _ in range(times):
        await site.suffer(busy, LONG, 2.0, lambda: site.signal(signal.SIGSTOP))
    idle = Fault("engine stopped while idle", "`SIGSTOP`, then a request")
    for _ in range(times):
        site.signal(signal.SIGSTOP)
        await site.next(idle)
    return [busy, idle]


async def stuck(site: Site, times: int) -> list[Fault]:
    """One thread that works in native code, as in a driver that hangs; the others go on, and answer ``/health``."""
    fault = Fault("engine stuck in native code", "a thread that reads a prompt is held by `ptrace`")
    for _ in range(times):
        going_on = asyncio.create_task(collect(site.backend.infill(READING)))
        await asyncio.sleep(1.5)
        crashes.forget(site.spec.name)
        _hold(_busiest_thread(site.process()))
        await site.outcome(fault, going_on)
        await site.next(fault)
    return [fault]


async def crashed(site: Site, times: int) -> list[Fault]:
    """A signal that native code gets by itself."""
    found = []
    for number in (signal.SIGSEGV, signal.SIGABRT):
        fault = Fault("crash in native code at work", f"`{number.name}` at a random moment of an answer")
        for _ in range(times):
            await site.suffer(fault, LONG, 2.0, lambda number=number: site.signal(number))  # type: ignore[misc]
        found.append(fault)
    return found


async def crashes_always(site: Site, times: int) -> str:
    """As a model does whose evaluation crashes. Returns a row."""
    await site.end()
    started: set[int] = set()
    told: list[str] = []
    for _ in range(times):
        going_on = asyncio.create_task(collect(site.backend.infill(LONG)))
        while not going_on.done():
            # As soon as it is loaded and at work.
            if (pid := site.pid()) and site.backend.ready and psutil.pid_exists(pid):
                started.add(pid)
                os.kill(pid, signal.SIGSEGV)
            await asyncio.sleep(0.1)
        try:
            await going_on
        except ShardlightError as error:
            told.append(error.message)
    refused = sum("ended by itself" in one for one in told)
    crashes.forget(site.spec.name)
    return (
        f"| crash at each request | `SIGSEGV` as soon as an engine is loaded | {times} requests | "
        f"{len(told)} told why, {refused} of them that it ended again and again | {len(started)} engines were started |"
    )


async def out_of_memory(site: Site, times: int) -> list[Fault]:
    """The system ends it, and it gets no more."""
    killed = Fault("out of memory at work", "a memory cgroup with room for 4 MB more: the system kills it")
    with _cgroup() as add:
        for _ in range(times):
            # One that has its second context already needs no more memory.
            await site.fresh()
            harmed = site.process().pid
            add(harmed)
            # What it has is the old group's; the second context is new memory.
            chat = site.backend.chat(ChatRequest((Message("user", "Hi"),), 16))
            await site.outcome(killed, asyncio.create_task(collect(chat)))
            if site.pid() == harmed:
                killed.other.append("it was not killed")
            await site.next(killed)
    refused = Fault("no memory for the assistant's context", "`RLIMIT_DATA` at 32 MB more than it has, then a chat")
    for _ in range(times):
        await site.fresh()
        process = site.process()
        has = process.memory_info().data
        # A thread finds room, a context does not.
        process.rlimit(psutil.RLIMIT_DATA, (has + _LITTLE, has + _LITTLE))
        chat = site.backend.chat(ChatRequest((Message("user", "Hi"),), 16))
        await site.outcome(refused, asyncio.create_task(collect(chat)))
        await site.next(refused)
    return [killed, refused]


async def no_descriptors(site: Site, times: int) -> list[Fault]:
    """Neither for the engine, nor for whoever starts it."""
    engine = Fault("engine without descriptors", "as many connections as `RLIMIT_NOFILE` allows, for 3 s")
    process = site.process()
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 20, 4096))
    (port,) = {one.laddr.port for one in process.net_connections() if one.status == psutil.CONN_LISTEN}
    for _ in range(times):
        connections = [socket.create_connection(("127.0.0.1", port)) for _ in range(60)]
        await asyncio.sleep(0.5)
        going_on = asyncio.create_task(collect(site.backend.infill(LONG)))
        await asyncio.sleep(2.5)
        for one in connections:
            one.close()
        await site.outcome(engine, going_on)
        await site.next(engine)
    client = Fault("client without descriptors", "`RLIMIT_NOFILE` at what is open, the engine killed")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for _ in range(times):
        site.signal()
        resource.setrlimit(resource.RLIMIT_NOFILE, (psutil.Process().num_fds() - 2, hard))
        try:
            await site.outcome(client, asyncio.create_task(collect(site.backend.infill(LONG))))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await site.next(client)
    return [engine, client]


async def no_disk(site: Site, times: int, state: Path) -> list[Fault]:
    """No room where the records and the log are, then room again; and a place that can only be read."""
    found = []
    for name, options, undo in (
        ("disk full at a start", "size=64k", "size=1m"),
        ("read-only home at a start", "ro", "rw,size=1m"),
    ):
        fault = Fault(name, f"a state folder of its own on a tmpfs (`{options}`), the engine killed")
        for _ in range(times):
            site.signal()
            _run("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(state))
            try:
                if "ro" not in options.split(","):
                    _fill(state)
                await site.outcome(fault, asyncio.create_task(collect(site.backend.infill(LONG))))
                _run("mount", "-o", f"remount,{undo}", str(state))
                _free(state)
                await site.next(fault)
            finally:
                site.signal()
                await site.backend.aclose()
                _run("umount", "-l", str(state))
        found.append(fault)
    return found


async def model_deleted(site: Site, times: int) -> list[Fault]:
    """The file goes while the engine has it open."""
    fault = Fault("model file deleted while loaded", "`unlink`, then a request")
    whole = site.spec
    with tempfile.TemporaryDirectory(dir=whole.model_path.resolve().parent.parent) as folder:
        for n in range(times):
            site.signal()
            path = Path(folder) / f"model{n}.gguf"
            path.hardlink_to(whole.model_path.resolve())
            site.spec = replace(whole, model_path=path)
            await collect(site.backend.infill(HOLE))
            path.unlink()
            await site.next(fault)
        site.signal()
    site.spec = whole
    return [fault]


def _busiest_thread(process: psutil.Process) -> int:
    threads = [one for one in process.threads() if one.id != process.pid]
    return max(threads, key=lambda one: one.user_time).id


def _hold(thread: int) -> None:
    """Stop one thread of another process until it ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.ptrace(_PTRACE_ATTACH, thread, None, None):
        raise OSError(ctypes.get_errno(), "ptrace is not allowed")
    os.waitpid(thread, _WALL)


@contextmanager
def _cgroup() -> Iterator[Callable[[int], object]]:
    """A memory cgroup with room for next to nothing."""
    group = Path("/sys/fs/cgroup/memory/shardlight-faults")
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text("4M")
        yield lambda pid: (group / "cgroup.procs").write_text(str(pid))
    finally:
        while members := (group / "cgroup.procs").read_text().split():
            for pid in members:
                os.kill(int(pid), signal.SIGKILL)
            time.sleep(0.1)
        group.rmdir()


def _fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def _free(folder: Path) -> None:
    (folder / "filler").unlink(missing_ok=True)


def _run(*command: str) -> None:
    subprocess.run(command, check=True)
