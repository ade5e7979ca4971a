from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from lsp_server.errors import ShardlightError
from lsp_server.statistics import recorder
from lsp_server.statistics.events import Accepted, Rejected, Shown
from lsp_server.statistics.recorder import Statistics, default_path

SHOWN = Shown("python", 20, 300.0, from_cache=False)


class Calendar:
    def __init__(self) -> None:
        self.date = date(2026, 3, 1)

    def __call__(self) -> date:
        return self.date


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def statistics(tmp_path: Path, calendar: Calendar) -> Iterator[Statistics]:
    statistics = Statistics(tmp_path / "statistics.sqlite3", today=calendar)
    yield statistics
    statistics.close()


def shown(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT sum(shown) FROM counts").fetchone()[0] or 0)


def test_what_was_recorded_a_moment_ago_is_in_the_report(statistics: Statistics) -> None:
    statistics.record(SHOWN)
    statistics.record(Accepted("python", 20))

    assert statistics.report(1).total.saved_characters == 20


def test_recording_writes_nothing_itself(statistics: Statistics) -> None:
    statistics.record(SHOWN)
    assert not statistics.path.exists()


def test_closing_writes_what_is_left_and_takes_no_more(statistics: Statistics) -> None:
    for _ in range(3):
        statistics.record(SHOWN)
    statistics.close()
    statistics.record(SHOWN)
    statistics.close()

    assert shown(statistics.path) == 3


def test_it_is_written_by_itself_in_a_thread_of_its_own(
    statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_GATHER_S", 0.0)
    written = threading.Event()
    writers: list[threading.Thread] = []
    add = statistics._store.add

    def watched(*args: object) -> None:
        writers.append(threading.current_thread())
        add(*args)  # type: ignore[arg-type]
        written.set()

    monkeypatch.setattr(statistics._store, "add", watched)
    for expected in (1, 2):
        written.clear()
        statistics.record(SHOWN)
        assert written.wait(30)
        assert shown(statistics.path) == expected
    assert threading.current_thread() not in writers


def test_who_only_reads_starts_no_thread_and_makes_no_file(statistics: Statistics) -> None:
    before = threading.active_count()
    assert statistics.report(30).total.shown == 0
    statistics.close()
    assert threading.active_count() == before
    assert not statistics.path.exists()


def test_what_comes_while_others_write_is_neither_lost_nor_counted_twice(statistics: Statistics) -> None:
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            statistics.flush()

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    for _ in range(2000):
        statistics.record(SHOWN)
    done.set()
    for writer in writers:
        writer.join()

    assert statistics.report(1).total.shown == 2000


def test_the_day_is_the_one_on_which_it_happened(statistics: Statistics, calendar: Calendar) -> None:
    statistics.record(SHOWN)
    calendar.date += timedelta(days=1)
    statistics.record(SHOWN)

    assert statistics.report(1).total.shown == 1
    both = statistics.report(2)
    assert (both.total.shown, both.active_days, both.since) == (2, 2, date(2026, 3, 1))


@pytest.mark.parametrize("days", [366, 10**9])
def test_more_days_than_are_kept_are_those_that_are_kept(statistics: Statistics, days: int) -> None:
    assert statistics.report(days).days == 365


def test_reset_forgets_also_what_was_not_written_yet(statistics: Statistics) -> None:
    statistics.record(SHOWN)
    statistics.flush()
    statistics.record(SHOWN)
    statistics.reset()

    assert statistics.report(365).total.shown == 0
    statistics.record(Rejected("python"))
    assert statistics.report(1).total.rejected == 1


def test_a_damaged_file_costs_the_counts_and_one_line_in_the_log(
    statistics: Statistics, caplog: pytest.LogCaptureFixture
) -> None:
    statistics.path.write_bytes(b"not a database at all, " * 100)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            statistics.record(SHOWN)
            statistics.flush()
    assert len(caplog.records) == 1
    assert str(statistics.path) in caplog.text

    with pytest.raises(ShardlightError, match="cannot be read") as told:
        statistics.report(1)
    assert "--reset" in told.value.hint
    statistics.reset()
    statistics.record(SHOWN)
    assert statistics.report(1).total.shown == 1


def test_a_folder_that_cannot_be_made_costs_the_counts(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    statistics = Statistics(tmp_path / "file" / "statistics.sqlite3")
    statistics.record(SHOWN)
    statistics.close()
    assert len(caplog.records) == 1


def test_a_locked_file_costs_what_was_recorded_and_not_what_comes(
    statistics: Statistics, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lsp_server.statistics.store._BUSY_S", 0.0)
    statistics.record(SHOWN)
    statistics.flush()
    holder = sqlite3.connect(statistics.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    statistics.record(SHOWN)
    statistics.flush()
    holder.close()
    statistics.record(SHOWN)

    assert statistics.report(1).total.shown == 2


def test_nothing_of_the_users_is_in_the_file(statistics: Statistics) -> None:
    """Language ids, days and numbers; whatever is added here has to be thought about."""
    statistics.record(SHOWN)
    statistics.flush()
    with sqlite3.connect(statistics.path) as connection:
        counts = connection.execute("SELECT * FROM counts").fetchall()
        latencies = connection.execute("SELECT * FROM latencies").fetchall()
    assert counts == [("2026-03-01", "python", 1, 0, 20, 0, 0, 0, 0)]
    assert latencies == [("2026-03-01", "python", 117, 1)]


def test_the_file_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(recorder, "user_state_path", lambda name, appauthor: tmp_path / name)
    assert default_path() == tmp_path / "shardlight" / "statistics.sqlite3"
