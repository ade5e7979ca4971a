"""``shardlight doctor``: every check is reported, whatever the others do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from lsp_server.cli import doctor
from lsp_server.cli.main import main
from lsp_server.engine.cgroup import Memory
from lsp_server.engine.hardware import Device, Library
from lsp_server.inference.remote import connect
from lsp_server.models.hardware import Cpu, Gpu, Hardware, KernelRate

GB = 10**9
MEASURED = Cpu("A processor", 8, ("avx2",), 1, 38.2e9, {"Q4_K": KernelRate(20e9, 300e9)}, measured=True)


class Machine:
    """Stands in for detection: nothing is measured, and what it was asked for is kept."""

    def __init__(self) -> None:
        self.cpu = MEASURED
        self.disk_read = 1.2e9
        self.asked: list[tuple[Path | None, Library | None]] = []

    def detect(self, model_path: Path | None, *, types: Sequence[str], library: Library | None) -> Hardware:
        assert "Q4_K" in types
        self.asked.append((model_path, library))
        gpu = Gpu("CUDA0", "A GPU", 24 * GB, 20 * GB, 936e9, 71e12, 25e9)
        return Hardware("this machine", self.cpu, 16 * GB, 8 * GB, (gpu,), self.disk_read, here=True)


@pytest.fixture(autouse=True)
def _empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "HF_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    device = Device("CPU", "A processor", "cpu", 8 * 10**9, 16 * 10**9)
    monkeypatch.setattr(doctor.hardware, "probe_library", lambda: Library("0.3.36", "AVX2 = 1", (device,)))
    monkeypatch.setattr(doctor.cgroup, "memory", lambda: None)


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(doctor.hardware, "detect", machine.detect)
    return machine


def _report(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    data = json.loads(capsys.readouterr().out)
    return {check["name"]: check for check in data["checks"]}


def test_missing_models_fail_and_say_how_to_get_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--json"]) == 1
    checks = _report(capsys)
    assert checks["python"]["status"] == "ok"
    assert checks["llama.cpp"]["status"] == "ok"
    assert checks["grammars"]["status"] == "ok"
    for name in ("completion model", "assistant model", "engine"):
        assert checks[name]["status"] == "failed"
        assert "shardlight models pull" in checks[name]["hint"]


def test_a_library_that_crashes_is_one_failed_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash() -> Library:
        raise OSError("llama.cpp could not be loaded: exit code -11")

    monkeypatch.setattr(doctor.hardware, "probe_library", crash)
    assert main(["doctor", "--json"]) == 1
    check = _report(capsys)["llama.cpp"]
    assert check["status"] == "failed"
    assert "-11" in check["detail"]
    assert "make setup" in check["hint"]


def test_a_build_with_amx_is_a_warning(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.hardware, "probe_library", lambda: Library("0.3.36", "AMX_INT8 = 1 | AVX2 = 1", ()))
    main(["doctor", "--json"])
    assert _report(capsys)["llama.cpp"]["status"] == "warning"


def test_an_unforeseen_failure_does_not_end_the_examination(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.hardware, "memory_bytes", lambda: 1 // 0)
    main(["doctor", "--json"])
    checks = _report(capsys)
    assert checks["memory"]["status"] == "failed"
    assert "ZeroDivisionError" in checks["memory"]["detail"]
    assert "grammars" in checks


def test_wrong_settings_are_a_warning(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARDLIGHT_ENGINE__PORT", "99999")
    main(["doctor", "--json"])
    check = _report(capsys)["settings"]
    assert check["status"] == "warning"
    assert "at most 65535" in check["detail"]


def test_for_people_each_check_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("ok") and "python" in line for line in lines)
    assert any(line.startswith("failed") and "completion model" in line for line in lines)
    assert any("→" in line for line in lines)


def test_the_processor_is_described(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.processor, "name", lambda: "A processor")
    monkeypatch.setattr(doctor.processor, "default_threads", lambda: 8)
    monkeypatch.setattr(doctor.processor, "numa_nodes", lambda: 2)
    monkeypatch.setattr(doctor.processor, "features", lambda: ("avx", "avx2"))
    main(["doctor", "--json"])
    check = _report(capsys)["processor"]
    assert check["status"] == "ok"
    assert check["detail"] == "A processor, 8 physical cores to use in 2 NUMA nodes (avx avx2)"


def test_memory_that_a_group_limits_is_said_to_be(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.cgroup, "memory", lambda: Memory(total=4 * GB, available=3 * GB))
    main(["doctor", "--json"])
    check = _report(capsys)["memory"]
    assert check["detail"].startswith("3.0 GB of 4.0 GB available")
    assert "container" in check["detail"]


def test_memory_that_nothing_limits_is_not(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.cgroup, "memory", lambda: Memory(total=2**50, available=2**50))
    main(["doctor", "--json"])
    assert "container" not in _report(capsys)["memory"]["detail"]


def test_devices_have_free_and_total_memory(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json"])
    assert "CPU (A processor, 8.0 GB of 16.0 GB free)" in _report(capsys)["llama.cpp"]["detail"]


def test_speed_is_a_line_and_the_machine_an_object(capsys: pytest.CaptureFixture[str], machine: Machine) -> None:
    main(["doctor", "--json"])
    data = json.loads(capsys.readouterr().out)
    (check,) = [c for c in data["checks"] if c["name"] == "speed"]
    assert check["status"] == "ok"
    assert check["detail"] == "memory bandwidth 38.2 GB/s (measured), disk 1.2 GB/s"
    assert data["hardware"]["cpu"]["kernels"] == {"Q4_K": {"stream": 20e9, "flops": 300e9}}
    assert data["hardware"]["gpus"][0]["name"] == "CUDA0"
    # There is no folder for models yet, and the library has been asked already.
    ((place, library),) = machine.asked
    assert place is None
    assert library is not None


def test_a_data_sheets_figure_is_called_one(capsys: pytest.CaptureFixture[str], machine: Machine) -> None:
    machine.cpu = Cpu("Apple M4 Pro", 14, ("asimd",), 1, 273e9)
    machine.disk_read = 0.0
    main(["doctor", "--json"])
    detail = _report(capsys)["speed"]["detail"]
    assert detail == "memory bandwidth 273 GB/s (the data sheet's), disk not known"


def test_what_could_not_be_measured_is_a_warning(capsys: pytest.CaptureFixture[str], machine: Machine) -> None:
    machine.cpu = Cpu("A processor", 8, (), 1, 0.0)
    main(["doctor", "--json"])
    check = _report(capsys)["speed"]
    assert check["status"] == "warning"
    assert check["hint"]


def test_a_machine_that_cannot_be_described_is_null(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.hardware, "detect", lambda *_arguments, **_options: 1 // 0)
    main(["doctor", "--json"])
    data = json.loads(capsys.readouterr().out)
    assert data["hardware"] is None
    assert [c["status"] for c in data["checks"] if c["name"] == "speed"] == ["failed"]


def test_the_speed_of_the_disk_with_the_models_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: Machine
) -> None:
    monkeypatch.setenv("SHARDLIGHT_MODELS__DIRECTORY", str(tmp_path))
    main(["doctor", "--json"])
    assert [place for place, _ in machine.asked] == [tmp_path]


def _elsewhere(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Both roles are served there, by a server that fills holes and talks."""

    def answer(request: httpx.Request) -> httpx.Response:
        asked = json.loads(request.content or b"{}")
        if request.url.path == "/props":
            return httpx.Response(200, json={"default_generation_settings": {}})
        if request.url.path == "/v1/models":
            return httpx.Response(200, json={"data": [{"id": "big"}]})
        if not asked.get("stream"):
            return httpx.Response(200, json={"content": "b", "choices": [{"message": {"content": "5"}}]})
        said = {"content": "b", "stop": True, "choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}
        return httpx.Response(200, content=f"data: {json.dumps(said)}\n\n")

    for role in ("COMPLETION", "ASSISTANT"):
        monkeypatch.setenv(f"SHARDLIGHT_BACKEND__{role}_URL", url)
    transport = httpx.MockTransport(answer)
    monkeypatch.setattr(doctor, "connect", lambda spec: connect(spec, transport=transport))


def test_servers_elsewhere_are_asked_and_no_engine_is_started(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _elsewhere(monkeypatch, "https://gpu.example")
    assert main(["doctor", "--json"]) == 0
    checks = _report(capsys)
    for role in ("completion", "assistant"):
        assert checks[f"{role} model"]["status"] == "ok"
        assert "big at gpu.example: llama-server, fills holes (/infill)" in checks[f"{role} model"]["detail"]
    assert "engine" not in checks


def test_each_of_several_servers_is_asked_and_who_stands_in_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_deepseek4: Path
) -> None:
    _elsewhere(monkeypatch, "https://a.example,https://b.example")
    monkeypatch.setenv("SHARDLIGHT_MODELS__DIRECTORY", str(tmp_path))
    monkeypatch.setenv("SHARDLIGHT_MODELS__COMPLETION", "qwen2.5-coder-0.5b")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf"))
    assert main(["doctor", "--json"]) == 0
    checks = _report(capsys)
    for number, host in enumerate(("a.example", "b.example"), start=1):
        assert f"big at {host}" in checks[f"completion model {number}"]["detail"]
    assert checks["completion fallback"]["detail"].startswith("nobody, while no server answers: ")
    monkeypatch.setenv("SHARDLIGHT_MODELS__COMPLETION", str(tiny_deepseek4))
    main(["doctor", "--json"])
    here = f"{tiny_deepseek4} on this machine, while no server answers"
    assert _report(capsys)["completion fallback"]["detail"] == here
    monkeypatch.setenv("SHARDLIGHT_BACKEND__LOCAL_FALLBACK", "false")
    main(["doctor", "--json"])
    assert "completion fallback" not in _report(capsys)


def test_code_that_goes_out_unencrypted_is_a_warning(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _elsewhere(monkeypatch, "http://gpu.example")
    assert main(["doctor", "--json"]) == 0
    check = _report(capsys)["completion model"]
    assert (check["status"], "unencrypted" in check["hint"]) == ("warning", True)


def test_a_server_that_is_away_is_a_failed_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHARDLIGHT_BACKEND__COMPLETION_URL", "http://127.0.0.1:9")
    assert main(["doctor", "--json"]) == 1
    check = _report(capsys)["completion model"]
    assert check["status"] == "failed"
    assert "http://127.0.0.1:9 cannot be reached" in check["detail"]
    assert "backend.completion_url" in check["hint"]
