from __future__ import annotations

import json
from datetime import date

import pytest

from lsp_server.statistics.report import Report, summarize
from lsp_server.statistics.store import Row

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def report(*rows: Row) -> Report:
    return summarize(rows, MONDAY, 7)


def test_nothing_counted_is_nothing_known() -> None:
    empty = report()

    assert (empty.total.shown, empty.active_days, empty.languages) == (0, 0, {})
    total = empty.total
    assert (total.acceptance, total.without_model, total.latency_p50_ms, empty.shown_per_day) == (None,) * 4


def test_days_add_up_by_language_and_altogether() -> None:
    told = report(
        Row(MONDAY, "go", shown=4, from_cache=1, shown_characters=40, accepted=1, rejected=2, saved_characters=10),
        Row(TUESDAY, "go", shown=2, shown_characters=20, partly=1, saved_characters=3),
        Row(TUESDAY, "rust", shown=10, from_cache=5, rejected=4),
    )

    assert list(told.languages) == ["rust", "go"], "the busiest first"
    go = told.languages["go"]
    assert (go.shown, go.model_calls, go.shown_characters, go.saved_characters) == (6, 5, 60, 13)
    assert go.acceptance == 2 / 4
    assert told.languages["rust"].acceptance == 0
    assert told.total.without_model == 6 / 16
    assert (told.active_days, told.shown_per_day) == (2, 8)


def test_a_suggestion_that_nobody_had_the_time_to_see_is_not_held_against_it() -> None:
    assert report(Row(MONDAY, "go", shown=100, accepted=1, rejected=1)).total.acceptance == 0.5


def test_a_day_on_which_one_only_accepted_is_no_active_one() -> None:
    """Shown before midnight, accepted after it."""
    assert report(Row(MONDAY, "go", shown=1), Row(TUESDAY, "go", accepted=1)).active_days == 1


@pytest.mark.parametrize(
    ("latencies", "p50", "p95"),
    [
        (((200.0, 1),), 200, 200),
        (((100.0, 1), (200.0, 1)), 100, 200),
        (((100.0, 94), (900.0, 6)), 100, 900),
        (((100.0, 95), (900.0, 5)), 100, 100),
        (((10.0, 49), (100.0, 2), (900.0, 49)), 100, 900),
    ],
)
def test_percentiles(latencies: tuple[tuple[float, int], ...], p50: float, p95: float) -> None:
    total = report(Row(MONDAY, "go", latencies=latencies)).total
    assert (total.latency_p50_ms, total.latency_p95_ms) == (p50, p95)


def test_percentiles_of_all_languages_are_not_the_mean_of_theirs() -> None:
    rows = (Row(MONDAY, "go", latencies=((100.0, 9),)), Row(TUESDAY, "rust", latencies=((100.0, 1), (900.0, 1))))
    assert report(*rows).total.latency_p50_ms == 100
    assert report(*rows).total.latency_p95_ms == 900


def test_as_json() -> None:
    row = Row(MONDAY, "go", 4, 1, 40, 1, 1, 2, 13, ((100.0, 4),))
    told = json.loads(json.dumps(report(row).as_json()))

    assert told["since"] == "2026-03-02"
    assert (told["days"], told["activeDays"], told["shownPerDay"]) == (7, 1, 4)
    assert told["languages"] == {"go": told["total"]}
    assert told["total"] == {
        "shown": 4,
        "accepted": 1,
        "partlyAccepted": 1,
        "rejected": 2,
        "acceptance": 0.5,
        "shownCharacters": 40,
        "savedCharacters": 13,
        "modelCalls": 3,
        "withoutModelCall": 0.25,
        "latencyMs": {"p50": 100, "p95": 100},
    }
