"""This machine put together, from parts that are made up."""

from __future__ import annotations

import json
import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from lsp_server.engine import cgroup, hardware, measurement, processor
from lsp_server.engine.hardware import Device, Library
from lsp_server.models.hardware import KernelRate

GB = 10**9
RATE = KernelRate(20e9, 300e9)
CPU = Device("CPU", "A processor", "cpu", 8 * GB, 16 * GB)
RTX = Device("CUDA0", "NVIDIA GeForce RTX 3090", "gpu", 24 * GB, 25 * GB)
UNKNOWN = Device("Vulkan0", "Some Graphics 9000", "igpu", 4 * GB, 8 * GB)
METAL = Device("MTL0", "Apple M4 Pro", "gpu", 50 * GB, 51 * GB)


@pytest.fixture(autouse=True)
def _parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processor, "name", lambda: "A processor")
    monkeypatch.setattr(processor, "default_threads", lambda: 6)
    monkeypatch.setattr(processor, "numa_nodes", lambda: 2)
    monkeypatch.setattr(processor, "features", lambda: ("avx2",))
    monkeypatch.setattr(hardware.psutil, "virtual_memory", lambda: SimpleNamespace(available=20 * GB, total=32 * GB))
    monkeypatch.setattr(cgroup, "memory", lambda: None)
    monkeypatch.setattr(measurement, "disk_rate", lambda _place: 2e9)

    def measured(n_threads: int, types: Sequence[str], build_id: str) -> tuple[float, dict[str, KernelRate]]:
        assert (n_threads, build_id) == (6, "build")
        return 40e9, dict.fromkeys(types, RATE)

    monkeypatch.setattr(measurement, "measured", measured)


def library(*devices: Device) -> Library:
    return Library("0.3.36", "AVX2 = 1", (CPU, *devices), "build")


def test_all_is_put_together(tmp_path: Path) -> None:
    found = hardware.detect(tmp_path, types=("Q4_K",), library=library(RTX))
    assert found.here
    assert found.cpu.name == "A processor"
    assert (found.cpu.physical_cores, found.cpu.numa_nodes, found.cpu.features) == (6, 2, ("avx2",))
    assert (found.cpu.bandwidth, found.cpu.kernels, found.cpu.measured) == (40e9, {"Q4_K": RATE}, True)
    assert (found.ram_available, found.ram_total, found.disk_read) == (20 * GB, 32 * GB, 2e9)
    (gpu,) = found.gpus
    assert (gpu.name, gpu.free_bytes, gpu.total_bytes, gpu.unified) == ("CUDA0", 24 * GB, 25 * GB, False)
    assert (gpu.bandwidth, gpu.link) == (936 * GB, 25 * GB)


def test_without_a_place_the_disk_is_not_known() -> None:
    assert hardware.detect(None, library=library()).disk_read == 0.0


def test_a_gpu_that_no_table_has_is_there_without_figures() -> None:
    (gpu,) = hardware.detect(None, library=library(UNKNOWN)).gpus
    assert (gpu.bandwidth, gpu.flops, gpu.link, gpu.unified) == (0.0, 0.0, 0.0, True)


def test_apples_memory_is_one() -> None:
    (gpu,) = hardware.detect(None, library=library(METAL)).gpus
    assert gpu.unified
    assert gpu.bandwidth == gpu.link == 273 * GB


@pytest.mark.parametrize(("name", "bandwidth"), [("Apple M4 Pro", 273e9), ("A processor", 0.0)])
def test_a_chip_that_cannot_be_measured_has_its_data_sheets_bandwidth(
    monkeypatch: pytest.MonkeyPatch, name: str, bandwidth: float
) -> None:
    monkeypatch.setattr(processor, "name", lambda: name)
    monkeypatch.setattr(measurement, "measured", lambda *_arguments: (0.0, {}))
    cpu = hardware.detect(None, library=library()).cpu
    assert cpu.bandwidth == bandwidth
    assert not cpu.measured


@pytest.mark.parametrize(
    "error",
    [OSError("llama.cpp could not be loaded: exit code -11"), subprocess.TimeoutExpired("python", 60.0), KeyError("x")],
)
def test_a_library_that_does_not_load_leaves_a_machine_without_gpus(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def crash() -> Library:
        raise error

    monkeypatch.setattr(hardware, "probe_library", crash)
    with caplog.at_level(logging.WARNING):
        found = hardware.detect(None)
    assert (found.gpus, found.cpu.bandwidth, found.ram_total) == ((), 0.0, 32 * GB)
    assert "No GPU" in caplog.text


@pytest.mark.parametrize(
    ("limit", "expected"),
    [
        (cgroup.Memory(total=8 * GB, available=3 * GB), (3 * GB, 8 * GB)),
        (cgroup.Memory(total=64 * GB, available=60 * GB), (20 * GB, 32 * GB)),
    ],
)
def test_memory_is_the_smaller_of_the_machines_and_the_groups(
    monkeypatch: pytest.MonkeyPatch, limit: cgroup.Memory, expected: tuple[int, int]
) -> None:
    monkeypatch.setattr(cgroup, "memory", lambda: limit)
    assert hardware.memory_bytes() == expected


def test_the_library_is_asked_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"version": "1", "system_info": "AVX2 = 1", "build_id": "b", "devices": [{**_fields(RTX)}]}

    def run(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        assert command[1:] == ["-m", "lsp_server.engine.library_report"]
        return subprocess.CompletedProcess(command, 0, f"noise\n{json.dumps(said)}\n", "")

    monkeypatch.setattr(hardware.subprocess, "run", run)
    assert hardware.probe_library() == Library("1", "AVX2 = 1", (RTX,), "b")


def test_a_library_that_crashes_is_an_error_with_its_last_words(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = subprocess.CompletedProcess([], 1, "", "one\nlibcuda.so.1: cannot open\n")
    monkeypatch.setattr(hardware.subprocess, "run", lambda *_arguments, **_options: ended)
    with pytest.raises(OSError, match="libcuda"):
        hardware.probe_library()


def _fields(device: Device) -> dict[str, object]:
    return {name: getattr(device, name) for name in ("name", "description", "kind", "free_bytes", "total_bytes")}
