"""Figures of well-known GPUs, which no driver reports: memory bandwidth, matrix speed, the link to the RAM.

Source: the vendors' data sheets and architecture whitepapers.

* Bandwidth in GB/s is the memory's.
* TFLOP/s are dense half-precision matrix operations, without sparsity. For GeForce they are those that accumulate in
  single precision (half of the number on the box), since only those compare with the data centre's. Apple published
  single-precision figures up to the M2, and its GPUs are not faster in half precision; the M3 and M4 are counted with
  the M2's 0.36 TFLOP/s a core, which is at most too low.
* The link is what PCI Express gives in practice, in GB/s: 3.0 x16 12.5, 4.0 x16 25, 5.0 x16 50, half for x8. The
  mainboard may give less. Memory of Apple silicon is one: the link is the memory.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.models.hardware import GB


@dataclass(frozen=True, slots=True)
class GpuFigures:
    """In bytes per second, and floating-point operations per second."""

    bandwidth: float
    flops: float
    link: float


_PCIE3, _PCIE4, _PCIE5, _UNIFIED = 12.5, 25.0, 50.0, 0.0

# Words of the name as the driver gives it, GB/s, TFLOP/s, link.
_TABLE: tuple[tuple[str, float, float, float], ...] = (
    ("RTX 3060", 360, 25.5, _PCIE4),
    ("RTX 3060 Ti", 448, 32.4, _PCIE4),
    ("RTX 3070", 448, 40.6, _PCIE4),
    ("RTX 3080", 912, 61.3, _PCIE4),
    ("RTX 3080 Ti", 912, 68.2, _PCIE4),
    ("RTX 3090", 936, 71.0, _PCIE4),
    ("RTX 3090 Ti", 1008, 80.0, _PCIE4),
    ("RTX 4060 Ti", 288, 44.1, _PCIE4 / 2),
    ("RTX 4070", 504, 58.3, _PCIE4),
    ("RTX 4070 SUPER", 504, 71.0, _PCIE4),
    ("RTX 4070 Ti", 504, 80.2, _PCIE4),
    ("RTX 4070 Ti SUPER", 672, 88.2, _PCIE4),
    ("RTX 4080", 717, 97.5, _PCIE4),
    ("RTX 4080 SUPER", 736, 104.4, _PCIE4),
    ("RTX 4090", 1008, 165.2, _PCIE4),
    ("RTX 5060 Ti", 448, 47.4, _PCIE5 / 2),
    ("RTX 5070", 672, 61.7, _PCIE5),
    ("RTX 5070 Ti", 896, 87.9, _PCIE5),
    ("RTX 5080", 960, 112.6, _PCIE5),
    ("RTX 5090", 1792, 209.5, _PCIE5),
    ("RTX A6000", 768, 154.8, _PCIE4),
    ("RTX 6000 Ada", 960, 364.2, _PCIE4),
    ("A100 40GB", 1555, 312, _PCIE4),
    ("A100 80GB", 1935, 312, _PCIE4),
    ("A100 SXM4 80GB", 2039, 312, _PCIE4),
    ("H100 PCIe", 2000, 756, _PCIE5),
    ("H100 NVL", 3900, 835, _PCIE5),
    ("H100 HBM3", 3350, 989, _PCIE5),
    ("H200", 4800, 989, _PCIE5),
    ("H200 NVL", 4800, 835, _PCIE5),
    ("A10", 600, 125, _PCIE4),
    ("L4", 300, 121, _PCIE4),
    ("L40S", 864, 362, _PCIE4),
    ("T4", 300, 65, _PCIE3),
    ("RX 7900 XT", 800, 103, _PCIE4),
    ("RX 7900 XTX", 960, 122.8, _PCIE4),
    ("Apple M1", 68, 2.6, _UNIFIED),
    ("Apple M1 Pro", 200, 5.2, _UNIFIED),
    ("Apple M1 Max", 400, 10.4, _UNIFIED),
    ("Apple M1 Ultra", 800, 21, _UNIFIED),
    ("Apple M2", 100, 3.6, _UNIFIED),
    ("Apple M2 Pro", 200, 6.8, _UNIFIED),
    ("Apple M2 Max", 400, 13.6, _UNIFIED),
    ("Apple M2 Ultra", 800, 27.2, _UNIFIED),
    ("Apple M3", 100, 3.6, _UNIFIED),
    ("Apple M3 Pro", 150, 6.5, _UNIFIED),
    ("Apple M3 Max", 400, 14.4, _UNIFIED),
    ("Apple M3 Ultra", 819, 28.8, _UNIFIED),
    ("Apple M4", 120, 3.6, _UNIFIED),
    ("Apple M4 Pro", 273, 7.2, _UNIFIED),
    ("Apple M4 Max", 546, 14.4, _UNIFIED),
)

# Some names are shared by two products, and the memory tells them apart: up to so many GB, other figures hold.
_SMALLER: dict[str, tuple[float, float, float, float]] = {
    "RTX 3060": (9.5, 240, 25.5, _PCIE4),  # 8 GB on a bus of 128 bits
    "RTX 3080": (11, 760, 59.5, _PCIE4),  # 10 GB, not 12
    "Apple M3 Max": (32, 300, 10.8, _UNIFIED),  # 30 GPU cores, sold with 36 GB (and, not told apart here, with 96)
    "Apple M4 Max": (32, 410, 11.5, _UNIFIED),  # 32 GPU cores, sold with 36 GB
}

# A word of these that is not in a row's name makes it another product: the laptop's "RTX 4090" is half a 4090.
_VARIANTS = frozenset(
    ["ti", "super", "pro", "max", "ultra", "laptop", "mobile", "q", "d", "gre", "xt", "xtx", "nvl", "mig"]
)


def find(description: str, total_bytes: int) -> GpuFigures | None:
    """The figures of a device by ggml's description of it (``NVIDIA GeForce RTX 3090``); None if it is not known.

    Args:
        total_bytes: of its memory as ggml reports it.
    """
    words = _words(description)
    fitting = [row for row in _TABLE if _words(row[0]) <= words and words & _VARIANTS == _words(row[0]) & _VARIANTS]
    if not fitting:
        return None
    name, *figures = max(fitting, key=lambda row: len(_words(row[0])))
    if name in _SMALLER and total_bytes <= _SMALLER[name][0] * GB:
        figures = list(_SMALLER[name][1:])
    bandwidth, tflops, link = figures
    return GpuFigures(bandwidth * GB, tflops * 1e12, (link or bandwidth) * GB)


def metal_share(ram_bytes: int) -> int:
    """How much of the RAM macOS lets a GPU have unless told otherwise (``recommendedMaxWorkingSetSize``), in bytes.

    Observed, not documented: two thirds below 36 GiB, three quarters from there.
    """
    return ram_bytes * 2 // 3 if ram_bytes < 36 * 2**30 else ram_bytes * 3 // 4


def _words(text: str) -> frozenset[str]:
    return frozenset(re.split(r"[^a-z0-9]+", text.lower())) - {""}
