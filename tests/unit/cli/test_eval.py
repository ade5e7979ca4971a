"""``shardlight eval``: what it asks for, shows and refuses; the model is a scripted one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from lsp_server.cli import eval as cli
from lsp_server.cli.main import main
from lsp_server.inference.scripted import ScriptedBackend
from tests.support.engine import engine_spec

LINES = [
    {
        "task_id": f"p/{n}",
        "prompt": "def f(x):\n",
        "entry_point": "f",
        "canonical_solution": "    return x + 1\n",
        "test": "def check(f):\n    assert f(1) == 2\n",
    }
    for n in range(3)
]
RIGHT, WRONG = "def f(x):\n    return x + 1\n", "def f(x):\n    return x\n"


class Model(ScriptedBackend):
    """A scripted model with a template for conversations."""

    async def props(self) -> dict[str, Any]:
        return {"chat_template": "a template"}


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Model:
    """Who answers."""
    model = Model(chats=[RIGHT, WRONG, RIGHT])

    @asynccontextmanager
    async def engine(_spec: object, _shown: object) -> AsyncIterator[Model]:
        yield model

    monkeypatch.setattr(cli, "engine", engine)
    monkeypatch.setattr(cli, "spec_of", lambda name, _settings, _role: engine_spec(Path(name)))
    monkeypatch.setenv("COLUMNS", "200")
    return model


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three problems."""
    path = tmp_path / "mine.jsonl"
    path.write_text("\n".join(map(json.dumps, LINES)), encoding="utf-8")
    return path


def test_the_rate_its_interval_and_what_failed(model: Model, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", str(file)]) == 0
    text = capsys.readouterr().out
    for part in ("small on mine.jsonl", "67% (21% to 94%)", "3 problems", "chat", "1 × AssertionError"):
        assert part in text
    assert str(file.with_name("mine.small.chat.results.jsonl")) in text


def test_it_goes_on_where_it_stopped(model: Model, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", str(file), "--limit", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["problems"] == 1
    assert main(["eval", str(file), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(model.seen) == 3
    assert (told["problems"], told["pass@1"]["value"]) == (3, pytest.approx(2 / 3))
    assert (told["model"], told["mode"], told["temperature"]) == ("small", "chat", 0.0)


def test_several_samples_are_drawn_by_chance(model: Model, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results = file.with_name("r.jsonl")
    assert main(["eval", str(file), "--samples", "2", "--results", str(results), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["temperature"] == 0.8
    assert {"pass@1", "pass@2"} <= told.keys()
    assert len(results.read_text(encoding="utf-8").splitlines()) == 1 + 6


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--samples", "2", "--temperature", "0"], "all samples are the same"),
        (["--temperature", "7"], "7.0 is no temperature"),
    ],
)
def test_what_makes_no_sense(
    words: list[str], complaint: str, model: Model, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", str(file), *words]) == 1
    assert complaint in capsys.readouterr().err
    assert model.seen == []


def test_stopped_it_says_that_nothing_is_lost(
    model: Model, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    model.chats = [RIGHT]
    monkeypatch.setattr(cli, "missing", lambda *_arguments: stop())
    assert main(["eval", str(file)]) == 130
    assert "goes on from here" in capsys.readouterr().err


def test_the_help_says_how_it_is_confined(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["eval", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "nothing is run" in said
    assert "is no prison" in said
