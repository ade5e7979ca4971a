"""What the counts say."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from lsp_server.statistics.store import Row


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts of a language, or of all of them together.

    Attributes:
        shown: suggestions that the editor was given; ``from_cache`` of them without asking a model.
        accepted, partly, rejected: what became of those that were seen.
        shown_characters, saved_characters: offered, and taken over instead of being typed.
        latency_p50_ms, latency_p95_ms: from request to answer; None if nothing was shown.
    """

    shown: int
    from_cache: int
    accepted: int
    partly: int
    rejected: int
    shown_characters: int
    saved_characters: int
    latency_p50_ms: float | None
    latency_p95_ms: float | None

    @property
    def model_calls(self) -> int:
        """Suggestions for which a model was asked."""
        return self.shown - self.from_cache

    @property
    def acceptance(self) -> float | None:
        """Share that was taken over, wholly or in part, of those that the user had the time to see (0..1)."""
        taken = self.accepted + self.partly
        return _share(taken, taken + self.rejected)

    @property
    def without_model(self) -> float | None:
        """Share of the suggestions for which no model was asked (0..1)."""
        return _share(self.from_cache, self.shown)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "shown": self.shown,
            "accepted": self.accepted,
            "partlyAccepted": self.partly,
            "rejected": self.rejected,
            "acceptance": self.acceptance,
            "shownCharacters": self.shown_characters,
            "savedCharacters": self.saved_characters,
            "modelCalls": self.model_calls,
            "withoutModelCall": self.without_model,
            "latencyMs": {"p50": self.latency_p50_ms, "p95": self.latency_p95_ms},
        }


@dataclass(frozen=True, slots=True)
class Report:
    """The last days up to and with today.

    Attributes:
        since: the first of the ``days``.
        active_days: on which anything was shown.
        languages: by language id, the one with the most suggestions first.
    """

    since: date
    days: int
    active_days: int
    total: Figures
    languages: dict[str, Figures]

    @property
    def shown_per_day(self) -> float | None:
        """Suggestions on a day on which there were any."""
        return _share(self.total.shown, self.active_days)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "since": self.since.isoformat(),
            "days": self.days,
            "activeDays": self.active_days,
            "shownPerDay": self.shown_per_day,
            "total": self.total.as_json(),
            "languages": {language: figures.as_json() for language, figures in self.languages.items()},
        }


def summarize(rows: Sequence[Row], since: date, days: int) -> Report:
    """The report on rows of the store."""
    by_language: dict[str, list[Row]] = {}
    for row in rows:
        by_language.setdefault(row.language, []).append(row)
    languages = {language: _figures(own) for language, own in by_language.items()}
    return Report(
        since=since,
        days=days,
        active_days=len({row.day for row in rows if row.shown}),
        total=_figures(rows),
        languages=dict(sorted(languages.items(), key=lambda item: (-item[1].shown, item[0]))),
    )


def _figures(rows: Sequence[Row]) -> Figures:
    latencies: Counter[float] = Counter()
    for row in rows:
        latencies.update(dict(row.latencies))
    return Figures(
        shown=sum(row.shown for row in rows),
        from_cache=sum(row.from_cache for row in rows),
        accepted=sum(row.accepted for row in rows),
        partly=sum(row.partly for row in rows),
        rejected=sum(row.rejected for row in rows),
        shown_characters=sum(row.shown_characters for row in rows),
        saved_characters=sum(row.saved_characters for row in rows),
        latency_p50_ms=_percentile(latencies.items(), 0.50),
        latency_p95_ms=_percentile(latencies.items(), 0.95),
    )


def _percentile(counted: Iterable[tuple[float, int]], share: float) -> float | None:
    """The least value that this share of all values does not exceed."""
    ordered = sorted(counted)
    missing = math.ceil(share * sum(count for _, count in ordered))
    for value, count in ordered:
        missing -= count
        if missing <= 0:
            return round(value, 1)
    return None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
