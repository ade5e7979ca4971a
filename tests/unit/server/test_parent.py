from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from lsp_server.server import parent
from tests.support.engine import PATIENCE_S


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "LOOK_S", 0.01)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits, and is not collected before the test's end."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


async def test_an_ancestor_that_ends_is_noticed(
    child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    # It stands in for the ancestor: nobody may end the tests' own.
    monkeypatch.setattr(parent, "_ancestor", psutil.Process)
    watch = asyncio.create_task(parent.gone(child.pid))
    await asyncio.sleep(0.1)
    assert not watch.done()
    child.kill()
    await asyncio.wait_for(watch, PATIENCE_S)


async def test_who_did_not_start_us_may_come_and_go(child: subprocess.Popen[bytes]) -> None:
    watch = asyncio.create_task(parent.gone(child.pid))
    child.kill()
    await asyncio.sleep(0.1)
    assert not watch.done()
    watch.cancel()


async def test_who_started_us_may_have_ended_already(child: subprocess.Popen[bytes]) -> None:
    # It has ended before anybody could see whose child this process is.
    await asyncio.wait_for(parent.gone(child.pid, started_us=True), PATIENCE_S)


def test_ancestors_are_known() -> None:
    ancestor = parent._ancestor(os.getppid())
    assert ancestor
    assert parent._runs(ancestor)
    assert parent._ancestor(os.getpid()) is None


def test_somebody_else_with_its_number_is_not_the_ancestor() -> None:
    process = psutil.Process()
    # As psutil tells processes apart: by their number and when they were created.
    process._ident = (process.pid, 1.0)  # type: ignore[attr-defined]
    assert not parent._runs(process)


@pytest.mark.parametrize(("error", "runs"), [(psutil.NoSuchProcess(1), False), (psutil.AccessDenied(1), True)])
def test_one_that_may_not_be_looked_at_runs(error: psutil.Error, runs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_process: psutil.Process) -> str:
        raise error

    monkeypatch.setattr(psutil.Process, "status", refuse)
    assert parent._runs(psutil.Process()) is runs
