"""What happens around a load, with a made-up machine and a child process that is played by the test."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server.engine import loading, trial
from lsp_server.engine.hardware import Library
from lsp_server.engine.loading import Load, exact, kernel_types, prepare, survey, totals
from lsp_server.engine.trial import Rung
from lsp_server.errors import InvalidModelFileError, ModelLoadError
from lsp_server.models.gguf.shard_set import open_set
from lsp_server.models.hardware import Cpu, Hardware
from lsp_server.models.planning.anatomy import anatomy_of
from lsp_server.models.planning.plan import Wishes
from lsp_server.models.planning.settings import LoadSettings
from tests.support.gguf import F32, Q4_K, GgufFile, TensorInfo
from tests.support.loads import MIB, device, plan, settings

GB = 10**9
LIBRARY = Library("0.3.36", "AVX2 = 1", (), "build")
MACHINE = Hardware(
    name="this machine",
    cpu=Cpu("A processor", physical_cores=4, features=(), numa_nodes=1, bandwidth=40e9),
    ram_total=16 * GB,
    ram_available=12 * GB,
    disk_read=1e9,
    here=True,
)
WIDTH = 256


def library() -> Library:
    return LIBRARY


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model of two layers; its weights are a hole."""
    parts = {
        "token_embd.weight": ((WIDTH, 512), Q4_K),
        "output_norm.weight": ((WIDTH,), F32),
        **{f"blk.{i}.attn_{part}.weight": ((WIDTH, WIDTH), Q4_K) for i in range(2) for part in "qkv"},
    }
    metadata = {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.context_length": 8192,
        "llama.embedding_length": WIDTH,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 4,
        "llama.attention.key_length": 64,
        "llama.attention.value_length": 64,
        "llama.feed_forward_length": 512,
    }
    return GgufFile(metadata, [TensorInfo(name, *rest) for name, rest in parts.items()]).write(tmp_path / "m.gguf")


class Child:
    """Plays the child process: what it says of sizes, which rung survives, what it tells on the way down."""

    def __init__(self) -> None:
        self.sizes: dict[str, Any] | None = sizes()
        self.rung: Callable[[LoadSettings], Rung] = Rung
        self.told: list[str] = []
        self.asked: list[LoadSettings] = []

    def simulated(self, _path: Path, wanted: LoadSettings, build_id: str) -> dict[str, Any] | None:
        assert build_id == "build"
        self.asked.append(wanted)
        return self.sizes

    def proven(
        self,
        _path: Path,
        wanted: LoadSettings,
        build_id: str,
        *,
        on_step: Callable[[str], None],
        on_progress: Callable[[float], bool],
    ) -> Rung:
        assert build_id == "build"
        assert on_progress(0.5)
        for text in self.told:
            on_step(text)
        return self.rung(wanted)


@pytest.fixture
def child(monkeypatch: pytest.MonkeyPatch) -> Child:
    child = Child()
    monkeypatch.setattr(trial, "simulated", child.simulated)
    monkeypatch.setattr(trial, "proven_settings", child.proven)

    def detect(_place: Path, *, types: Sequence[str], library: Library) -> Hardware:
        assert library is LIBRARY
        assert "Q4_K" in types
        return MACHINE

    monkeypatch.setattr(loading, "detect", detect)
    return child


def sizes(cache: int = 96, output: int = 1, **compute: int) -> dict[str, Any]:
    """What the child says, in MiB."""
    buffers = {name: size * MIB for name, size in (compute or {"CPU": 30}).items()}
    return {"weights": {}, "cache": cache * MIB, "cache_buffers": {}, "compute": buffers, "output": output * MIB}


def test_llama_cpps_own_figures_replace_the_formulas(model: Path, child: Child) -> None:
    formulas = plan(device("CPU", weights=500, kv=77, compute=66), n_contexts=2)

    found = exact(model, formulas, "build")

    assert found == replace(formulas, devices=(device("CPU", weights=500, kv=192, compute=62),), exact=True)
    assert child.asked == [formulas.settings]


def test_the_cache_is_divided_among_the_devices_as_the_formulas_have_it(model: Path, child: Child) -> None:
    child.sizes = sizes(cache=100, output=2, CUDA0=40, CUDA1=50, CPU=8)
    formulas = plan(device("CUDA0", kv=30, compute=1), device("CUDA1", kv=60, compute=1), device("CPU", kv=10))

    found = {use.name: (use.kv_bytes, use.compute_bytes) for use in exact(model, formulas, "build").devices}

    assert found == {"CUDA0": (30 * MIB, 40 * MIB), "CUDA1": (60 * MIB, 50 * MIB), "CPU": (10 * MIB, 10 * MIB)}


def test_what_a_gpu_can_read_in_ram_counts_there(model: Path, child: Child) -> None:
    child.sizes = sizes(output=1, CUDA0=40, CUDA_Host=8)
    formulas = plan(device("CUDA0", kv=1), device("CPU"))

    gpu, cpu = exact(model, formulas, "build").devices

    assert (gpu.compute_bytes, cpu.compute_bytes) == (40 * MIB, 9 * MIB)


def test_a_model_without_a_cache_is_no_division_by_zero(model: Path, child: Child) -> None:
    child.sizes = sizes(cache=0)

    assert exact(model, plan(device("CPU")), "build").devices[0].kv_bytes == 0


def test_without_an_answer_the_formulas_stand(model: Path, child: Child) -> None:
    child.sizes = None
    formulas = plan(device("CPU", kv=77))

    assert exact(model, formulas, "build") == formulas


