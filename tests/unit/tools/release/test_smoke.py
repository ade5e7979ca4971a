"""A release that is not what it should be is told by its smoke test; a good one is seen to pass by `make release`."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from tools.demo import editor
from tools.release import smoke as smoking
from tools.release.smoke import SmokeError, smoke, surroundings

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script")
PLAN = {"predicted": {"decode_tokens_per_s": 5.0}}


@pytest.fixture
def program(tmp_path: Path) -> Any:
    """``program(checks={...})``: a shardlight whose checks have these names and outcomes, and that cannot serve.

    ``silent``: it seems to serve, and says nothing.
    """

    def make(version: str = "1.2.3", checks: dict[str, str] | None = None, *, silent: bool = False) -> Path:
        report = {
            "checks": [{"name": name, "status": status, "detail": "so"} for name, status in (checks or {}).items()]
        }
        answers = {"--version": f"shardlight {version}", "plan": json.dumps(PLAN), "doctor": json.dumps(report)}
        path = tmp_path / "shardlight"
        path.write_text(
            f"#!{sys.executable}\nimport sys, time\nanswers = {answers!r}\nword = sys.argv[1]\n"
            f"time.sleep(600) if {silent} and word == 'serve' else None\n"
            "print(answers.get(word, ''))\nsys.exit(1 if word in ('doctor', 'serve') else 0)\n",
            encoding="utf-8",
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


def test_the_version_has_to_be_the_releases(program: Any) -> None:
    with pytest.raises(SmokeError, match=r"shardlight 1\.2\.3, not shardlight 1\.2\.4"):
        smoke(program(), "1.2.4", None)


def test_a_failed_check_is_told(program: Any) -> None:
    with pytest.raises(SmokeError, match="grammars: so"):
        smoke(program(checks={"python": "ok", "grammars": "failed"}), "1.2.3", None)


def test_a_missing_model_is_no_failure_unless_there_is_one(program: Any, tmp_path: Path) -> None:
    checks = {"completion model": "failed", "engine": "failed"}
    with pytest.raises(SmokeError, match="completion model: so"):
        smoke(program(checks=checks), "1.2.3", tmp_path / "model.gguf")


def test_a_server_that_says_nothing_is_told_and_ended(program: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smoking, "_PATIENCE_S", 0.5)
    monkeypatch.setattr(editor, "_PATIENCE_S", 0.5)
    with pytest.raises(SmokeError, match="no answer"):
        smoke(program(silent=True), "1.2.3", None)


def test_nothing_of_ours_and_of_this_home_gets_in(tmp_path: Path) -> None:
    environ = {"PATH": "/bin", "HOME": "/root", "PYTHONPATH": "/x", "SHARDLIGHT_LOG": "x", "XDG_DATA_HOME": "/x"}
    clean = surroundings(environ, tmp_path / "home", tmp_path / "model.gguf")
    assert "/x" not in clean.values()
    assert (clean["PATH"], clean["HOME"]) == ("/bin", str(tmp_path / "home"))
    assert [name for name in clean if name.startswith("SHARDLIGHT_")] == [
        "SHARDLIGHT_MODELS__COMPLETION",
        "SHARDLIGHT_MODELS__ASSISTANT",
    ]
