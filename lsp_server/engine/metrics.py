"""What the engine counts, in Prometheus' format.

What llama-server counts as well goes by the name it has there, so that its dashboards work.
"""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from lsp_server.engine.generation_types import Finished
from lsp_server.engine.lanes import Lane

CONTENT_TYPE = CONTENT_TYPE_LATEST
_TTFT_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


class Metrics:
    """Counters of one engine."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._prompt_tokens = Counter("llamacpp:prompt_tokens", "Prompt tokens evaluated.", registry=registry)
        self._prompt_seconds = Counter("llamacpp:prompt_seconds", "Time spent on prompts.", registry=registry)
        self._predicted = Counter("llamacpp:tokens_predicted", "Tokens generated.", registry=registry)
        self._predicted_seconds = Counter(
            "llamacpp:tokens_predicted_seconds", "Time spent on generating.", registry=registry
        )
        self._processing = Gauge("llamacpp:requests_processing", "Requests that run.", registry=registry)
        self._deferred = Gauge("llamacpp:requests_deferred", "Requests that wait.", registry=registry)
        self._reused = Counter(
            "shardlight:prompt_tokens_reused", "Prompt tokens that were evaluated before.", registry=registry
        )
        self._drafted = Counter("shardlight:tokens_drafted", "Tokens guessed ahead.", registry=registry)
        self._accepted = Counter("shardlight:tokens_drafted_accepted", "Of these, right.", registry=registry)
        self._requests = Counter("shardlight:requests", "Requests that ended.", ["lane", "reason"], registry=registry)
        self._ttft = Histogram(
            "shardlight:ttft_seconds", "Time to the first token.", ["lane"], buckets=_TTFT_S, registry=registry
        )

    def count(self, lane: Lane, finished: Finished) -> None:
        """A generation has ended."""
        t = finished.timings
        self._requests.labels(lane.value, finished.reason.value).inc()
        self._prompt_tokens.inc(t.evaluated_tokens)
        self._prompt_seconds.inc(t.prompt_ms / 1000)
        self._predicted.inc(t.predicted_tokens)
        self._predicted_seconds.inc(t.predicted_ms / 1000)
        self._reused.inc(t.reused_tokens)
        self._drafted.inc(t.draft_tokens)
        self._accepted.inc(t.draft_accepted_tokens)
        if t.ttft_ms:
            self._ttft.labels(lane.value).observe(t.ttft_ms / 1000)

    def count_failure(self, lane: Lane) -> None:
        """A generation has ended with an error."""
        self._requests.labels(lane.value, "error").inc()

    def exposition(self, *, running: int, waiting: int) -> bytes:
        """The page, in the format of ``CONTENT_TYPE``."""
        self._processing.set(running)
        self._deferred.set(waiting)
        return generate_latest(self._registry)
