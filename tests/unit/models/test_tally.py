"""Several files' transfers as one figure."""

from __future__ import annotations

from lsp_server.models.transfer import Tally, Transfer


def _tally(*times: float) -> Tally:
    moments = iter(times)
    return Tally(lambda: next(moments))


def test_one_file_has_a_rate_once_time_has_passed() -> None:
    tally = _tally(10.0, 10.0, 12.0)
    first = tally.add(Transfer("a", 0, 1000, "download"))
    assert (first.percent, first.rate, first.seconds_left) == (0, 0.0, None)
    second = tally.add(Transfer("a", 400, 1000, "download"))
    assert (second.percent, second.rate, second.seconds_left) == (40, 200.0, 3.0)


def test_what_was_there_before_counts_as_done_but_not_for_the_rate() -> None:
    tally = _tally(0.0, 0.0, 1.0)
    tally.add(Transfer("a", 900, 1000, "download"))
    total = tally.add(Transfer("a", 950, 1000, "download"))
    assert (total.percent, total.rate, total.seconds_left) == (95, 50.0, 1.0)


def test_files_that_come_at_once_are_added_up() -> None:
    tally = _tally(0.0, 0.0, 1.0, 2.0)
    tally.add(Transfer("a", 0, 600, "download"))
    tally.add(Transfer("b", 0, 400, "download"))
    total = tally.add(Transfer("a", 500, 600, "download"))
    assert (total.files, total.done_bytes, total.total_bytes, total.rate) == (("a", "b"), 500, 1000, 250.0)


def test_an_unknown_size_makes_the_whole_unknown() -> None:
    tally = _tally(0.0, 0.0, 1.0)
    tally.add(Transfer("a", 0, 600, "download"))
    total = tally.add(Transfer("b", 100, None, "download"))
    assert (total.total_bytes, total.percent, total.seconds_left) == (None, None, None)


def test_another_phase_begins_anew() -> None:
    tally = _tally(0.0, 0.0, 5.0, 5.0)
    tally.add(Transfer("a", 600, 600, "download"))
    total = tally.add(Transfer("a", 0, 600, "verify"))
    assert (total.phase, total.done_bytes, total.rate) == ("verify", 0, 0.0)
