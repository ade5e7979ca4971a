"""What one core does with each quantization, for machines that are not here.

Measured with ``engine.native.kernels`` on one core of an AMD EPYC 9004 (Zen 4, about 3.7 GHz), llama-cpp-python 0.3.36:
weights streamed for one token in GB/s, and operations in a batch of 64 tokens in GFLOP/s; once with all its instruction
sets and once in a build without AVX-512. No ARM machine was to be had: its cores are taken to be like the latter.
"""

from __future__ import annotations

from collections.abc import Mapping

from lsp_server.models.hardware import GB, KernelRate

REPACKED = " repacked"  # ends the name of a type whose weights are rearranged while loading

# type: (GB/s, GFLOP/s) with AVX-512, then without
_MEASURED: dict[str, tuple[float, float, float, float]] = {
    "F16": (30.8, 100, 34.8, 104),
    "BF16": (31.4, 183, 31.3, 75),
    "Q4_0": (7.9, 96, 7.9, 72),
    "Q4_0 repacked": (20.5, 141, 19.0, 93),
    "Q4_1": (7.6, 40, 8.1, 45),
    "Q5_0": (7.8, 90, 7.7, 57),
    "Q5_1": (7.9, 37, 7.9, 35),
    "Q8_0": (11.2, 112, 11.1, 85),
    "Q2_K": (10.4, 212, 10.3, 107),
    "Q2_K repacked": (14.2, 86, 10.3, 107),
    "Q3_K": (10.8, 171, 10.8, 97),
    "Q4_K": (14.6, 237, 14.7, 110),
    "Q4_K repacked": (22.7, 149, 21.3, 95),
    "Q5_K": (13.5, 229, 13.3, 108),
    "Q6_K": (24.3, 146, 23.0, 89),
    "IQ1_S": (2.9, 167, 2.9, 95),
    "IQ1_M": (3.4, 165, 3.3, 94),
    "IQ2_XXS": (3.6, 170, 3.8, 94),
    "IQ2_XS": (4.3, 148, 4.1, 86),
    "IQ2_S": (4.7, 138, 4.8, 83),
    "IQ3_XXS": (4.1, 134, 3.9, 70),
    "IQ3_S": (4.0, 164, 3.8, 95),
    "IQ4_NL": (7.6, 89, 7.6, 66),
    "IQ4_NL repacked": (20.5, 139, 19.2, 93),
    "IQ4_XS": (12.4, 242, 12.3, 97),
    "MXFP4": (8.4, 32, 8.3, 32),
    "TQ1_0": (5.9, 59, 6.0, 61),
    "TQ2_0": (11.8, 117, 13.7, 145),
}


def per_core(features: tuple[str, ...]) -> Mapping[str, KernelRate]:
    """Rates of one core by tensor type, for a processor with these instruction sets."""
    column = 0 if "avx512f" in features else 2
    return {kind: KernelRate(row[column] * GB, row[column + 1] * GB) for kind, row in _MEASURED.items()}
