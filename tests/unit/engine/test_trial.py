from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server import own_python
from lsp_server.engine import trial
from lsp_server.engine.trial import NO_MEMORY, REFUSED, Rung, ladder, proven_settings, settings_from, simulated
from lsp_server.errors import ModelLoadError
from lsp_server.models.planning.settings import LoadSettings
from tests.support.loads import settings

CRASH = -11
KILLED = -9
CPU = settings()
GPU = settings(n_gpu_layers=25, use_extra_bufts=False)
BOTH = settings(n_gpu_layers=10)
SIZES = {"weights": {"CPU": 0}, "cache": 4096, "cache_buffers": {}, "compute": {"CPU": 100}, "output": 20}


class Attempts:
    """Stands in for the process that may die: answers with exit codes, the last one repeated."""

    def __init__(self) -> None:
        self.codes = [0]
        self.stdout = ""
        self.stderr = ""
        self.seen: list[LoadSettings] = []
        self.options: list[tuple[str, ...]] = []

    def __call__(
        self, _model: Path, settings: LoadSettings, *options: str, on_progress: Callable[[float], bool] = bool
    ) -> subprocess.CompletedProcess[str]:
        code = self.codes[min(len(self.seen), len(self.codes) - 1)]
        self.seen.append(settings)
        self.options.append(options)
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
def told() -> list[str]:
    """What people were told on the way down."""
    return []


Prove = Callable[..., Rung]


@pytest.fixture
def prove(model: Path, memory_file: Path, told: list[str]) -> Prove:
    """``proven_settings`` of the model, on the same build, unless told otherwise."""

    def run(plan: LoadSettings = CPU, build_id: str = "build") -> Rung:
        return proven_settings(model, plan, build_id, on_step=told.append, memory_file=memory_file)

    return run


def descent(plan: LoadSettings) -> list[Rung]:
    """The plan, and every rung below it."""
    rungs = [Rung(plan)]
    for step in ladder(plan):
        rungs.append(rungs[-1].after(step))
    return rungs


def test_the_ladder_on_a_cpu() -> None:
    plan = settings(n_seq_max=4)
    assert [rung.settings for rung in descent(plan)] == [
        plan,
        settings(n_seq_max=4, use_extra_bufts=False),
        settings(use_extra_bufts=False),
        settings(use_extra_bufts=False, n_ctx=4096),
        settings(use_extra_bufts=False, n_ctx=2048, n_ubatch=64),
    ]
    assert descent(plan)[-1].given_up == (
        "rearranged weights",
        "more than one sequence",
        "half of the context",
        "all but 2,048 tokens of context",
    )


def test_the_ladder_gives_up_the_gpu_by_halves() -> None:
    plan = settings(
        n_gpu_layers=25,
        tensor_split=(13, 12),
        cpu_moe_layers=(0, 1),
        n_seq_max=2,
        load_mode="none",
        use_extra_bufts=False,
    )
    single = replace(plan, n_seq_max=1)
    shorter = replace(single, n_ctx=4096)
    slower = replace(shorter, n_gpu_layers=12, tensor_split=())
    on_cpu = replace(slower, n_gpu_layers=0, cpu_moe_layers=(), load_mode="mmap")
    assert [rung.settings for rung in descent(plan)] == [
        plan,
        plan,
        single,
        shorter,
        slower,
        on_cpu,
        replace(on_cpu, n_ctx=2048, n_ubatch=64),
    ]


@pytest.mark.parametrize(("n_ctx", "steps"), [(512, 1), (2048, 1), (2049, 2), (4096, 2), (32768, 3)])
def test_a_context_is_never_cut_below_2048_tokens(n_ctx: int, steps: int) -> None:
    rungs = descent(settings(n_ctx=n_ctx, n_ubatch=64))
    assert rungs[-1].settings.n_ctx == min(n_ctx, 2048)
    assert len(rungs[-1].given_up) == steps


def test_a_step_that_gives_up_nothing_is_none() -> None:
    rearranged = ladder(GPU)[0]
    assert Rung(GPU).after(rearranged) == Rung(GPU)


def test_a_single_layer_on_the_gpu_is_not_halved() -> None:
    assert [step.given_up for step in ladder(settings(n_gpu_layers=1))].count("half of the layers on the GPU") == 0


@pytest.mark.parametrize(("load_mode", "helps"), [("mmap", True), ("none", False)])
def test_rearranged_weights_cost_memory_where_the_file_stays_mapped(load_mode: Any, helps: bool) -> None:
    rearranged = ladder(settings(load_mode=load_mode))[0]
    assert (rearranged.given_up, rearranged.helps_memory, rearranged.helps_crash) == ("rearranged weights", helps, True)


