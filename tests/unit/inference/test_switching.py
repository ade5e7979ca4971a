"""What can be said without an engine; tests/engine/test_sharing.py dismisses real ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from lsp_server.engine import runtime
from lsp_server.engine.runtime import EngineRecord
from lsp_server.inference import switching
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.switching import dismiss

SPEC = EngineSpec("small", Path("small.gguf"), 512, 0, 1, 0, 30)
RECORD = EngineRecord(1, 1.0, 9, "t", "small", "small.gguf", 512, 0, "1.0", 1.0)


@pytest.fixture
def drained(monkeypatch: pytest.MonkeyPatch) -> list[EngineRecord]:
    drained: list[EngineRecord] = []

    async def drain(record: EngineRecord) -> None:
        drained.append(record)

    monkeypatch.setattr(runtime, "read", lambda _name: RECORD)
    monkeypatch.setattr(switching, "drained", drain)
    monkeypatch.setattr(switching, "_POLL_S", 0.0)
    return drained


def says(monkeypatch: pytest.MonkeyPatch, *props: Any) -> None:
    """An engine that answers so, in order; then always the last thing again."""
    said = list(props)

    def request(_method: str, _url: str, **_options: object) -> httpx.Response:
        return httpx.Response(200, json=said.pop(0) if len(said) > 1 else said[0])

    monkeypatch.setattr(httpx, "request", request)


async def test_that_we_have_left_is_noticed_a_moment_later(
    drained: list[EngineRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, {"unused": False}, {"unused": False}, {"unused": True})
    assert await dismiss(SPEC)
    assert drained == [RECORD]


@pytest.mark.parametrize("props", [{"unused": False}, {}, []])
async def test_one_that_somebody_else_has_stays(
    props: Any, drained: list[EngineRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(switching, "_NOTICES_S", 0.01)
    says(monkeypatch, props)
    assert not await dismiss(SPEC)
    assert drained == []
