from __future__ import annotations

import pytest

from lsp_server.models import gpu_table
from lsp_server.models.hardware import load_profile, shipped_profiles

GB = 10**9


@pytest.mark.parametrize(
    ("description", "memory_gb", "bandwidth", "tflops", "link"),
    [
        ("NVIDIA GeForce RTX 3090", 25.4, 936, 71.0, 25),
        ("NVIDIA GeForce RTX 3090 Ti", 25.4, 1008, 80.0, 25),
        ("NVIDIA GeForce RTX 3060", 12.5, 360, 25.5, 25),
        ("NVIDIA GeForce RTX 3060", 8.4, 240, 25.5, 25),
        ("NVIDIA GeForce RTX 4060 Ti", 16.8, 288, 44.1, 12.5),
        ("NVIDIA GeForce RTX 4070 Ti SUPER", 16.8, 672, 88.2, 25),
        ("NVIDIA GeForce RTX 5090", 33.7, 1792, 209.5, 50),
        ("NVIDIA A100-SXM4-40GB", 42.4, 1555, 312, 25),
        ("NVIDIA A100-SXM4-80GB", 85, 2039, 312, 25),
        ("NVIDIA A100 80GB PCIe", 85, 1935, 312, 25),
        ("NVIDIA H100 80GB HBM3", 85, 3350, 989, 50),
        ("NVIDIA H100 PCIe", 85, 2000, 756, 50),
        ("NVIDIA H100 NVL", 100, 3900, 835, 50),
        ("NVIDIA H200", 150, 4800, 989, 50),
        ("NVIDIA L4", 23.6, 300, 121, 25),
        ("NVIDIA L40S", 47.6, 864, 362, 25),
        ("NVIDIA A10", 23.6, 600, 125, 25),
        ("Tesla T4", 15.6, 300, 65, 12.5),
        ("AMD Radeon RX 7900 XTX (RADV NAVI31)", 25.7, 960, 122.8, 25),
        ("Apple M1", 11.5, 68, 2.6, 68),
        ("Apple M2 Ultra (dev p0/v0)", 144, 800, 27.2, 800),
        ("Apple M4 Max", 103, 546, 14.4, 546),
        ("Apple M4 Max", 29, 410, 11.5, 410),
    ],
)
def test_known_devices(description: str, memory_gb: float, bandwidth: float, tflops: float, link: float) -> None:
    figures = gpu_table.find(description, int(memory_gb * GB))
    assert figures is not None
    assert figures.bandwidth == bandwidth * GB
    assert figures.flops == pytest.approx(tflops * 1e12)
    assert figures.link == link * GB


@pytest.mark.parametrize(
    "description",
    [
        "",
        "NVIDIA GeForce RTX 4090 Laptop GPU",
        "NVIDIA GeForce RTX 4090 D",
        "NVIDIA GeForce RTX 3070 Ti",
        "NVIDIA H100 80GB HBM3 MIG 1g.10gb",
        "NVIDIA A10G",
        "NVIDIA L40",
        "NVIDIA T400",
        "NVIDIA GH200 480GB",
        "AMD Radeon RX 7900 GRE",
        "Apple M9 Max",
        "Intel(R) Arc(tm) A770 Graphics",
    ],
)
def test_others_are_not_taken_for_known_ones(description: str) -> None:
    assert gpu_table.find(description, 24 * GB) is None


def test_the_rows_are_each_others_equal_only_once() -> None:
    names = [gpu_table._words(row[0]) for row in gpu_table._TABLE]
    assert len(set(names)) == len(names)
    assert gpu_table._SMALLER.keys() <= {row[0] for row in gpu_table._TABLE}


@pytest.mark.parametrize("name", shipped_profiles())
def test_profiles_and_the_table_agree(name: str) -> None:
    for gpu in load_profile(name).gpus:
        figures = gpu_table.find(gpu.description, gpu.total_bytes)
        assert figures is not None
        assert (gpu.bandwidth, gpu.flops) == (figures.bandwidth, pytest.approx(figures.flops))
        # A mainboard may give a GPU less than it could use.
        assert gpu.link <= figures.link


@pytest.mark.parametrize(("ram", "share"), [(16, 10.67), (32, 21.33), (36, 27), (64, 48), (128, 96)])
def test_macos_keeps_a_part_of_the_memory(ram: int, share: float) -> None:
    assert gpu_table.metal_share(ram * 2**30) / 2**30 == pytest.approx(share, abs=0.01)
