from __future__ import annotations

import _thread
import signal
import threading

import pytest

from lsp_server.errors import DownloadError
from lsp_server.models.sources.side_by_side import side_by_side
from lsp_server.models.transfer import Monitor

SILENT = Monitor(lambda _: None, lambda: False)


def until_stopped(monitor: Monitor) -> None:
    """Work on until told to stop; fails if nobody does."""
    for _ in range(6000):
        monitor.check()
        threading.Event().wait(0.01)
    pytest.fail("nobody said to stop")


def test_results_are_in_the_order_of_the_items() -> None:
    together = threading.Barrier(3)

    def job(item: int, monitor: Monitor) -> int:
        together.wait(timeout=60)
        return item * item

    assert side_by_side([3, 1, 2], job, SILENT) == [9, 1, 4]
    assert side_by_side([], job, SILENT) == []


def test_the_first_that_fails_stops_the_others_and_is_the_reason() -> None:
    def job(item: int, monitor: Monitor) -> None:
        if item == 7:
            raise OSError("the disk")
        until_stopped(monitor)

    with pytest.raises(OSError, match="the disk"):
        side_by_side([1, 2, 7, *range(10, 20)], job, SILENT)


def test_the_caller_can_stop_all() -> None:
    asked = threading.Event()

    def job(item: int, monitor: Monitor) -> None:
        asked.set()
        until_stopped(monitor)

    with pytest.raises(DownloadError, match="cancelled"):
        side_by_side(range(9), job, Monitor(lambda _: None, asked.is_set))


def test_ctrl_c_stops_all() -> None:
    stopped = threading.Event()

    def job(item: int, monitor: Monitor) -> None:
        _thread.interrupt_main()
        try:
            until_stopped(monitor)
        except DownloadError:
            stopped.set()
            raise

    # A shell that starts us in the background has it ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            side_by_side([1], job, SILENT)
    finally:
        signal.signal(signal.SIGINT, before)
    assert stopped.wait(timeout=60)
