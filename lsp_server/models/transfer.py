"""How a download or a verification tells what it is doing, and is told to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from lsp_server.errors import DownloadError


@dataclass(frozen=True, slots=True)
class Transfer:
    """How far one file is; ``total_bytes`` is None while nobody knows."""

    file: str
    done_bytes: int
    total_bytes: int | None
    phase: Literal["download", "verify"]


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