def test_what_survives_first_is_taken(attempts: Attempts, prove: Prove, told: list[str]) -> None:
    assert prove() == Rung(CPU)
    assert attempts.seen == [CPU]
    assert told == []


def test_after_a_crash_the_context_is_kept(attempts: Attempts, prove: Prove, told: list[str]) -> None:
    attempts.codes = [CRASH, CRASH, 0]

    rung = prove(BOTH)

    plain = replace(BOTH, use_extra_bufts=False)
    assert attempts.seen == [BOTH, plain, replace(plain, n_gpu_layers=0)]
    assert rung == Rung(attempts.seen[-1], ("rearranged weights", "the GPU"))
    assert told == [
        "Loading model.gguf crashed (SIGSEGV). Trying without rearranged weights.",
        "Loading model.gguf crashed (SIGSEGV). Trying without the GPU.",
    ]


def test_for_want_of_memory_everything_is_made_smaller_step_by_step(
    attempts: Attempts, prove: Prove, told: list[str]
) -> None:
    attempts.codes = [NO_MEMORY, NO_MEMORY, NO_MEMORY, 0]

    rung = prove(GPU)

    assert [(seen.n_ctx, seen.n_gpu_layers) for seen in attempts.seen] == [
        (8192, 25),
        (4096, 25),
        (4096, 12),
        (4096, 0),
    ]
    assert rung.given_up == ("half of the context", "half of the layers on the GPU", "the GPU")
    assert told[0] == "There was not enough memory to load model.gguf. Trying without half of the context."


def test_a_plan_that_does_not_map_the_file_keeps_its_rearranged_weights_for_want_of_memory(
    attempts: Attempts, prove: Prove
) -> None:
    attempts.codes = [NO_MEMORY, 0]

    assert prove(settings(load_mode="none")).settings == settings(load_mode="none", n_ctx=4096)


def test_a_step_that_was_passed_over_is_not_gone_back_to(attempts: Attempts, prove: Prove) -> None:
    attempts.codes = [CRASH, NO_MEMORY, CRASH, CRASH]

    with pytest.raises(ModelLoadError):
        prove(BOTH)

    plain = replace(BOTH, use_extra_bufts=False)
    shorter = replace(plain, n_ctx=4096)
    assert attempts.seen == [BOTH, plain, shorter, replace(shorter, n_gpu_layers=0)]


@pytest.mark.parametrize("code", [KILLED, 137, NO_MEMORY])
def test_a_process_that_was_killed_lacked_memory(attempts: Attempts, prove: Prove, told: list[str], code: int) -> None:
    attempts.codes = [code, 0]

    prove(GPU)

    assert told == ["There was not enough memory to load model.gguf. Trying without half of the context."]


def test_a_crash_after_words_about_memory_lacked_memory(attempts: Attempts, prove: Prove) -> None:
    attempts.codes = [-6, 0]
    attempts.stderr = "ggml_aligned_malloc: insufficient memory (attempted to allocate  44.89 MB)\nGGML_ASSERT\n"

    assert prove(GPU).given_up == ("half of the context",)


@pytest.mark.parametrize(
    ("code", "how"), [(-11, "SIGSEGV"), (-4, "SIGILL"), (-99, "signal 99"), (3221225477, "code 3221225477")]
)
def test_people_are_told_how_it_ended(attempts: Attempts, prove: Prove, told: list[str], code: int, how: str) -> None:
    attempts.codes = [code, 0]

    prove()

    assert told == [f"Loading model.gguf crashed ({how}). Trying without rearranged weights."]


def test_crashes_all_the_way_down_are_an_error_with_the_last_words(
    attempts: Attempts, model: Path, memory_file: Path, prove: Prove
) -> None:
    attempts.codes = [CRASH]
    attempts.stderr = "ggml_backend_amx_mul_mat\n"

    with pytest.raises(ModelLoadError, match="ggml_backend_amx_mul_mat") as failed:
        prove(BOTH)

    assert str(model) in failed.value.message
    assert "doctor" in failed.value.hint
    assert len(attempts.seen) == 3
    assert not memory_file.exists()


def test_too_little_memory_for_the_smallest_is_an_error_that_says_so(
    attempts: Attempts, model: Path, prove: Prove
) -> None:
    attempts.codes = [NO_MEMORY]

    with pytest.raises(ModelLoadError, match="not enough memory") as failed:
        prove()

    assert str(model) in failed.value.message
    assert "shardlight plan" in failed.value.hint
    # Where there is one sequence already, there is no rung without the others.
    assert attempts.seen == list(dict.fromkeys(rung.settings for rung in descent(CPU)))


