"""Taking down what happens, without keeping anybody waiting."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from platformdirs import user_state_path

from lsp_server.errors import ShardlightError
from lsp_server.statistics.events import Event
from lsp_server.statistics.report import Report, summarize
from lsp_server.statistics.store import RETENTION_DAYS, Store

logger = logging.getLogger(__name__)

# Events of so many seconds are written together: a few writes a minute, whatever is typed.
_GATHER_S = 5.0


def default_path() -> Path:
    """The file of this user's counts; it need not exist."""
    return user_state_path("shardlight", appauthor=False) / "statistics.sqlite3"


class Statistics:
    """The counts of this user. All editor windows share the file.

    ``record`` never waits and never fails: what cannot be written is lost, and the log has one line about it. The other
    methods wait for the disk and are not for an event loop's thread.

    Args:
        today: the user's date, for tests.
    """

    def __init__(self, path: Path, *, today: Callable[[], date] = date.today) -> None:
        self.path = path
        self._store = Store(path)
        self._today = today
        self._pending: deque[tuple[date, Event]] = deque()
        self._writing = threading.Lock()
        self._some = threading.Event()
        self._closing = threading.Event()
        self._writer: threading.Thread | None = None
        self._told = False

    def record(self, event: Event) -> None:
        """Count an event, soon."""
        if self._closing.is_set():
            return
        self._pending.append((self._today(), event))
        self._some.set()
        if self._writer is None:
            # A daemon: whoever leaves without `close` loses a few counts, and does not hang.
            self._writer = threading.Thread(target=self._write_from_time_to_time, name="statistics", daemon=True)
            self._writer.start()

    def flush(self) -> None:
        """Write what was recorded so far."""
        with self._writing:
            events = [self._pending.popleft() for _ in range(len(self._pending))]
            if not events:
                return
            try:
                self._store.add(events, self._today())
            except (sqlite3.Error, OSError) as error:
                if not self._told:
                    self._told = True
                    logger.warning("Statistics cannot be written to %s, and are lost: %s", self.path, error)

    def close(self) -> None:
        """Write what is left, and take no more."""
        self._closing.set()
        self._some.set()
        if self._writer:
            self._writer.join()
        self.flush()

    def report(self, days: int) -> Report:
        """What the counts of the last days say, today included.

        Raises:
            ShardlightError: the file cannot be read.
        """
        self.flush()
        days = min(days, RETENTION_DAYS)
        since = self._today() - timedelta(days=days - 1)
        try:
            return summarize(self._store.rows(since), since, days)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise ShardlightError(
                f"The statistics in {self.path} cannot be read: {error}.",
                hint="`shardlight stats --reset` begins anew.",
            ) from error

    def reset(self) -> None:
        """Forget everything.

        Raises:
            ShardlightError: the file cannot be written.
        """
        with self._writing:
            self._pending.clear()
            try:
                self._store.clear()
            except (sqlite3.Error, OSError) as error:
                raise ShardlightError(
                    f"The statistics in {self.path} cannot be forgotten: {error}.",
                    hint="Try again, or remove the file.",
                ) from error

    def _write_from_time_to_time(self) -> None:
        while not self._closing.is_set():
            self._some.wait()
            self._closing.wait(_GATHER_S)
            self._some.clear()
            self.flush()
