"""``shardlight plan``: for this machine or one that is described, a model that is here or one that is not."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsp_server.cli import plan as cli
from lsp_server.cli.main import main
from lsp_server.engine import loading
from lsp_server.engine.hardware import Library
from lsp_server.engine.runtime import EngineRecord
from lsp_server.errors import SourceUnavailableError
from lsp_server.inference import sources
from lsp_server.inference.watching import Look
from lsp_server.models.gguf.reader import parse_head
from lsp_server.models.gguf.shard_set import check_set, open_set
from lsp_server.models.hardware import Hardware, load_profile
from lsp_server.models.planning.anatomy import Anatomy, anatomy_of
from lsp_server.models.planning.plan import Plan
from lsp_server.models.reference import CatalogRef, HubRef
from lsp_server.models.sources import Peek
from lsp_server.models.sources.hub import HubSource
from tests.support import gguf

PROFILE = """
name = "A described machine"
[cpu]
name = "A processor"
physical_cores = 8
features = ["avx2"]
bandwidth_gb_s = 50
[memory]
total_gb = 32
"""


class Machine:
    """Stands in for this machine: nothing is measured, llama.cpp not asked, and what was asked for is kept."""

    def __init__(self) -> None:
        self.hardware = replace(load_profile("laptop-16gb"), name="this machine", here=True)
        self.detected: list[tuple[Path | None, Sequence[str]]] = []
        self.asked: list[Path] = []

    def detect(self, path: Path | None, *, types: Sequence[str] = (), library: Library | None = None) -> Hardware:
        self.detected.append((path, types))
        return self.hardware

    def survey(self, path: Path, library: Library) -> tuple[Anatomy, Hardware]:
        return anatomy_of(open_set(path)), self.hardware

    def exact(self, path: Path, plan: Plan, build_id: str) -> Plan:
        self.asked.append(path)
        assert build_id == "a build"
        return replace(plan, exact=True)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machine:
    machine = Machine()
    monkeypatch.setenv("SHARDLIGHT_MODELS__DIRECTORY", str(tmp_path / "store"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(cli, "detect", machine.detect)
    monkeypatch.setattr(loading, "survey", machine.survey)
    monkeypatch.setattr(loading, "exact", machine.exact)
    monkeypatch.setattr(cli, "installed_library", lambda: Library("0.3.36", "", (), "a build"))
    monkeypatch.setattr(sources, "_this_machine", lambda: machine.hardware)
    return machine


OWN = gguf.GgufFile(
    {
        "general.architecture": "llama",
        "general.name": "My [own] model",
        "llama.block_count": 2,
        "llama.context_length": 4096,
        "llama.embedding_length": 256,
        "llama.attention.head_count": 4,
    },
    [
        gguf.TensorInfo("token_embd.weight", (256, 100)),
        gguf.TensorInfo("output.weight", (256, 100)),
        *(gguf.TensorInfo(f"blk.{il}.attn_q.weight", (256, 256), gguf.Q8_0) for il in (0, 1)),
    ],
)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A model file of the user's own."""
    path = tmp_path / "own.gguf"
    path.write_bytes(OWN.bytes())
    return path


