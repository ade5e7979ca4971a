"""The command line as a whole: help, versions, errors as sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lsp_server import __version__
from lsp_server.cli.main import COMMANDS, main


@pytest.fixture(autouse=True)
def _own_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == f"shardlight {__version__}"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    help_text = capsys.readouterr().out
    assert all(f"\n    {command} " in help_text for command in COMMANDS)


def test_a_subcommand_may_be_called_like_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert "status" in COMMANDS
    assert main(["--log-level", "error", "engine", "status"]) == 0
    assert "No engine runs." in capsys.readouterr().out


def test_an_error_is_a_sentence_with_its_way_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "path", "qwen2.5-coder-05b"]) == 1
    complaint = capsys.readouterr().err
    assert "qwen2.5-coder-05b" in complaint
    assert "qwen2.5-coder-0.5b" in complaint
    assert "Traceback" not in complaint


def test_a_wrong_setting_is_reported_and_the_command_runs(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARDLIGHT_ENGINE__N_CTX", "plenty")
    assert main(["engine", "status"]) == 0
    output = capsys.readouterr()
    assert "engine.n_ctx must be a whole number" in output.err
    assert "No engine runs." in output.out


def test_python_dash_m_is_the_same_command() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "lsp_server", "--version"], capture_output=True, encoding="utf-8", check=True
    )
    assert result.stdout.strip() == f"shardlight {__version__}"


def test_serve_imports_neither_model_nor_http_code() -> None:
    """An editor waits for this start; and the language server must not be able to load weights."""
    code = (
        "import sys, lsp_server.cli.main, lsp_server.cli.serve, lsp_server.server.app\n"
        "print([m for m in ('llama_cpp', 'httpx', 'huggingface_hub', 'uvicorn', 'rich', 'numpy') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert result.stdout.strip() == "[]"
