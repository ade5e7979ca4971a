"""``shardlight bench``: which models are measured, and what is shown of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.cli import bench as cli
from lsp_server.cli.bench import Finding, rows
from lsp_server.cli.main import main
from lsp_server.cli.measuring import Filled, Keystrokes, Speed
from lsp_server.inference.launcher import EngineSpec
from lsp_server.models.catalog import Role
from lsp_server.settings.schema import Settings
from tests.support.engine import engine_spec

FOUND = Finding(
    "a [model]",
    "completion",
    Speed(1130.4, 26.42, 812.3, 441),
    Keystrokes(40, 1.0, 14.0, 320.4, 1416.0),
    Filled(17, 20),
    61.4,
    353.0,
    ("Change [this].",),
)


class Measured:
    """Stands in for the measurement; which models were asked for is kept."""

    def __init__(self) -> None:
        self.asked: list[tuple[Role, str]] = []

    async def __call__(self, role: Role, spec: EngineSpec) -> Finding:
        self.asked.append((role, spec.model_path.name))
        return replace(FOUND, model=spec.model_path.name, role=role)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    """Models are files that are called as the settings name them."""
    measured = Measured()

    def spec_of(name: str, settings: Settings, role: Role) -> EngineSpec:
        models = settings.models
        return engine_spec(Path(name if name != "auto" else getattr(models, role)))

    monkeypatch.setattr(cli, "_measure", measured)
    monkeypatch.setattr(cli, "spec_of", spec_of)
    monkeypatch.setenv("SHARDLIGHT_MODELS__COMPLETION", "small")
    monkeypatch.setenv("SHARDLIGHT_MODELS__ASSISTANT", "large")
    monkeypatch.setenv("COLUMNS", "200")
    return measured


def test_the_models_that_are_used_are_measured_each_for_what_it_is_used(measured: Measured) -> None:
    assert main(["bench"]) == 0
    assert measured.asked == [("completion", "small"), ("assistant", "large")]


def test_one_that_has_both_roles_is_measured_once(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARDLIGHT_MODELS__ASSISTANT", "small")
    assert main(["bench"]) == 0
    assert measured.asked == [("completion", "small")]


def test_a_model_that_is_named(measured: Measured, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--model", "other", "--json"]) == 0
    assert measured.asked == [("completion", "other")]
    (told,) = json.loads(capsys.readouterr().out)["models"]
    assert told["speed"]["decode"] == 26.42
    assert told["holes"]["passed"] == 17
    assert told["holes"]["rate"] == 0.85
    assert told["changes"] == ["Change [this]."]


def test_models_elsewhere_are_not_measured(
    measured: Measured, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for role in ("COMPLETION", "ASSISTANT"):
        monkeypatch.setenv(f"SHARDLIGHT_BACKEND__{role}_URL", "http://192.0.2.1/v1")
    assert main(["bench"]) == 0
    assert measured.asked == []
    assert "served elsewhere" in capsys.readouterr().out


def test_what_is_shown(measured: Measured, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--model", "small"]) == 0
    text = capsys.readouterr().out
    assert "small as completion" in text
    assert "• Change [this]." in text


def test_figures_in_words() -> None:
    assert rows(FOUND) == [
        ("reading", "1,130 tokens/s, 353 planned"),
        ("writing", "26.4 tokens/s, 61.4 planned"),
        ("first token", "812 ms at a new place (441 tokens read)"),
        ("a keystroke", "1 token evaluated, 320 ms to a suggestion (median of 40; 95 %: 14 tokens, 1,416 ms)"),
        ("small holes", "17 of 20 filled so that their tests pass (64% to 95%)"),
    ]
    assert rows(replace(FOUND, speed=None, keystrokes=None, holes=None)) == []


def test_it_can_be_stopped(measured: Measured, monkeypatch: pytest.MonkeyPatch) -> None:
    async def stopped(_role: Role, _spec: EngineSpec) -> Finding:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_measure", stopped)
    assert main(["bench"]) == 130
