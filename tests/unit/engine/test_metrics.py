from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from lsp_server.engine.generation_types import Finished, StopReason, Timings
from lsp_server.engine.lanes import Lane
from lsp_server.engine.metrics import CONTENT_TYPE, Metrics

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(metrics: Metrics, *, running: int = 0, waiting: int = 0) -> Samples:
    """Everything on the page, by name and labels' values."""
    page = metrics.exposition(running=running, waiting=waiting).decode()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def finished(reason: StopReason = StopReason.EOS, **timings: float) -> Finished:
    return Finished(reason, "", Timings(**timings))  # type: ignore[arg-type]


def test_at_first_nothing_was_counted() -> None:
    found = samples(Metrics())
    assert found["llamacpp:prompt_tokens_total", ()] == 0
    assert not any(name.startswith("shardlight:requests") for name, _ in found)


def test_what_generations_cost_adds_up() -> None:
    metrics = Metrics()
    metrics.count(
        Lane.COMPLETION,
        finished(
            prompt_tokens=100,
            reused_tokens=96,
            evaluated_tokens=4,
            predicted_tokens=10,
            draft_tokens=6,
            draft_accepted_tokens=4,
            prompt_ms=500,
            predicted_ms=1500,
            ttft_ms=600,
        ),
    )
    metrics.count(Lane.COMPLETION, finished(prompt_tokens=50, evaluated_tokens=50, predicted_tokens=1, prompt_ms=250))

    found = samples(metrics)

    assert found["llamacpp:prompt_tokens_total", ()] == 54
    assert found["llamacpp:prompt_seconds_total", ()] == 0.75
    assert found["llamacpp:tokens_predicted_total", ()] == 11
    assert found["llamacpp:tokens_predicted_seconds_total", ()] == 1.5
    assert found["shardlight:prompt_tokens_reused_total", ()] == 96
    assert found["shardlight:tokens_drafted_total", ()] == 6
    assert found["shardlight:tokens_drafted_accepted_total", ()] == 4


def test_requests_are_counted_by_lane_and_by_how_they_ended() -> None:
    metrics = Metrics()
    for lane, reason in [
        (Lane.COMPLETION, StopReason.CANCELLED),
        (Lane.COMPLETION, StopReason.CANCELLED),
        (Lane.COMPLETION, StopReason.EOS),
        (Lane.ASSISTANT, StopReason.LENGTH),
    ]:
        metrics.count(lane, finished(reason))

    found = samples(metrics)

    assert found["shardlight:requests_total", ("completion", "cancelled")] == 2
    assert found["shardlight:requests_total", ("completion", "eos")] == 1
    assert found["shardlight:requests_total", ("assistant", "length")] == 1


def test_the_time_to_the_first_token_is_that_of_requests_that_had_one() -> None:
    metrics = Metrics()
    metrics.count(Lane.COMPLETION, finished(ttft_ms=40))
    metrics.count(Lane.COMPLETION, finished(StopReason.CANCELLED))

    found = samples(metrics)

    assert found["shardlight:ttft_seconds_count", ("completion",)] == 1
    assert found["shardlight:ttft_seconds_sum", ("completion",)] == pytest.approx(0.04)
    assert found["shardlight:ttft_seconds_bucket", ("completion", "0.025")] == 0
    assert found["shardlight:ttft_seconds_bucket", ("completion", "0.05")] == 1


def test_a_request_that_was_cancelled_before_it_began_evaluated_nothing() -> None:
    metrics = Metrics()
    metrics.count(Lane.COMPLETION, Finished(StopReason.CANCELLED, "", Timings()))
    assert samples(metrics)["llamacpp:prompt_tokens_total", ()] == 0


def test_what_runs_and_what_waits_now() -> None:
    metrics = Metrics()
    found = samples(metrics, running=2, waiting=3)
    assert (found["llamacpp:requests_processing", ()], found["llamacpp:requests_deferred", ()]) == (2, 3)
    assert samples(metrics)["llamacpp:requests_processing", ()] == 0


def test_engines_in_one_process_count_for_themselves() -> None:
    Metrics().count(Lane.COMPLETION, finished(predicted_tokens=5))
    assert samples(Metrics())["llamacpp:tokens_predicted_total", ()] == 0


def test_the_page_says_what_format_it_has() -> None:
    assert CONTENT_TYPE.startswith("text/plain")
    assert "version=" in CONTENT_TYPE
