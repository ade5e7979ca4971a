"""``shardlight bench`` and ``shardlight eval`` with the real model, through an engine that they start."""

from __future__ import annotations

import gzip
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from lsp_server.cli import bench, measuring
from lsp_server.cli.main import main
from lsp_server.engine import runtime
from lsp_server.testing.small_holes import small_holes
from tests.support.terminal import Terminal

pytestmark = pytest.mark.real_model
OWN = Path(__file__).parents[1] / "support" / "problems.jsonl"


@pytest.fixture(scope="module", autouse=True)
def _own_engine(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Iterator[None]:
    """An engine of these tests alone, which ends with them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        patch.setenv("SHARDLIGHT_MODELS__COMPLETION", str(small_model))
        patch.setenv("SHARDLIGHT_MODELS__ASSISTANT", str(small_model))
        patch.setenv("SHARDLIGHT_ENGINE__N_CTX", "2048")
        yield
        for record in runtime.all_running():
            process = psutil.Process(record.pid)
            httpx.post(f"{record.url}/shutdown", headers=record.headers, timeout=5.0, trust_env=False)
            process.wait(30)


def test_problems_are_solved_by_programs_that_are_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "own.jsonl.gz"
    file.write_bytes(gzip.compress(OWN.read_bytes()))
    # The model solves 3 of 5 by going on, and the first two in a conversation; another build may round otherwise.
    for words, mode, count, least in (
        (["--mode", "completion"], "completion", 5, 0.4),
        (["--limit", "2"], "chat", 2, 0.5),
    ):
        assert main(["eval", str(file), *words, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["problems"], found["mode"]) == (count, mode)
        assert found["pass@1"]["value"] >= least
        lines = [json.loads(line) for line in Path(found["results"]).read_text(encoding="utf-8").splitlines()]
        assert all(line["tokens"] > 5 for line in lines[1:])


def test_a_model_is_measured_and_advice_follows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Less of all of it, whatever time that takes.
    for name in ("_SPEED_S", "_TYPING_S", "_HOLES_S"):
        monkeypatch.setattr(bench, name, math.inf)
    for name in ("_ROUNDS", "_STATEMENTS"):
        monkeypatch.setattr(measuring, name, 1)
    monkeypatch.setattr(measuring, "small_holes", lambda: small_holes()[:4])
    assert main(["bench", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["models"]
    assert found["role"] == "completion"
    assert found["speed"]["decode"] > 0
    assert found["speed"]["prompt_tokens"] > 300
    assert found["planned_decode"] > 0
    # What was typed before is not evaluated again.
    assert found["keystrokes"]["tokens_p50"] <= 4
    assert found["holes"]["count"] == 4
    assert found["holes"]["passed"] >= 1


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals there")
def test_in_a_terminal_it_shows_how_far_it_is_and_ends_at_once_when_told() -> None:
    terminal = Terminal("bench")
    terminal.until(b"0 of 3")
    assert b"Reading and writing" in terminal.shown
    terminal.type(b"\x03")
    assert terminal.exit_code() == 130