def test_a_load_goes_as_planned(model: Path, child: Child) -> None:
    load = prepare(model, Wishes(n_ctx=4096), library)

    assert load.steps == []
    assert load.plan.exact
    assert load.plan.settings.n_ctx == 4096
    assert load.plan.devices[0].kv_bytes == 96 * MIB
    assert child.asked == [load.plan.settings]


def test_a_load_that_went_down_says_each_step_and_plans_what_was_left(
    model: Path, child: Child, caplog: pytest.LogCaptureFixture
) -> None:
    child.told = ["No memory. Trying without half of the context.", "No memory. Trying without most of it."]
    child.rung = lambda planned: Rung(replace(planned, n_ctx=2048), ("half of the context", "most of it"))

    load = prepare(model, Wishes(n_ctx=8192), library)

    assert load.steps == child.told
    assert load.plan.settings.n_ctx == 2048
    assert [asked.n_ctx for asked in child.asked] == [8192, 2048]
    assert load.plan.exact
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == child.told


@pytest.mark.parametrize(
    ("given_up", "words"),
    [
        (("the GPU",), "the GPU"),
        (("rearranged weights", "the GPU"), "rearranged weights and the GPU"),
        (("rearranged weights", "half of it", "the GPU"), "rearranged weights, half of it and the GPU"),
    ],
)
def test_a_rung_that_is_remembered_says_what_it_lacks(
    model: Path, child: Child, given_up: tuple[str, ...], words: str
) -> None:
    child.rung = lambda planned: Rung(replace(planned, n_ctx=2048), given_up)

    load = prepare(model, Wishes(n_ctx=4096), library)

    assert load.steps == [f"Loaded without {words}, as the last time."]
    assert load.plan.settings.n_ctx == 2048


def test_a_refusal_is_passed_on(model: Path, child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise ModelLoadError("unknown model architecture")

    monkeypatch.setattr(trial, "simulated", refuse)

    with pytest.raises(ModelLoadError, match="unknown model architecture"):
        prepare(model, Wishes(), library)


@pytest.mark.usefixtures("child")
def test_a_file_without_layers_is_refused_with_its_name(tmp_path: Path) -> None:
    path = GgufFile({"general.architecture": "llama"}).write(tmp_path / "vocabulary.gguf")

    with pytest.raises(InvalidModelFileError, match=r"vocabulary\.gguf has no layers") as refused:
        prepare(path, Wishes(), library)

    assert "adapters" in refused.value.hint


@pytest.mark.usefixtures("child")
def test_a_survey_is_the_model_and_the_machine(model: Path) -> None:
    found, machine = survey(model, LIBRARY)

    assert (found.n_layers, machine) == (2, MACHINE)


def test_kernels_are_wanted_for_the_weights_types_and_the_cache(model: Path) -> None:
    assert kernel_types(anatomy_of(open_set(model))) == ("F16", "Q4_K")


def loaded(**real: int) -> tuple[Load, dict[str, Any]]:
    """A load of two contexts that was planned with 100 MiB of everything, and what was really allocated, in MiB."""
    load = Load(plan(device("CUDA0", 60, 120, 40), device("CPU", 40, 80, 160), n_contexts=2))
    mib = {"weights": 100, "kv": 100, "compute": 98, "output": 2} | real
    allocated = {
        "weights": {"CPU_Mapped": mib["weights"] * MIB // 4, "CUDA0": mib["weights"] * MIB * 3 // 4},
        "cache": mib["kv"] * MIB,
        "compute": {"CUDA0": mib["compute"] * MIB},
        "output": mib["output"] * MIB,
    }
    return load, allocated


def test_plan_and_allocation_are_compared_for_the_first_context(caplog: pytest.LogCaptureFixture) -> None:
    load, allocated = loaded()

    with caplog.at_level(logging.INFO):
        load.compare(allocated)

    assert load.measured == totals(allocated) == {"weights": 100 * MIB, "kv": 100 * MIB, "compute": 100 * MIB}
    assert [record.levelno for record in caplog.records] == [logging.INFO] * 3
    assert all("+0.0 %" in record.message for record in caplog.records)


@pytest.mark.parametrize("what", ["weights", "kv", "compute"])
@pytest.mark.parametrize(("mib", "warns"), [(84, True), (86, False), (114, False), (116, True)])
def test_a_plan_that_was_far_off_is_a_warning(
    caplog: pytest.LogCaptureFixture, what: str, mib: int, warns: bool
) -> None:
    load, allocated = loaded(**{what: mib, **({"output": 0} if what == "compute" else {})})

    load.compare(allocated)

    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == warns
    assert all(f"Memory, {what}: planned" in text for text in warnings)


def test_a_plan_of_nothing_is_no_division_by_zero() -> None:
    load, allocated = loaded()
    load.plan = plan(device("CPU"))

    load.compare(allocated)

    assert load.measured["kv"] == 100 * MIB


def test_a_load_is_told_in_json() -> None:
    load, allocated = loaded()
    load.steps.append("Trying without the GPU.")
    load.compare(allocated)

    told = load.as_json()

    assert told["steps"] == ["Trying without the GPU."]
    assert told["measured"]["kv"] == 100 * MIB
    assert told["settings"]["n_ctx"] == settings().n_ctx
    assert [use["name"] for use in told["devices"]] == ["CUDA0", "CPU"]
