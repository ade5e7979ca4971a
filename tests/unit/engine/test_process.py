from __future__ import annotations

import asyncio
import socket
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lsp_server.engine import process
from lsp_server.engine.service import Phase
from lsp_server.errors import EngineStartError

HOUR_S = 3600.0


class Waiting:
    """Stands in for ``asyncio.sleep``: hours pass at once, and after some of them the test says what happens."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds

    async def sleep(self, _seconds: float) -> None:
        self.rounds -= 1
        if self.rounds < 0:
            raise asyncio.CancelledError


async def leaves(
    monkeypatch: pytest.MonkeyPatch, *, phase: Phase = Phase.READY, busy: int = 0, unused_s: float, idle_s: float
) -> bool:
    """Whether an engine in this state leaves by itself."""
    server = SimpleNamespace(should_exit=False)
    service = SimpleNamespace(phase=phase, busy=busy, last_used=time.monotonic() - unused_s)
    monkeypatch.setattr(process.asyncio, "sleep", Waiting(rounds=3).sleep)
    try:
        await process._leave_when_idle(cast(Any, server), cast(Any, service), idle_s)
    except asyncio.CancelledError:
        assert not server.should_exit
    return server.should_exit


async def test_an_engine_that_nobody_uses_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await leaves(monkeypatch, unused_s=2 * HOUR_S, idle_s=HOUR_S)


@pytest.mark.parametrize(
    "state",
    [
        {"unused_s": 0.5 * HOUR_S, "idle_s": HOUR_S},
        {"unused_s": 2 * HOUR_S, "idle_s": HOUR_S, "busy": 1},
        {"unused_s": 2 * HOUR_S, "idle_s": 0.0},
        {"unused_s": 2 * HOUR_S, "idle_s": HOUR_S, "phase": Phase.LOADING},
    ],
    ids=["used lately", "busy", "told never to", "still loading"],
)
async def test_any_other_stays(monkeypatch: pytest.MonkeyPatch, state: dict[str, Any]) -> None:
    assert not await leaves(monkeypatch, **state)


@pytest.mark.parametrize(("unused_s", "expected"), [(1.0, False), (HOUR_S, True)])
async def test_after_a_failed_load_it_stays_for_a_moment_to_say_why(
    monkeypatch: pytest.MonkeyPatch, unused_s: float, expected: bool
) -> None:
    assert await leaves(monkeypatch, phase=Phase.FAILED, unused_s=unused_s, idle_s=0.0) is expected


def test_a_free_port_is_chosen_on_loopback_only() -> None:
    with process._bind(0) as listener:
        host, port = listener.getsockname()

    assert host == "127.0.0.1"
    assert port > 0


def test_who_connects_before_anything_serves_is_not_refused() -> None:
    with process._bind(0) as listener:
        socket.create_connection(listener.getsockname(), timeout=10).close()


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(EngineStartError, match=f"Port {port} ") as refused:
            process._bind(port)

    assert "engine.port" in refused.value.hint