def test_sequences_go_before_the_context_does(attempts: Attempts, prove: Prove, told: list[str]) -> None:
    attempts.codes = [NO_MEMORY, 0]
    plan = replace(GPU, n_seq_max=4)

    rung = prove(plan)

    assert rung == Rung(replace(plan, n_seq_max=1), ("more than one sequence",))
    assert told == ["There was not enough memory to load model.gguf. Trying without more than one sequence."]


def test_a_crash_is_not_blamed_on_them(attempts: Attempts, prove: Prove) -> None:
    attempts.codes = [CRASH, 0]
    assert prove(replace(BOTH, n_seq_max=4)).settings.n_seq_max == 4


def test_a_refusal_is_an_error_at_once(attempts: Attempts, memory_file: Path, prove: Prove) -> None:
    attempts.codes = [REFUSED]
    attempts.stdout = "unknown model architecture: 'nonesuch'\n"

    with pytest.raises(ModelLoadError, match="nonesuch"):
        prove()

    assert attempts.seen == [CPU]
    assert not memory_file.exists()


def test_a_refusal_without_words_names_the_file(attempts: Attempts, model: Path, prove: Prove) -> None:
    attempts.codes = [REFUSED]

    with pytest.raises(ModelLoadError, match=model.name):
        prove()


def test_the_outcome_is_remembered_with_all_that_was_given_up(
    attempts: Attempts, prove: Prove, told: list[str]
) -> None:
    attempts.codes = [CRASH, CRASH, 0]
    found = prove(BOTH)
    told.clear()

    assert prove(BOTH) == found
    assert len(attempts.seen) == 3
    assert told == []


def test_another_build_plan_or_file_is_tried_anew(attempts: Attempts, model: Path, prove: Prove) -> None:
    prove()
    prove(build_id="newer")
    prove(settings(n_ctx=4096))
    prove(GPU)
    model.write_bytes(b"GGUF, another one")
    prove()

    assert len(attempts.seen) == 5
    prove()
    assert len(attempts.seen) == 5


def test_another_processor_is_tried_anew(attempts: Attempts, prove: Prove, monkeypatch: pytest.MonkeyPatch) -> None:
    prove()
    monkeypatch.setattr(trial, "processor_name", lambda: "Abacus 9000")
    prove()

    assert len(attempts.seen) == 2


@pytest.mark.parametrize("content", ["", "{", "[]", "3", '{"key": 3', "\ufffd"])
def test_a_damaged_memory_costs_one_trial(attempts: Attempts, memory_file: Path, prove: Prove, content: str) -> None:
    memory_file.parent.mkdir()
    memory_file.write_text(content, encoding="utf-8")

    assert prove() == prove() == Rung(CPU)
    assert len(attempts.seen) == 1


@pytest.mark.parametrize(
    "entry",
    [
        None,
        3,
        {},
        {"survived": None},
        {"survived": 3},
        {"survived": {"n_ctx": 4096}},
        {"survived": [3]},
        {"survived": [[]]},
        {"survived": ["the moon"]},
        {"survived": ["the GPU"]},
        {"survived": ["half of the context", "rearranged weights"]},
        {"survived": ["rearranged weights", "rearranged weights"]},
    ],
)
def test_a_damaged_entry_costs_one_trial(attempts: Attempts, memory_file: Path, prove: Prove, entry: object) -> None:
    prove()
    (key,) = json.loads(memory_file.read_text(encoding="utf-8"))
    memory_file.write_text(json.dumps({key: entry}), encoding="utf-8")

    assert prove() == prove() == Rung(CPU)
    assert len(attempts.seen) == 2


def test_a_memory_that_cannot_be_written_only_costs_the_next_trial(
    attempts: Attempts, memory_file: Path, prove: Prove
) -> None:
    memory_file.parent.write_text("a file where the folder should be", encoding="utf-8")

    assert prove() == prove() == Rung(CPU)
    assert len(attempts.seen) == 2


@pytest.mark.usefixtures("attempts")
def test_the_memory_is_written_aside_and_nothing_of_that_is_left(memory_file: Path, prove: Prove) -> None:
    prove()

    assert list(memory_file.parent.iterdir()) == [memory_file]


def test_sizes_are_asked_for_once_for_each_settings(attempts: Attempts, model: Path, memory_file: Path) -> None:
    attempts.stdout = json.dumps(SIZES)

    assert simulated(model, CPU, "build", memory_file=memory_file) == SIZES
    assert simulated(model, CPU, "build", memory_file=memory_file) == SIZES
    assert (attempts.seen, attempts.options) == ([CPU], [("--simulate",)])

    simulated(model, GPU, "build", memory_file=memory_file)
    simulated(model, CPU, "newer", memory_file=memory_file)
    assert attempts.seen == [CPU, GPU, CPU]


