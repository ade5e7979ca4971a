from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lsp_server.cli.main import main
from lsp_server.engine import client_token, process, runtime
from lsp_server.engine.config import EngineConfig
from lsp_server.engine.runtime import EngineRecord
from lsp_server.inference.launcher import EngineSpec, command_of
from tests.support.tiny import write_tiny_deepseek4


def test_an_engine_is_started_with_what_the_editor_wants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of a client go along on the command line; those of the user's file would not have them."""
    model = write_tiny_deepseek4(tmp_path)
    started: list[Any] = []

    def run(config: EngineConfig, _layout_of: object, **others: object) -> int:
        started.extend([config, others])
        return 0

    monkeypatch.setattr(process, "run", run)
    spec = EngineSpec(
        "small",
        model,
        n_ctx=4096,
        n_gpu_layers=3,
        n_threads=2,
        port=4711,
        idle_minutes=7,
        role="assistant",
        memory_percent=60,
        checkpoint_mb=100,
        background_percent=20,
    )
    _, _, _, *arguments = command_of(spec)

    assert main(arguments) == 0
    assert started == [
        EngineConfig(
            "small",
            model,
            n_ctx=4096,
            n_gpu_layers=3,
            n_threads=2,
            memory_share=0.6,
            role="assistant",
            checkpoint_bytes=100_000_000,
            background_share=0.2,
        ),
        {"port": 4711, "idle_minutes": 7, "for_editors": True},
    ]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of this test's own."""
    monkeypatch.setattr(runtime, "user_state_path", lambda name, appauthor: tmp_path / name)
    return tmp_path


def test_the_token_of_other_clients_is_all_that_is_written(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["engine", "token"]) == 0
    token = capsys.readouterr().out

    assert token == f"{client_token.read()}\n"
    assert main(["engine", "token", "--header"]) == 0
    assert capsys.readouterr().out == f"Authorization: Bearer {token}"
    assert main(["engine", "token", "--new"]) == 0
    assert capsys.readouterr().out not in ("", token)


def test_a_token_that_cannot_be_kept(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client_token.path().with_suffix(f".{os.getpid()}.tmp").mkdir()

    assert main(["engine", "token"]) == 1
    assert f"The token cannot be kept in {client_token.path()}: Is a directory." in capsys.readouterr().err


def test_an_engine_that_has_just_ended_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    record = EngineRecord(ended.pid, 1.0, 9, "t", "small", "small.gguf", 512, 0, "1.0", 1.0)
    monkeypatch.setattr(runtime, "all_running", lambda: [record])

    assert main(["engine", "stop"]) == 0
    assert "small did not answer" in capsys.readouterr().out
