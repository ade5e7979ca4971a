"""What becomes of requests when a real engine is harmed. ``benchmarks/faults`` does the same more often, and slower."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from lsp_server.engine import crashes, runtime
from lsp_server.errors import BackendError, EngineStartError
from lsp_server.inference import http, watchdog
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, collect
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.roles import RoleBackend
from tests.support.engine import PATIENCE_S, engine_spec

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(sys.platform != "linux", reason="signals and limits are sent and set as Linux has them"),
]

# A first engine is tried out before it is loaded, on a machine that is measured first.
LONG_S = 6 * PATIENCE_S
HOLE = InfillRequest("def add(a, b):\n    return ", "\n", 4)
QUESTION = ChatRequest((Message("user", "Hi"),), 8)
ENDLESS = ChatRequest((Message("user", "Hi"),), 400, grammar="root ::= [a-z ] root")


@dataclass
class Site:
    """An engine of a test's own, and a client that has it."""

    spec: EngineSpec
    ended: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.backend = RoleBackend(lambda: self.spec, lambda _fraction: None, on_ended=self.ended.append)

    def process(self) -> psutil.Process:
        record = runtime.read(self.spec.name)
        assert record
        return psutil.Process(record.pid)

    def hit(self, number: int) -> int | None:
        """Send the engine a signal, if there is one; its pid."""
        record = runtime.read(self.spec.name)
        if record:
            with contextlib.suppress(ProcessLookupError):
                os.kill(record.pid, number)
        return record.pid if record else None

    async def answers(self) -> None:
        """Fails if the next request is not answered."""
        assert (await asyncio.wait_for(collect(self.backend.infill(HOLE)), LONG_S)).text

    async def end(self) -> None:
        """Nothing is left of it."""
        await self.backend.aclose()
        if record := runtime.read(self.spec.name):
            process = psutil.Process(record.pid)
            process.kill()
            await asyncio.to_thread(process.wait, PATIENCE_S)


@pytest.fixture
async def site(small_model: Path) -> AsyncIterator[Site]:
    site = Site(engine_spec(small_model, n_ctx=515))
    crashes.forget(site.spec.name)
    yield site
    await site.end()


def engine_processes() -> set[int]:
    """Processes that this one has started and that still run."""
    children = psutil.Process().children()
    return {child.pid for child in children if child.status() != psutil.STATUS_ZOMBIE}


async def test_kills_at_work_and_while_loading(site: Site) -> None:
    before = engine_processes()
    for n in range(5):
        await site.answers()
        asking = asyncio.create_task(collect(site.backend.chat(ENDLESS)))
        await asyncio.sleep(0.2 * n)
        # One that had said nothing yet is asked again: of an engine that is killed while it loads.
        while not asking.done():
            site.hit(signal.SIGKILL)
            await asyncio.sleep(0.05)
        assert isinstance(asking.exception(), BackendError)
        # Else it would rest, as the next test has it.
        crashes.forget(site.spec.name)
    await site.answers()
    assert engine_processes() - before == {site.process().pid}


async def test_a_crash_at_each_request_starts_no_engine_for_ever(site: Site) -> None:
    started: set[int | None] = set()
    for _ in range(4):
        asking = asyncio.create_task(collect(site.backend.chat(ENDLESS)))
        while not asking.done():
            if site.backend.ready:
                started.add(site.hit(signal.SIGSEGV))
            await asyncio.sleep(0.05)
        told = asking.exception()
        assert isinstance(told, BackendError)

    assert len(started - {None}) == crashes.MOST
    assert isinstance(told, EngineStartError)
    assert "has ended by itself 3 times in a row (Segmentation fault)" in told.message
    crashes.forget(site.spec.name)
    await site.answers()


async def test_one_that_is_stopped_is_ended_and_another_one_answers(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watchdog, "LOOK_S", 0.1)
    monkeypatch.setattr(http, "_HEALTH_S", 0.5)
    await site.answers()
    stopped = site.process()
    stopped.suspend()

    await site.answers()

    assert site.process().pid != stopped.pid
    assert site.ended == ["The engine did nothing any more and was ended."]


async def test_without_memory_for_a_second_context_the_first_one_serves_on(site: Site) -> None:
    await site.answers()
    process = site.process()
    room = process.memory_info().data + (32 << 20)
    process.rlimit(psutil.RLIMIT_DATA, (room, room))
    with pytest.raises(BackendError, match="not enough memory for a context"):
        await collect(site.backend.chat(QUESTION))
    await site.answers()
    assert site.process().pid == process.pid


async def test_without_descriptors_requests_wait_and_come_through(site: Site) -> None:
    await site.answers()
    process = site.process()
    (port,) = {one.laddr.port for one in process.net_connections() if one.status == psutil.CONN_LISTEN}
    process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 5, 4096))
    crowd = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    asking = asyncio.create_task(site.answers())
    await asyncio.sleep(0.5)
    for one in crowd:
        one.close()
    await asking
    await site.answers()
    assert site.process().pid == process.pid


@pytest.fixture
def linked_model(small_model: Path, tmp_path: Path) -> Path:
    """The small model by another name."""
    path = tmp_path / "model.gguf"
    try:
        path.hardlink_to(small_model.resolve())
    except OSError:
        pytest.skip("the model is on another file system")
    return path


async def test_a_model_whose_file_is_deleted_serves_on(linked_model: Path) -> None:
    site = Site(engine_spec(linked_model, n_ctx=516))
    try:
        await site.answers()
        await asyncio.to_thread(linked_model.unlink)
        await site.answers()
    finally:
        await site.end()
