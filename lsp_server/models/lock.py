"""One process at a time for each model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from lsp_server.errors import DownloadError
from lsp_server.models.transfer import Monitor

_POLL_S = 0.5


@contextmanager
def model_lock(path: Path, monitor: Monitor) -> Iterator[None]:
    """Hold a lock file; wait for another process (or thread) that holds it, unless the caller asks to stop.

    Raises:
        DownloadError: cancelled while waiting, or the folder cannot be written.
    """
    lock = FileLock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while not lock.is_locked:
            monitor.check()
            try:
                lock.acquire(timeout=_POLL_S)
            except Timeout:
                continue
    except OSError as error:
        raise DownloadError(
            f"{path.parent.parent} cannot be written: {error.strerror or error}.",
            hint="Choose another folder with the setting models.directory.",
        ) from error
    try:
        yield
    finally:
        lock.release()
