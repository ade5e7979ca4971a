from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from lsp_server.statistics.events import Accepted, AcceptedPart, Rejected, Shown
from lsp_server.statistics.store import RETENTION_DAYS, Row, Store

TODAY = date(2026, 3, 1)
SHOWN = Shown("python", 20, 300.0, from_cache=False)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "folder" / "statistics.sqlite3")


def only(store: Store) -> Row:
    (row,) = store.rows(TODAY)
    return row


def test_each_event_counts_where_it_belongs(store: Store) -> None:
    events = [SHOWN, Shown("python", 5, 0.2, from_cache=True), SHOWN]
    events += [Accepted("python", 20), AcceptedPart("python", 7), Rejected("python"), Rejected("python")]
    store.add([(TODAY, event) for event in events[:2]], TODAY)
    store.add([(TODAY, event) for event in events[2:]], TODAY)

    row = only(store)
    assert row.latencies[0] == (0.5, 1)
    assert row.latencies[1] == (pytest.approx(300, rel=0.03), 2)
    assert row == Row(TODAY, "python", 3, 1, 45, 1, 1, 2, 27, row.latencies)


def test_days_and_languages_are_kept_apart(store: Store) -> None:
    yesterday = TODAY - timedelta(days=1)
    store.add([(TODAY, Accepted("go", 1)), (yesterday, Accepted("go", 2)), (TODAY, Accepted("rust", 4))], TODAY)

    assert {(row.day, row.language): row.saved_characters for row in store.rows(yesterday)} == {
        (yesterday, "go"): 2,
        (TODAY, "go"): 1,
        (TODAY, "rust"): 4,
    }
    assert {row.day for row in store.rows(TODAY)} == {TODAY}


@pytest.mark.parametrize("milliseconds", [0.0, 0.99, 1.0, 1.001, 37.0, 999.0, 60_000.0, 3_600_000.0])
def test_a_latency_is_kept_within_a_few_percent(store: Store, milliseconds: float) -> None:
    store.add([(TODAY, Shown("go", 1, milliseconds, from_cache=False))], TODAY)

    ((kept, count),) = only(store).latencies
    assert kept == pytest.approx(milliseconds, rel=0.026, abs=0.5)
    assert count == 1


def test_after_a_year_it_is_forgotten(store: Store) -> None:
    first, second = TODAY - timedelta(days=RETENTION_DAYS), TODAY - timedelta(days=RETENTION_DAYS - 1)
    store.add([(first, SHOWN), (second, SHOWN)], TODAY)

    assert [row.day for row in store.rows(date.min)] == [second]
    with sqlite3.connect(store.path) as connection:
        assert connection.execute("SELECT count(*) FROM latencies").fetchone() == (1,)


def test_reading_and_clearing_make_no_file(store: Store) -> None:
    assert store.rows(date.min) == []
    store.clear()
    assert not store.path.parent.exists()


def test_a_transaction_that_fails_leaves_nothing_behind(store: Store) -> None:
    store.add([(TODAY, SHOWN)], TODAY)
    before = only(store)

    def events() -> Iterator[tuple[date, Shown]]:
        yield TODAY, SHOWN
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="space"):
        store.add(events(), TODAY)

    assert only(store) == before


def test_cleared_is_empty_and_goes_on(store: Store) -> None:
    store.add([(TODAY, SHOWN)], TODAY)
    store.clear()
    assert store.rows(date.min) == []
    store.add([(TODAY, SHOWN)], TODAY)
    assert only(store).shown == 1


def test_a_damaged_file_is_told_and_clearing_removes_it(store: Store) -> None:
    store.path.parent.mkdir()
    store.path.write_bytes(b"this is not a database, and it is long enough to be taken for one" * 20)
    for use in (lambda: store.rows(TODAY), lambda: store.add([(TODAY, SHOWN)], TODAY)):
        with pytest.raises(sqlite3.DatabaseError):
            use()

    store.clear()
    store.add([(TODAY, SHOWN)], TODAY)
    assert only(store).shown == 1


def test_a_file_that_somebody_holds_is_not_cleared(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lsp_server.statistics.store._BUSY_S", 0.0)
    store.add([(TODAY, SHOWN)], TODAY)
    holder = sqlite3.connect(store.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(sqlite3.OperationalError):
            store.clear()
    finally:
        holder.close()
    assert only(store).shown == 1


def _window(path: Path, count: int) -> None:
    store = Store(path)
    for _ in range(count):
        store.add([(TODAY, SHOWN), (TODAY, Accepted("python", 3))], TODAY)


def test_windows_that_write_at_once_lose_nothing(store: Store) -> None:
    """Also the first of them, which make the file."""
    spawn = multiprocessing.get_context("spawn")
    windows = [spawn.Process(target=_window, args=(store.path, 20)) for _ in range(4)]
    for window in windows:
        window.start()
    for window in windows:
        window.join()

    assert [window.exitcode for window in windows] == [0] * 4
    row = only(store)
    assert (row.shown, row.saved_characters) == (80, 240)
