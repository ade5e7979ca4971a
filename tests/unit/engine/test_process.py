from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lsp_server.engine import process
from lsp_server.errors import EngineStartError


async def test_it_leaves_when_there_is_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_LOOK_S", 0.0)
    server = SimpleNamespace(should_exit=False, leases=None)
    reasons = ["", "", "Nobody has asked for a while"]

    class Patience:
        def reason_to_leave(self, _service: object, _leases: object) -> str:
            assert not server.should_exit
            return reasons.pop(0)

    await process._leave_in_time(cast(Any, server), cast(Any, None), cast(Any, Patience()))

    assert server.should_exit
    assert reasons == []


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
