"""The file of the counts: SQLite, a row for each day and language, written by several editor windows at once.

A connection lasts for one transaction. So nobody holds the file for long, and a file that was removed or put in the
place of another one is simply the one that is used next.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from lsp_server.statistics.events import Accepted, AcceptedPart, Event, Rejected, Shown

RETENTION_DAYS = 365
# Another window writes for milliseconds; whoever waits longer than this has a disk that does not answer.
_BUSY_S = 2.0
# A latency is kept as the number of its class, each this much longer than the one before: within 2.5 percent.
_GROWTH = 1.05

_COLUMNS = ("shown", "from_cache", "shown_characters", "accepted", "partly", "rejected", "saved_characters")
_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS counts (
    day TEXT, language TEXT, {", ".join(f"{name} INTEGER NOT NULL DEFAULT 0" for name in _COLUMNS)},
    PRIMARY KEY (day, language)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS latencies (
    day TEXT, language TEXT, class INTEGER, shown INTEGER NOT NULL, PRIMARY KEY (day, language, class)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Row:
    """The counts of a day in a language; ``latencies`` has how many suggestions took how many milliseconds."""

    day: date
    language: str
    shown: int = 0
    from_cache: int = 0
    shown_characters: int = 0
    accepted: int = 0
    partly: int = 0
    rejected: int = 0
    saved_characters: int = 0
    latencies: tuple[tuple[float, int], ...] = ()


class Store:
    """One file. All methods raise ``sqlite3.Error`` or ``OSError`` if it is locked, full, damaged or out of reach."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, events: Iterable[tuple[date, Event]], today: date) -> None:
        """Count events, each on its day, and forget what is older than ``RETENTION_DAYS``."""
        with self._transaction() as connection:
            for day, event in events:
                _count(connection, day, event)
            oldest = (today - timedelta(days=RETENTION_DAYS - 1)).isoformat()
            for table in ("counts", "latencies"):
                connection.execute(f"DELETE FROM {table} WHERE day < ?", (oldest,))  # noqa: S608 - our own names

    def rows(self, since: date) -> list[Row]:
        """The counts from a day on, oldest first; none where nothing was counted yet."""
        if not self.path.exists():
            return []
        with self._transaction() as connection:
            latencies: dict[tuple[str, str], list[tuple[float, int]]] = {}
            for day, language, number, shown in connection.execute(
                "SELECT day, language, class, shown FROM latencies WHERE day >= ? ORDER BY class", (since.isoformat(),)
            ):
                latencies.setdefault((day, language), []).append((_milliseconds(number), shown))
            counts = connection.execute(
                f"SELECT day, language, {', '.join(_COLUMNS)} FROM counts WHERE day >= ? ORDER BY day",  # noqa: S608
                (since.isoformat(),),
            )
            return [
                Row(
                    day=date.fromisoformat(day),
                    language=language,
                    latencies=tuple(latencies.get((day, language), ())),
                    **dict(zip(_COLUMNS, numbers, strict=True)),
                )
                for day, language, *numbers in counts
            ]

    def clear(self) -> None:
        """Forget everything; a file that is damaged is removed."""
        if not self.path.exists():
            return
        try:
            with self._transaction() as connection:
                connection.execute("DELETE FROM counts")
                connection.execute("DELETE FROM latencies")
        except sqlite3.OperationalError:
            raise  # locked or out of reach: it may well be whole
        except sqlite3.DatabaseError:
            for suffix in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=_BUSY_S, isolation_level=None)) as connection:
            # Readers and a writer are not in each other's way, and a commit waits for no disk.
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    connection.execute(statement)
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()


def _count(connection: sqlite3.Connection, day: date, event: Event) -> None:
    match event:
        case Shown(language, characters, latency_ms, from_cache):
            added = {"shown": 1, "from_cache": int(from_cache), "shown_characters": characters}
            _add(connection, "latencies", _key(day, language) | {"class": _class(latency_ms)}, {"shown": 1})
        case Accepted(language, characters):
            added = {"accepted": 1, "saved_characters": characters}
        case AcceptedPart(language, characters):
            added = {"partly": 1, "saved_characters": characters}
        case Rejected(language):
            added = {"rejected": 1}
    _add(connection, "counts", _key(day, language), added)


def _key(day: date, language: str) -> dict[str, str | int]:
    return {"day": day.isoformat(), "language": language}


def _add(connection: sqlite3.Connection, table: str, key: dict[str, str | int], added: dict[str, int]) -> None:
    """Add numbers to a row, which is made if need be."""
    names = [*key, *added]
    sums = ", ".join(f"{name} = {name} + excluded.{name}" for name in added)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "  # noqa: S608
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}",
        (*key.values(), *added.values()),
    )


def _class(milliseconds: float) -> int:
    return 0 if milliseconds < 1 else 1 + int(math.log(milliseconds, _GROWTH))


def _milliseconds(number: int) -> float:
    """The middle of a class."""
    return 0.5 if number == 0 else float(_GROWTH ** (number - 0.5))
