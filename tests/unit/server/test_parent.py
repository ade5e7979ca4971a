from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import psutil
import pytest

from lsp_server.server import parent
from tests.support.engine import PATIENCE_S


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent, "LOOK_S", 0.01)


async def test_an_ancestor_that_ends_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    # A child stands in for the ancestor: nobody may end the tests' own.
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setattr(parent, "_is_ancestor", lambda pid: pid == process.pid)
        watch = asyncio.create_task(parent.gone(process.pid))
        await asyncio.sleep(0.1)
        assert not watch.done()
        process.kill()
        # Not collected yet: it is a zombie, and gone all the same.
        await asyncio.wait_for(watch, PATIENCE_S)


async def test_who_did_not_start_us_may_come_and_go() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        watch = asyncio.create_task(parent.gone(process.pid))
        process.kill()
    await asyncio.sleep(0.1)
    assert not watch.done()
    watch.cancel()


def test_ancestors_are_known() -> None:
    assert parent._is_ancestor(os.getppid())
    assert not parent._is_ancestor(os.getpid())


@pytest.mark.parametrize(("error", "runs"), [(psutil.NoSuchProcess(1), False), (psutil.AccessDenied(1), True)])
def test_one_that_may_not_be_looked_at_runs(error: psutil.Error, runs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pid: int) -> psutil.Process:
        raise error

    monkeypatch.setattr(psutil, "Process", refuse)
    assert parent._runs(1) is runs
