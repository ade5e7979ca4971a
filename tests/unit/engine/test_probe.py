from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from lsp_server.engine import probe
from lsp_server.engine.trial import NO_MEMORY, REFUSED
from lsp_server.errors import DecodeError, ModelLoadError, OutOfMemoryError
from lsp_server.models.planning.settings import LoadSettings
from tests.support.loads import settings

PLAN = settings(tensor_split=(3, 4), cpu_moe_layers=(0, 2))
ARGUMENTS = ["model.gguf", json.dumps(asdict(PLAN))]


@pytest.fixture(autouse=True)
def no_input_is_no_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The input is that of the tests, which may be empty."""
    monkeypatch.setattr(probe, "_end_with_input", lambda: None)


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Path, LoadSettings]]:
    """What was asked for, instead of doing it."""
    calls: list[tuple[str, Path, LoadSettings]] = []
    monkeypatch.setattr(probe, "_try", lambda *given: calls.append(("try", *given)))
    monkeypatch.setattr(probe, "_simulate", lambda *given: calls.append(("simulate", *given)))
    return calls


@pytest.mark.parametrize(("options", "what"), [([], "try"), (["--simulate"], "simulate")])
def test_the_settings_arrive_as_they_were_sent(
    called: list[tuple[str, Path, LoadSettings]], options: list[str], what: str
) -> None:
    assert probe.main([*ARGUMENTS, *options]) == 0
    assert called == [(what, Path("model.gguf"), PLAN)]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ModelLoadError("wrong number of tensors"), REFUSED),
        (DecodeError("code -1"), REFUSED),
        (OutOfMemoryError("no room"), NO_MEMORY),
    ],
)
def test_a_refusal_is_told_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception, code: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(probe, "_try", fail)

    assert probe.main(ARGUMENTS) == code
    assert capsys.readouterr().out == str(error)


def test_a_defect_of_ours_is_not_taken_for_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(probe, "_try", fail)

    with pytest.raises(ZeroDivisionError):
        probe.main(ARGUMENTS)
