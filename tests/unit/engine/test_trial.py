from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.engine import trial
from lsp_server.engine.trial import REFUSED, LoadSettings, ladder, proven_settings
from lsp_server.errors import ModelLoadError

CRASH = -11
FAST = LoadSettings(use_extra_bufts=True, n_gpu_layers=-1)
PLAIN = LoadSettings(use_extra_bufts=False, n_gpu_layers=-1)
CAREFUL = LoadSettings(use_extra_bufts=False, n_gpu_layers=0)


class Attempts:
    """Stands in for the process that may die: answers with exit codes, the last one repeated."""

    def __init__(self) -> None:
        self.codes = [0]
        self.stdout = ""
        self.stderr = ""
        self.seen: list[LoadSettings] = []

    def __call__(self, _model: Path, settings: LoadSettings) -> subprocess.CompletedProcess[str]:
        code = self.codes[min(len(self.seen), len(self.codes) - 1)]
        self.seen.append(settings)
        return subprocess.CompletedProcess([], code, self.stdout, self.stderr)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Attempts:
    attempts = Attempts()
    monkeypatch.setattr(trial, "_attempt", attempts)
    return attempts


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF")
    return path


@pytest.fixture
def memory_file(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "load-trials.json"


@pytest.fixture
def prove(model: Path, memory_file: Path) -> Callable[..., LoadSettings]:
    """``proven_settings`` of the model, on the same build, unless told otherwise."""

    def run(n_gpu_layers: int = -1, build_id: str = "build") -> LoadSettings:
        return proven_settings(model, n_gpu_layers, build_id, memory_file=memory_file)

    return run


def test_the_ladder_goes_from_fast_to_careful() -> None:
    assert ladder(-1) == [FAST, PLAIN, CAREFUL]
    assert ladder(20) == [LoadSettings(True, 20), LoadSettings(False, 20), CAREFUL]


def test_without_a_gpu_there_is_none_to_give_up() -> None:
    assert ladder(0) == [LoadSettings(True, 0), CAREFUL]


def test_what_survives_first_is_taken(attempts: Attempts, prove: Callable[..., LoadSettings]) -> None:
    assert prove() == FAST
    assert attempts.seen == [FAST]


@pytest.mark.parametrize(
    ("codes", "seen"), [([CRASH, 0], [FAST, PLAIN]), ([CRASH, 1, 0], [FAST, PLAIN, CAREFUL])], ids=["one", "two"]
)
def test_a_crash_leads_to_the_next_step(
    attempts: Attempts, prove: Callable[..., LoadSettings], codes: list[int], seen: list[LoadSettings]
) -> None:
    attempts.codes = codes

    assert prove() == seen[-1]
    assert attempts.seen == seen


def test_crashes_all_the_way_down_are_an_error_with_the_last_words(
    attempts: Attempts, model: Path, prove: Callable[..., LoadSettings]
) -> None:
    attempts.codes = [CRASH]
    attempts.stderr = "ggml_backend_amx_mul_mat\n"

    with pytest.raises(ModelLoadError, match="ggml_backend_amx_mul_mat") as failed:
        prove()

    assert str(model) in failed.value.message
    assert "doctor" in failed.value.hint
    assert len(attempts.seen) == 3


def test_a_refusal_is_an_error_at_once(
    attempts: Attempts, memory_file: Path, prove: Callable[..., LoadSettings]
) -> None:
    attempts.codes = [REFUSED]
    attempts.stdout = "unknown model architecture: 'nonesuch'\n"

    with pytest.raises(ModelLoadError, match="nonesuch"):
        prove()

    assert attempts.seen == [FAST]
    assert not memory_file.exists()


def test_a_refusal_without_words_names_the_file(
    attempts: Attempts, model: Path, prove: Callable[..., LoadSettings]
) -> None:
    attempts.codes = [REFUSED]

    with pytest.raises(ModelLoadError, match=model.name):
        prove()


def test_the_outcome_is_remembered(attempts: Attempts, prove: Callable[..., LoadSettings]) -> None:
    attempts.codes = [CRASH, 0]
    prove()

    assert prove() == PLAIN
    assert len(attempts.seen) == 2


def test_another_build_layer_count_or_file_is_tried_anew(
    attempts: Attempts, model: Path, prove: Callable[..., LoadSettings]
) -> None:
    prove()
    prove(build_id="newer")
    prove(n_gpu_layers=0)
    model.write_bytes(b"GGUF, another one")
    prove()

    assert len(attempts.seen) == 4
    prove(build_id="newer", n_gpu_layers=-1)
    assert len(attempts.seen) == 5


def test_another_processor_is_tried_anew(
    attempts: Attempts, prove: Callable[..., LoadSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    prove()
    monkeypatch.setattr(trial, "processor_name", lambda: "Abacus 9000")
    prove()

    assert len(attempts.seen) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"key": 3', "\ufffd"])
def test_a_damaged_memory_costs_one_trial(
    attempts: Attempts, memory_file: Path, prove: Callable[..., LoadSettings], content: str
) -> None:
    memory_file.parent.mkdir()
    memory_file.write_text(content, encoding="utf-8")

    assert prove() == FAST
    assert prove() == FAST
    assert len(attempts.seen) == 1


@pytest.mark.parametrize("entry", [None, 3, {}, {"use_extra_bufts": True}, {"n_gpu_layers": -1, "colour": "red"}])
def test_a_damaged_entry_costs_one_trial(
    attempts: Attempts, memory_file: Path, prove: Callable[..., LoadSettings], entry: object
) -> None:
    prove()
    (key,) = json.loads(memory_file.read_text(encoding="utf-8"))
    memory_file.write_text(json.dumps({key: entry}), encoding="utf-8")

    assert prove() == FAST
    assert len(attempts.seen) == 2


def test_a_memory_that_cannot_be_written_only_costs_the_next_trial(
    attempts: Attempts, memory_file: Path, prove: Callable[..., LoadSettings]
) -> None:
    memory_file.parent.write_text("a file where the folder should be", encoding="utf-8")

    assert prove() == FAST
    assert prove() == FAST
    assert len(attempts.seen) == 2


@pytest.mark.usefixtures("attempts")
def test_the_memory_is_written_aside_and_nothing_of_that_is_left(
    memory_file: Path, prove: Callable[..., LoadSettings]
) -> None:
    prove()

    assert list(memory_file.parent.iterdir()) == [memory_file]


@pytest.mark.parametrize(
    ("settings", "text"),
    [(FAST, "with extra buffers, GPU where there is one"), (CAREFUL, "without extra buffers, no GPU")],
)
def test_settings_are_described_for_people(settings: LoadSettings, text: str) -> None:
    assert settings.description == text
