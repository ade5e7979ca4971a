"""A model file with a chat template that never ends, in a real engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lsp_server.models import blueprint
from tests.support.engine import RunningEngine, engine_spec, launch, shut_down
from tests.support.tiny import write_tiny_deepseek4

ENDLESS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"


@pytest.fixture
def hostile_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningEngine]:
    monkeypatch.setattr(blueprint, "_CHAT_TEMPLATE", ENDLESS)
    running = asyncio.run(launch(engine_spec(write_tiny_deepseek4(tmp_path))))
    yield running
    asyncio.run(shut_down(running))


async def test_suggestions_go_on_beside_a_template_without_end(hostile_engine: RunningEngine) -> None:
    hole = {"input_prefix": "def add(a, b):\n    return ", "input_suffix": "\n", "n_predict": 2}
    chat = {"messages": [{"role": "user", "content": "Hi"}]}
    async with hostile_engine.client() as client:
        assert (await client.get("/props")).json()["chat_template"] == ENDLESS
        refused = asyncio.create_task(client.post("/v1/chat/completions", json=chat))
        filled, longest = 0, 0.0
        while not refused.done():
            before = time.monotonic()
            assert (await client.post("/infill", json=hole)).status_code == 200
            longest = max(longest, time.monotonic() - before)
            filled += 1
        answer = await refused

    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_request_error")
    assert "takes too long" in answer.json()["error"]["message"]
    assert filled > 5
    assert longest < 5
    # What rendered it is gone, and nothing is left that takes a core.
    assert psutil.Process(hostile_engine.record.pid).children() == []