def test_sizes_and_outcome_of_the_same_settings_are_kept_side_by_side(
    attempts: Attempts, model: Path, memory_file: Path, prove: Prove
) -> None:
    attempts.stdout = json.dumps(SIZES)
    simulated(model, CPU, "build", memory_file=memory_file)
    prove()
    simulated(model, CPU, "build", memory_file=memory_file)
    prove()

    assert len(attempts.seen) == 2


def test_a_simulation_that_crashes_is_no_answer_and_not_kept(
    attempts: Attempts, model: Path, memory_file: Path
) -> None:
    attempts.codes = [CRASH, 0]
    attempts.stdout = json.dumps(SIZES)

    assert simulated(model, CPU, "build", memory_file=memory_file) is None
    assert simulated(model, CPU, "build", memory_file=memory_file) == SIZES


def test_a_simulation_that_lacks_memory_leaves_it_to_the_ladder(
    attempts: Attempts, model: Path, memory_file: Path
) -> None:
    attempts.codes = [NO_MEMORY]

    assert simulated(model, CPU, "build", memory_file=memory_file) is None


def test_a_refused_simulation_is_an_error(attempts: Attempts, model: Path, memory_file: Path) -> None:
    attempts.codes = [REFUSED]
    attempts.stdout = "wrong number of tensors\n"

    with pytest.raises(ModelLoadError, match="wrong number of tensors"):
        simulated(model, CPU, "build", memory_file=memory_file)


@pytest.fixture
def interpreter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Lets Python lines run in place of the process that may die; ``sys.argv`` is what it is given."""

    def put(lines: str) -> None:
        path = tmp_path / "python"
        path.write_text(f"#!{sys.executable}\nimport sys\n{lines}\n", "utf-8")
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return put


@pytest.mark.skipif(sys.platform == "win32", reason="a script is no program there")
class TestProcess:
    def test_it_is_given_the_settings_whole(self, model: Path, interpreter: Callable[[str], None]) -> None:
        plan = settings(tensor_split=(3, 4), cpu_moe_layers=(0, 2), n_gpu_layers=7, type_k="Q8_0", load_mode="none")
        interpreter("import json; print(json.dumps(sys.argv[1:]))")

        result = trial._attempt(model, plan, "--simulate")

        *_, path, sent, option = json.loads(result.stdout)
        assert (path, option) == (str(model), "--simulate")
        assert settings_from(json.loads(sent)) == plan

    def test_it_tells_how_far_it_is(self, model: Path, interpreter: Callable[[str], None]) -> None:
        interpreter("print('progress 0.25'); print('progress 1.00'); print('a reason'); sys.exit('last words')")
        told: list[float] = []

        result = trial._attempt(model, CPU, on_progress=lambda fraction: told.append(fraction) or True)  # type: ignore[func-returns-value]

        assert told == [0.25, 1.0]
        assert (result.returncode, result.stdout, result.stderr) == (1, "a reason\n", "last words\n")

    def test_long_complaints_do_not_stop_it(self, model: Path, interpreter: Callable[[str], None]) -> None:
        interpreter("print('x' * 1_000_000, file=sys.stderr); print('done')")

        result = trial._attempt(model, CPU)

        assert (result.returncode, result.stdout, len(result.stderr)) == (0, "done\n", 1_000_001)

    def test_it_is_ended_when_nobody_wants_it_any_more(
        self, model: Path, interpreter: Callable[[str], None], memory_file: Path
    ) -> None:
        """Ended by us, not for want of memory: no step down the ladder."""
        interpreter("import time; print('progress 0.01', flush=True); time.sleep(3600)")

        with pytest.raises(ModelLoadError, match="was stopped"):
            proven_settings(model, CPU, "build", on_progress=lambda _fraction: False, memory_file=memory_file)


@pytest.mark.parametrize("fields", [{}, {"n_ctx": 1}, {"colour": "red"}])
def test_settings_with_missing_or_unknown_fields_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        settings_from(fields)


def test_a_rung_reached_for_want_of_memory_is_tried_anew(
    attempts: Attempts, prove: Callable[..., Rung], memory_file: Path
) -> None:
    attempts.codes = [NO_MEMORY, 0]
    lower = prove()
    attempts.codes = [0]

    assert lower.given_up
    assert not memory_file.exists()
    assert prove().given_up == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_the_process_ends_with_whoever_started_it(tmp_path: Path) -> None:
    """A model that never comes keeps it busy."""
    model = tmp_path / "m.gguf"
    os.mkfifo(model)
    command = own_python.command("lsp_server.engine.probe", str(model), json.dumps(trial._jsonable(CPU)))
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=own_python.FOLDER) as process:
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=2)
        assert process.stdin
        process.stdin.close()
        assert process.wait(timeout=60) == 1
