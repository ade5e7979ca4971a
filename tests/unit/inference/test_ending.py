from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import psutil
import pytest

from lsp_server.engine import runtime
from lsp_server.engine.runtime import EngineRecord
from lsp_server.inference import ending
from lsp_server.inference.ending import drained, end, has_ended


def record_of(pid: int) -> EngineRecord:
    """Of a process that listens nowhere."""
    created = runtime.creation(psutil.Process(pid))
    return EngineRecord(pid, created[0], 9, "t", "small", "small.gguf", 512, 0, "1.0", created[1])


def waits() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)


def test_nobody_else_is_ended_who_has_its_number_by_now() -> None:
    with waits() as process:
        record = record_of(process.pid)
        end(replace(record, started=record.started - 100, after_boot=record.after_boot - 100))
        assert process.poll() is None
        process.kill()


async def test_one_that_cannot_be_asked_to_leave_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ending, "DRAIN_S", 0.01)
    with waits() as process:
        record = record_of(process.pid)
        assert not await has_ended(record, 0.01)
        await drained(record)
        assert process.wait() != 0
        assert await has_ended(record, 0.01)
