"""Figures of an engine out of what it tells."""

from __future__ import annotations

import math
import os

import httpx
import pytest

from lsp_server.engine.lanes import Lane
from lsp_server.engine.metrics import Metrics
from lsp_server.engine.runtime import EngineRecord
from lsp_server.inference import watching
from lsp_server.inference.watching import Look, SequenceFacts, facts, look, median, read_metrics

RECORD = EngineRecord(os.getpid(), 0.0, 1, "token", "a model", "/m.gguf", 2048, 0, "0", 0.0)
PROMPT, PROMPT_S = "llamacpp:prompt_tokens", "llamacpp:prompt_seconds"
WRITTEN, WRITTEN_S = "llamacpp:tokens_predicted", "llamacpp:tokens_predicted_seconds"


def counts(prompt: float, prompt_s: float, written: float, written_s: float) -> dict[str, float]:
    return {PROMPT: prompt, PROMPT_S: prompt_s, WRITTEN: written, WRITTEN_S: written_s}


def test_rates_are_of_what_came_since_the_last_look() -> None:
    before = Look("ready", counts=counts(100, 1, 10, 1))
    now = Look("ready", counts=counts(400, 2, 60, 2))
    since = facts(RECORD, now, before)
    ever = facts(RECORD, now)
    assert (since.reading, since.writing) == (300, 50)
    assert (ever.reading, ever.writing) == (200, 30)


def test_where_nothing_came_since_rates_are_of_all_and_before_anything_there_are_none() -> None:
    now = Look("ready", counts=counts(400, 2, 60, 2))
    assert facts(RECORD, now, now).writing == 30
    idle = facts(RECORD, Look("ready", counts=counts(0, 0, 0, 0)))
    assert (idle.reading, idle.writing, idle.reuse, idle.guesses) == (None, None, None, None)


def test_shares_sequences_memory_and_clients() -> None:
    now = Look(
        "ready",
        props={"clients": 2, "plan": {"devices": [{"total_bytes": 5}, {"total_bytes": 7}]}},
        slots=[{"lane": "completion", "is_processing": True, "n_prompt_tokens_cache": 3, "n_ctx": 9, "id": 0}],
        counts={
            PROMPT: 25,
            "shardlight:prompt_tokens_reused": 75,
            "shardlight:tokens_drafted": 10,
            "shardlight:tokens_drafted_accepted": 6,
            "llamacpp:requests_processing": 1,
            "llamacpp:requests_deferred": 2,
        },
        ttft={"completion": [(0.1, 0.0), (0.2, 4.0), (math.inf, 4.0)], "assistant": [(math.inf, 0.0)]},
        resident_bytes=11,
    )
    found = facts(RECORD, now)
    assert found.sequences == (SequenceFacts("completion", True, 3, 9),)
    assert (found.reuse, found.guesses, found.clients) == (0.75, 0.6, 2)
    assert (found.running, found.waiting) == (1, 2)
    assert (found.resident_bytes, found.planned_bytes) == (11, 12)
    assert found.first_token_s == {"completion": pytest.approx(0.15)}


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        ([], None),
        ([(1.0, 0.0), (math.inf, 0.0)], None),
        ([(1.0, 2.0), (2.0, 4.0), (math.inf, 4.0)], 1.0),
        ([(1.0, 0.0), (3.0, 4.0), (math.inf, 4.0)], 2.0),
        ([(1.0, 0.0), (math.inf, 4.0)], 1.0),
    ],
)
def test_the_median_lies_within_its_class(classes: list[tuple[float, float]], expected: float | None) -> None:
    assert median(classes) == expected


def test_the_engines_own_page_is_understood() -> None:
    metrics = Metrics()
    metrics.count_failure(Lane.ASSISTANT)
    found, ttft = read_metrics(metrics.exposition(running=3, waiting=4).decode())
    assert (found["llamacpp:requests_processing"], found["llamacpp:requests_deferred"]) == (3, 4)
    assert {PROMPT, PROMPT_S, WRITTEN, WRITTEN_S, "shardlight:prompt_tokens_reused"} <= found.keys()
    assert ttft == {}


def test_one_that_does_not_answer_is_told_as_such() -> None:
    found = look(RECORD)
    assert found.state == "does not answer"
    assert found.resident_bytes > 0


@pytest.mark.parametrize(
    ("status", "said", "state"),
    [
        (200, {"status": "ok"}, "ready"),
        (503, {"progress": 0.25}, "loading 25%"),
        (503, {"status": "stuck"}, "stuck"),
        (500, {}, "failed"),
    ],
)
def test_states(status: int, said: dict[str, object], state: str) -> None:
    assert watching._state(httpx.Response(status, json=said)) == state
