"""What the engines of this machine are doing, as they tell it themselves: figures for people who look."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from lsp_server.engine.runtime import EngineRecord

_TIMEOUT_S = 3.0
_TTFT = "shardlight:ttft_seconds"


@dataclass(frozen=True, slots=True)
class Look:
    """What an engine answered at one moment; empty where it did not.

    Attributes:
        state: ``ready``, or why not, in a few words.
        counts: totals since the engine began, by the metric's name.
        ttft: by lane: how many first tokens came within so many seconds, for growing numbers of seconds.
        resident_bytes: memory that its process has, mapped files included.
    """

    state: str
    props: Mapping[str, Any] = field(default_factory=dict)
    slots: Sequence[Mapping[str, Any]] = ()
    counts: Mapping[str, float] = field(default_factory=dict)
    ttft: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    resident_bytes: int = 0


@dataclass(frozen=True, slots=True)
class SequenceFacts:
    """A sequence of an engine: for what, whether somebody writes in it, and tokens that it holds of so many."""

    lane: str
    busy: bool
    tokens: int
    n_ctx: int


@dataclass(frozen=True, slots=True)
class EngineFacts:
    """An engine in figures. None: it has not told, or nothing has happened yet.

    Attributes:
        clients: programs that have it at hand.
        writing, reading: tokens per second of answers and of prompts, lately or else since it began.
        first_token_s: seconds to an answer's first token, the median by lane.
        reuse: share of the prompts' tokens that were there already (0 to 1).
        guesses: share of the tokens guessed ahead that were right (0 to 1).
    """

    model: str
    state: str
    url: str
    pid: int
    path: str
    sequences: tuple[SequenceFacts, ...] = ()
    clients: int | None = None
    running: int = 0
    waiting: int = 0
    writing: float | None = None
    reading: float | None = None
    first_token_s: Mapping[str, float] = field(default_factory=dict)
    reuse: float | None = None
    guesses: float | None = None
    resident_bytes: int = 0
    planned_bytes: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def look(record: EngineRecord) -> Look:
    """Ask an engine; whatever goes wrong is told as its state."""
    resident = _resident(record)
    try:
        with httpx.Client(base_url=record.url, headers=record.headers, timeout=_TIMEOUT_S, trust_env=False) as client:
            state = _state(client.get("/health"))
            if state != "ready":
                return Look(state, resident_bytes=resident)
            props, slots, page = (client.get(path) for path in ("/props", "/slots", "/metrics"))
            counts, ttft = read_metrics(page.text)
            return Look(state, props.json(), slots.json(), counts, ttft, resident)
    except (httpx.HTTPError, ValueError):
        return Look("does not answer", resident_bytes=resident)


def facts(record: EngineRecord, now: Look, before: Look | None = None) -> EngineFacts:
    """What a look says, with rates since the one before if anything has happened meanwhile: pure."""
    counts = now.counts
    earlier = before.counts if before else {}
    plan = now.props.get("plan")
    prompt, reused = (counts.get(name, 0.0) for name in ("llamacpp:prompt_tokens", "shardlight:prompt_tokens_reused"))
    return EngineFacts(
        model=record.model_id,
        state=now.state,
        url=record.url,
        pid=record.pid,
        path=record.model_path,
        sequences=tuple(
            SequenceFacts(s["lane"], s["is_processing"], s["n_prompt_tokens_cache"], s["n_ctx"]) for s in now.slots
        ),
        clients=now.props.get("clients"),
        running=int(counts.get("llamacpp:requests_processing", 0)),
        waiting=int(counts.get("llamacpp:requests_deferred", 0)),
        writing=_rate("llamacpp:tokens_predicted", counts, earlier),
        reading=_rate("llamacpp:prompt", counts, earlier),
        first_token_s={lane: middle for lane, classes in now.ttft.items() if (middle := median(classes)) is not None},
        reuse=_share(reused, reused + prompt),
        guesses=_share(counts.get("shardlight:tokens_drafted_accepted", 0), counts.get("shardlight:tokens_drafted", 0)),
        resident_bytes=now.resident_bytes,
        planned_bytes=sum(device["total_bytes"] for device in plan["devices"]) if plan else None,
    )


def read_metrics(page: str) -> tuple[dict[str, float], dict[str, list[tuple[float, float]]]]:
    """The totals of a ``/metrics`` page by name, without labels, and the classes of times to a first token by lane.

    Raises:
        ValueError: it is no such page.
    """
    counts: dict[str, float] = {}
    ttft: dict[str, list[tuple[float, float]]] = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            if sample.name == f"{_TTFT}_bucket":
                ttft.setdefault(sample.labels["lane"], []).append((float(sample.labels["le"]), sample.value))
            elif not sample.labels:
                counts[sample.name.removesuffix("_total")] = sample.value
    return counts, ttft


def median(classes: Sequence[tuple[float, float]]) -> float | None:
    """The median of values that were counted in growing classes, as Prometheus' ``histogram_quantile`` has it.

    Args:
        classes: upper limits, the last one infinite, each with how many values are not above it.
    """
    half = classes[-1][1] / 2 if classes else 0.0
    below, beneath = 0.0, 0.0
    for limit, count in classes:
        if half and count >= half:
            if math.isinf(limit):
                return below
            return below + (limit - below) * (half - beneath) / (count - beneath)
        below, beneath = limit, count
    return None


def _rate(name: str, now: Mapping[str, float], before: Mapping[str, float]) -> float | None:
    """Tokens per second of work, of what came since the look before, or of all."""
    tokens_name = name if name in now else f"{name}_tokens"
    tokens, seconds = now.get(tokens_name, 0.0), now.get(f"{name}_seconds", 0.0)
    more, longer = tokens - before.get(tokens_name, 0.0), seconds - before.get(f"{name}_seconds", 0.0)
    if more > 0 and longer > 0:
        return more / longer
    return tokens / seconds if tokens and seconds else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _state(response: httpx.Response) -> str:
    if response.status_code == 503:
        said = response.json()
        return "stuck" if said.get("status") == "stuck" else f"loading {float(said.get('progress', 0.0)):.0%}"
    return "ready" if response.status_code == 200 else "failed"


def _resident(record: EngineRecord) -> int:
    try:
        return int(record.process().memory_info().rss)
    except psutil.Error:
        return 0
