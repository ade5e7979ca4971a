from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lsp_server.cli.main import main
from lsp_server.engine import process
from lsp_server.engine.config import EngineConfig
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
        {"port": 4711, "idle_minutes": 7},
    ]
