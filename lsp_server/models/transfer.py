"""How a download or a verification tells what it is doing, and is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lsp_server.errors import DownloadError

Phase = Literal["download", "verify"]


@dataclass(frozen=True, slots=True)
class Transfer:
    """How far one file is; ``total_bytes`` is None while nobody knows."""

    file: str
    done_bytes: int
    total_bytes: int | None
    phase: Phase


@dataclass(frozen=True, slots=True)
class Total:
    """How far all files of a phase are together.

    Attributes:
        files: their names, in the order in which they began.
        total_bytes: None while the size of one is unknown.
        rate: bytes per second since the phase began; 0 until that is known.
    """

    phase: Phase
    files: tuple[str, ...]
    done_bytes: int
    total_bytes: int | None
    rate: float

    @property
    def percent(self) -> int | None:
        """0 to 100; None while the size is unknown."""
        return 100 * self.done_bytes // self.total_bytes if self.total_bytes else None

    @property
    def seconds_left(self) -> float | None:
        """At the rate so far; None while that or the size is unknown."""
        return (self.total_bytes - self.done_bytes) / self.rate if self.total_bytes and self.rate else None


class Tally:
    """Adds up the transfers of several files, which may come at once and from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._phase: Phase | None = None
        self._began = 0.0
        self._first: dict[str, int] = {}
        self._latest: dict[str, Transfer] = {}

    def add(self, transfer: Transfer) -> Total:
        """Count one transfer in; another phase begins anew."""
        with self._lock:
            if transfer.phase != self._phase:
                self._phase, self._began = transfer.phase, self._clock()
                self._first, self._latest = {}, {}
            self._first.setdefault(transfer.file, transfer.done_bytes)
            self._latest[transfer.file] = transfer
            done = sum(t.done_bytes for t in self._latest.values())
            sizes = [t.total_bytes for t in self._latest.values()]
            seconds = self._clock() - self._began
            rate = (done - sum(self._first.values())) / seconds if seconds > 0 else 0.0
            known = [size for size in sizes if size is not None]
            total = sum(known) if len(known) == len(sizes) else None
            return Total(transfer.phase, tuple(self._latest), done, total, rate)


Progress = Callable[[Transfer], None]
Cancelled = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Monitor:
    """The two callbacks of a long operation, as they travel through it."""

    progress: Progress
    cancelled: Cancelled

    def report(self, transfer: Transfer) -> None:
        """Pass progress on.

        Raises:
            DownloadError: the caller has asked to stop.
        """
        self.check()
        self.progress(transfer)

    def check(self) -> None:
        """Raise DownloadError if the caller has asked to stop."""
        if self.cancelled():
            raise DownloadError("The transfer was cancelled.", hint="Start it again to go on.")


def ignore_progress(transfer: Transfer) -> None:
    """A progress callback for callers that show nothing."""


def never_cancelled() -> bool:
    """A cancellation callback for callers that never stop."""
    return False
