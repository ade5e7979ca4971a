from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lsp_server.errors import DownloadError
from lsp_server.models.lock import model_lock
from lsp_server.models.transfer import Monitor

SILENT = Monitor(lambda _: None, lambda: False)


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    path = tmp_path / ".locks" / "m.lock"
    order: list[str] = []
    asked = threading.Event()

    def second() -> None:
        def cancelled() -> bool:
            asked.set()
            return False

        with model_lock(path, Monitor(lambda _: None, cancelled)):
            order.append("second")

    with model_lock(path, SILENT):
        thread = threading.Thread(target=second)
        thread.start()
        assert asked.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]


def test_waiting_can_be_cancelled(tmp_path: Path) -> None:
    path = tmp_path / ".locks" / "m.lock"
    caught: list[DownloadError] = []

    def second() -> None:
        try:
            with model_lock(path, Monitor(lambda _: None, lambda: True)):
                pass
        except DownloadError as error:
            caught.append(error)

    with model_lock(path, SILENT):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(10)
    assert len(caught) == 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "store").touch()
    with (
        pytest.raises(DownloadError, match="store cannot be written") as caught,
        model_lock(tmp_path / "store" / ".locks" / "m.lock", SILENT),
    ):
        pass
    assert "models.directory" in caught.value.hint
