"""What ``shardlight status`` shows of a real engine."""

from __future__ import annotations

import json

import httpx
import pytest

from lsp_server.cli.main import main
from lsp_server.inference.watching import facts, look
from tests.support.engine import RunningEngine

pytestmark = pytest.mark.real_model


async def test_what_was_asked_is_in_the_figures(
    engine: RunningEngine, client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
) -> None:
    before = look(engine.record)
    body = {"input_prefix": "def add(a, b):\n    return ", "input_suffix": "\n", "n_predict": 8}
    assert (await client.post("/infill", json=body)).status_code == 200
    now = look(engine.record)
    told = facts(engine.record, now, before)

    assert told.state == "ready"
    assert any(sequence.lane == "completion" and sequence.tokens for sequence in told.sequences)
    assert told.writing
    assert told.first_token_s["completion"] > 0
    assert told.resident_bytes > 100_000_000
    assert told.planned_bytes is not None
    assert told.clients == 1

    assert main(["status", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)["engines"]
    (ours,) = [one for one in shown if one["pid"] == engine.record.pid]
    assert ours["url"] == engine.record.url
