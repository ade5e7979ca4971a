"""The same for several files at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from lsp_server.errors import DownloadError
from lsp_server.models.transfer import Monitor

_FILES_AT_ONCE = 4

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def side_by_side(items: Iterable[_Item], job: Callable[[_Item, Monitor], _Result], monitor: Monitor) -> list[_Result]:
    """The job's results in the order of the items; the first that fails, or Ctrl-C, stops the others.

    Raises:
        Exception: the failed job's.
    """
    stopped = threading.Event()
    stopping = Monitor(monitor.progress, lambda: stopped.is_set() or monitor.cancelled())

    def run(item: _Item) -> _Result:
        try:
            stopping.check()
            return job(item, stopping)
        except BaseException:
            stopped.set()
            raise

    with ThreadPoolExecutor(_FILES_AT_ONCE) as pool:
        try:
            running = [pool.submit(run, item) for item in items]
            wait(running)
        except BaseException:  # Ctrl-C, which the threads hear nothing of
            stopped.set()
            raise
    errors = [error for future in running if (error := future.exception())]
    # Those that were only stopped say "cancelled"; the user wants to know about the one that was not.
    for error in sorted(errors, key=lambda error: type(error) is DownloadError):
        raise error
    return [future.result() for future in running]