@pytest.fixture
def peeked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A hub that has the same file everywhere; what was asked for."""
    asked: list[str] = []

    def peek(self: HubSource, ref: CatalogRef | HubRef) -> Peek:
        asked.append(ref.id)
        return Peek(check_set([parse_head(OWN.head, Path("own.gguf"), OWN.length)]), 9_400_000)

    monkeypatch.setattr(HubSource, "peek", peek)
    return asked


@pytest.fixture
def planned(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    """What ``shardlight plan … --json`` prints."""

    def run(*words: str) -> dict[str, Any]:
        assert main(["plan", *words, "--json"]) == 0
        data = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
        assert isinstance(data, dict)
        return data

    return run


Planned = Callable[..., dict[str, Any]]


class TestOnADescribedMachine:
    def test_by_the_name_of_a_profile(self, planned: Planned, machine: Machine) -> None:
        plan = planned("deepseek-v4-flash", "--hardware", "rtx3090-80gb")
        assert plan["model"] == "deepseek-v4-flash"
        assert plan["hardware"] == "RTX 3090 with 80 GB of RAM"
        assert (plan["verdict"], plan["exact"]) == ("fits", False)
        assert [device["name"] for device in plan["devices"]] == ["CUDA0", "CPU"]
        assert machine.detected == []

    def test_by_its_file(self, planned: Planned, tmp_path: Path) -> None:
        (tmp_path / "m.toml").write_text(PROFILE)
        plan = planned("qwen2.5-coder-7b", "--hardware", str(tmp_path / "m.toml"))
        assert plan["hardware"] == "A described machine"
        assert plan["settings"]["n_threads"] == 8

    def test_a_model_that_is_here(self, planned: Planned, own: Path, machine: Machine) -> None:
        plan = planned(str(own), "--hardware", "h200")
        assert plan["settings"]["n_gpu_layers"] == 3
        assert machine.asked == [], "this machine's llama.cpp knows nothing of that one"

    def test_a_model_on_the_hub(self, peeked: list[str], machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", "hf:org/repo", "--hardware", "h200"]) == 0
        printed = capsys.readouterr()
        assert printed.out.startswith("My [own] model on ")
        assert printed.err == "hf:org/repo is not on this machine; only the heads of its files were read: 9.4 MB.\n"
        assert (peeked, machine.detected) == (["hf:org/repo"], [])

    def test_a_model_of_the_catalog_needs_no_hub(self, planned: Planned, peeked: list[str]) -> None:
        assert planned("qwen2.5-coder-7b", "--hardware", "h200")["model"] == "qwen2.5-coder-7b"
        assert peeked == []

    def test_auto_is_what_suits_that_machine(self, planned: Planned, machine: Machine) -> None:
        assert planned("--hardware", "laptop-16gb")["model"] != "deepseek-v4-flash"
        assert planned("auto", "--hardware", "h200")["model"] == "deepseek-v4-flash"
        assert planned("--hardware", "h200", "--role", "completion")["model"] == "qwen2.5-coder-7b"

    def test_auto_is_what_the_settings_say(self, planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SHARDLIGHT_MODELS__ASSISTANT", "qwen2.5-coder-3b")
        assert planned("--hardware", "h200")["model"] == "qwen2.5-coder-3b"

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            ("name = ", "is not TOML"),
            (PROFILE.replace("total_gb = 32", "total_gb = -1"), "memory.total_gb must be a positive number"),
            (PROFILE.replace("[memory]", "[ram]"), "memory must be a table"),
        ],
    )
    def test_a_broken_file_is_named(
        self, text: str, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "broken.toml"
        path.write_text(text)
        assert main(["plan", "qwen2.5-coder-7b", "--hardware", str(path)]) == 1
        printed = capsys.readouterr()
        assert str(path) in printed.err
        assert complaint in printed.err
        assert printed.out == ""

    def test_a_machine_that_nobody_described(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", "--hardware", "cray-1"]) == 1
        error = capsys.readouterr().err
        assert "cray-1 is no hardware profile" in error
        assert "rtx3090-80gb" in error


class TestOnThisMachine:
    def test_a_model_of_the_catalog_need_not_be_here(self, planned: Planned, machine: Machine, tmp_path: Path) -> None:
        plan = planned("qwen2.5-coder-1.5b")
        assert (plan["model"], plan["hardware"]) == ("qwen2.5-coder-1.5b", "this machine")
        assert plan["exact"] is False
        # The store's folder is not there yet: the speed of the disk is that of what holds it.
        ((place, types),) = machine.detected
        assert place == tmp_path
        assert list(types) == ["F16", "Q4_K", "Q6_K"]

    def test_of_a_model_that_is_here_llama_cpp_is_asked(self, planned: Planned, own: Path, machine: Machine) -> None:
        plan = planned(str(own))
        assert plan["exact"] is True
        assert machine.asked == [own]

    def test_auto(self, planned: Planned, machine: Machine) -> None:
        assert planned()["model"] == "qwen2.5-coder-1.5b"

    def test_of_another_model_that_is_not_here_the_hub_shows_the_heads(
        self, planned: Planned, peeked: list[str], machine: Machine, tmp_path: Path
    ) -> None:
        plan = planned("hf:org/repo:Q8_0")
        assert (plan["model"], plan["hardware"], plan["exact"]) == ("My [own] model", "this machine", False)
        assert machine.detected == [(tmp_path, ("F16", "Q8_0"))]
        assert (peeked, machine.asked) == (["hf:org/repo:Q8_0"], [])

    def test_an_unreachable_hub(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        def peek(self: HubSource, ref: CatalogRef | HubRef) -> Peek:
            raise SourceUnavailableError("hub cannot be reached: no route.", hint="Check the network.")

        monkeypatch.setattr(HubSource, "peek", peek)
        for words in ([], ["--hardware", "h200"]):
            assert main(["plan", "hf:org/repo", *words]) == 1
            error = capsys.readouterr().err
            assert "hf:org/repo cannot be looked at from here. Hugging Face: hub cannot be reached" in error
            assert "Check the network." in error

    def test_an_unknown_model(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", "qwen2.5-coder-7"]) == 1
        error = capsys.readouterr().err
        assert "No model is called 'qwen2.5-coder-7'" in error
        assert "qwen2.5-coder-7b" in error

    def test_a_model_that_cannot_run_here(self, machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
        machine.hardware = replace(machine.hardware, ram_available=10**8)
        assert main(["plan", "qwen2.5-coder-14b"]) == 1
        error = capsys.readouterr().err
        assert "qwen2.5-coder-14b (9.0 GB) does not fit this machine" in error
        assert "the RAM would have to hold" in error

    def test_a_file_without_layers(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "vocabulary.gguf"
        path.write_bytes(gguf.GgufFile({"general.architecture": "llama"}).bytes())
        for words in ([], ["--hardware", "h200"]):
            assert main(["plan", str(path), *words]) == 1
            assert "has no layers" in capsys.readouterr().err


class TestWishes:
    def test_context(self, planned: Planned) -> None:
        assert planned("qwen2.5-coder-0.5b", "--ctx", "4096")["settings"]["n_ctx"] == 4096
        assert planned("qwen2.5-coder-0.5b")["settings"]["n_ctx"] == 8192
        assert planned("qwen2.5-coder-0.5b", "--ctx", "1")["settings"]["n_ctx"] == 1
        assert planned("qwen2.5-coder-0.5b", "--ctx", "2147483647")["settings"]["n_ctx"] == 32768

    @pytest.mark.parametrize("count", ["0", "-1", "many", "1.5", "1" * 30])
    def test_a_context_that_is_none(self, count: str, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit):
            main(["plan", f"--ctx={count}"])
        assert f"--ctx: {count!r} is no number of tokens" in capsys.readouterr().err

    def test_two_contexts(self, planned: Planned) -> None:
        assert planned("qwen2.5-coder-0.5b", "--contexts", "2")["settings"]["n_contexts"] == 2

    def test_settings(self, planned: Planned, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in {"N_CTX": "1024", "N_GPU_LAYERS": "5", "N_THREADS": "3", "MEMORY_PERCENT": "50"}.items():
            monkeypatch.setenv(f"SHARDLIGHT_ENGINE__{name}", value)
        plan = planned("qwen2.5-coder-7b", "--hardware", "rtx3090-80gb")
        chosen = plan["settings"]
        assert (chosen["n_ctx"], chosen["n_gpu_layers"], chosen["n_threads"]) == (1024, 5, 3)
        assert plan["devices"][-1]["budget_bytes"] == int(load_profile("rtx3090-80gb").ram_available * 0.5)


class TestForPeople:
    def test_devices_speed_reasons_and_settings(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", "deepseek-v4-flash", "--hardware", "2x-rtx3090-nvlink"]) == 0
        text = capsys.readouterr().out
        assert text.startswith("deepseek-v4-flash on 2 x RTX 3090 with NVLink, 80 GB of RAM")
        for device in ("CUDA0", "CUDA1", "CPU"):
            assert any(line.startswith(device) for line in text.splitlines())
        for part in ("tokens/s answering", "(8,192 tokens of context)", "A token's time:", "experts in RAM", "Why"):
            assert part in text
        for argument in ("-c 32768", "-ngl 44", "-fa on", "-ts 22,22", "ffn_(up|down|gate|gate_up)_(ch|)exps=CPU'"):
            assert argument in text
        assert "--no-mmap" in text
        assert "Sizes are from formulas" in text
        assert "Better" not in text

    def test_concessions_and_what_would_be_better(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", "qwen2.5-coder-14b", "--hardware", "laptop-16gb"]) == 0
        text = capsys.readouterr().out
        assert "-ctk q8_0 -ctv q8_0" in text
        assert "Better" in text
        assert "would answer here at" in text

    def test_llama_cpps_own_sizes(self, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["plan", str(own)]) == 0
        text = capsys.readouterr().out
        assert "My [own] model on this machine" in text, "names are not markup"
        assert "formulas" not in text


class TestPicture:
    def test_it_is_written_beside_what_is_printed(
        self, planned: Planned, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        path = tmp_path / "plan.svg"
        assert main(["plan", "deepseek-v4-flash", "--hardware", "rtx3090-80gb", "--svg", str(path)]) == 0
        assert f"Drawn in {path}." in capsys.readouterr().out.replace("\n", "")
        text = path.read_text(encoding="utf-8")
        assert "CUDA0" in text
        assert "planned and measured" not in text
        assert planned("deepseek-v4-flash", "--hardware", "rtx3090-80gb", "--svg", str(path))["verdict"] == "fits"
        assert [file.name for file in tmp_path.iterdir() if file.name.startswith("plan")] == ["plan.svg"]

    def test_of_an_engine_that_runs_the_model_what_it_allocated_is_drawn(
        self, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        record = EngineRecord(1, 0.0, 1, "token", "mine", str(own), 2048, 0, "0", 0.0)
        load = {
            "settings": {"n_contexts": 1},
            "devices": [{"weights_bytes": 100, "kv_bytes": 50, "compute_bytes": 10}],
            "measured": {"weights": 100, "kv": 60, "compute": 10},
        }
        monkeypatch.setattr(cli.runtime, "all_running", lambda: [replace(record, model_path="/other"), record])
        monkeypatch.setattr(cli, "look", lambda _record: Look("ready", {"plan": load}))
        path = tmp_path / "plan.svg"
        assert main(["plan", str(own), "--svg", str(path)]) == 0
        assert "50 B and 60 B (+20.0%)" in path.read_text(encoding="utf-8")

    def test_a_place_that_cannot_be_written(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for path in (tmp_path / "none" / "plan.svg", Path("/")):
            assert main(["plan", "qwen2.5-coder-7b", "--hardware", "h200", "--svg", str(path)]) == 1
            assert f"{path} cannot be written" in capsys.readouterr().err
