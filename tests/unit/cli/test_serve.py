"""``shardlight serve``: what it says where it cannot listen; serving itself is for the tests of the server."""

from __future__ import annotations

import gc
import socket
from collections.abc import Iterator

import pytest

from lsp_server.cli.main import main


@pytest.fixture(autouse=True)
def _unfrozen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # It would leave texts out of the log that later tests read.
    monkeypatch.setattr("lsp_server.server.quiet_log.keep_texts_out", lambda: None)
    yield
    gc.unfreeze()


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["serve", "--tcp", "--port", str(port)]) == 1
    assert f"Port {port} on 127.0.0.1 cannot be used: " in capsys.readouterr().err
