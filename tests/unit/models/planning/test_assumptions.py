from __future__ import annotations

from dataclasses import replace

import pytest

from lsp_server.models.hardware import load_profile
from lsp_server.models.planning.assumptions import assumptions, filled
from tests.support.planning import CPU, PROFILES, gpu, machine


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_known_stays(name: str) -> None:
    hardware = load_profile(name)
    assert filled(hardware) == hardware
    assert list(assumptions(hardware)) == []


def test_what_is_not_known_of_a_gpu_is_assumed_and_said() -> None:
    hardware = machine(gpu("CUDA0"), gpu("CUDA1", bandwidth=0.0, flops=0.0, link=0.0), gpu("CUDA2", link=0.0))
    first, second, third = filled(hardware).gpus
    assert first == hardware.gpus[0]
    assert 0 < second.bandwidth < first.bandwidth
    assert 0 < second.flops < first.flops
    assert 0 < second.link < first.link
    assert (third.bandwidth, third.link) == (first.bandwidth, second.link)
    one, other = assumptions(hardware)
    assert "CUDA1 (A card)" in one
    for figure in ("200 GB/s of memory bandwidth", "8 TFLOP/s", "12.5 GB/s from the RAM"):
        assert figure in one
    assert "CUDA2" in other
    assert "bandwidth" not in other


def test_memory_that_is_the_ram_is_as_fast_as_that() -> None:
    hardware = machine(gpu("Vulkan0", unified=True, bandwidth=0.0, link=0.0))
    assert filled(hardware).gpus[0].bandwidth == CPU.bandwidth
    (sentence,) = assumptions(hardware)
    assert "50 GB/s" in sentence
    assert "RAM" not in sentence, "there is no way to it"


def test_memory_that_could_not_be_measured() -> None:
    hardware = replace(machine(), cpu=replace(CPU, bandwidth=0.0))
    assert filled(hardware).cpu.bandwidth > 0
    (sentence,) = assumptions(hardware)
    assert "34 GB/s" in sentence


def test_the_disks_speed_is_not_assumed() -> None:
    assert filled(replace(machine(), disk_read=0.0)).disk_read == 0.0
