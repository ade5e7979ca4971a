"""The demo as a person runs it, with its output piped."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_server.engine import runtime
from tests.support.engine import PATIENCE_S
from tools.demo.parts import PARTS

_ROOT = Path(__file__).resolve().parents[2]
# A busy machine with two cores takes about a minute.
_LIMIT_S = 900


@pytest.fixture
def own_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Engines that nobody else uses, and that are gone afterwards."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("FORCE_COLOR", "NO_COLOR", "COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    yield
    processes = [record.process() for record in runtime.all_running()]
    subprocess.run([sys.executable, "-m", "lsp_server", "engine", "stop"], check=True, capture_output=True)
    for process in processes:
        process.wait(PATIENCE_S)


def run_demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo's exit status and output."""
    command = [sys.executable, "-m", "tools.demo", *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, encoding="utf-8", timeout=_LIMIT_S, check=False)


def outcomes(output: str) -> dict[str, str]:
    """``ok`` or ``FAILED`` by part, as the summary has it."""
    summary = output.rpartition("Summary")[2]
    rows = re.findall(r"^ +(ok|FAILED)  (\S.*?)(?:  |$)", summary, re.MULTILINE)
    return {title.strip(): outcome for outcome, title in rows}


@pytest.mark.real_model
@pytest.mark.usefixtures("own_engine")
def test_every_part_is_good(small_model: Path) -> None:
    run = run_demo("--model", str(small_model))
    assert run.returncode == 0, run.stdout + run.stderr
    assert outcomes(run.stdout) == {part.title: "ok" for part in PARTS}
    assert "\x1b" not in run.stdout
    assert not set("│─✓▏") & set(run.stdout)
    assert run.stderr == ""


@pytest.mark.usefixtures("own_engine")
def test_a_part_that_fails_says_why_and_the_exit_status_tells(tmp_path: Path) -> None:
    run = run_demo("--model", str(tmp_path / "nowhere.gguf"))
    assert run.returncode == 1
    assert outcomes(run.stdout) == {part.title: "FAILED" for part in PARTS}
    assert "There is no file" in run.stdout
    assert "Traceback" not in run.stdout + run.stderr
