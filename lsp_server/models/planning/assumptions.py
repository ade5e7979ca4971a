"""Figures of a machine that nobody knows: assumed, and rather too low than too high.

Without them nothing could be compared: a GPU whose figures no table has would lose against any processor, and a
processor whose memory could not be measured would never answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lsp_server.models.hardware import GB, Gpu, Hardware

_RAM = 34.0 * GB  # two channels of DDR4-2133
_GPU = 200.0 * GB
_GPU_FLOPS = 8e12
_LINK = 12.5 * GB  # PCI Express 3.0 x16


def filled(hardware: Hardware) -> Hardware:
    """The machine with an assumption in place of each speed that is unknown, except the disk's."""
    cpu = replace(hardware.cpu, bandwidth=hardware.cpu.bandwidth or _RAM)
    return replace(hardware, cpu=cpu, gpus=tuple(_gpu(gpu, cpu.bandwidth) for gpu in hardware.gpus))


def _gpu(gpu: Gpu, ram: float) -> Gpu:
    bandwidth = gpu.bandwidth or (ram if gpu.unified else _GPU)
    return replace(gpu, bandwidth=bandwidth, flops=gpu.flops or _GPU_FLOPS, link=gpu.link or _LINK)


def assumptions(hardware: Hardware) -> Iterator[str]:
    """What ``filled`` assumes, a sentence each."""
    known = filled(hardware)
    if not hardware.cpu.bandwidth:
        yield f"How fast the memory is read is not known: {known.cpu.bandwidth / GB:.3g} GB/s are assumed."
    for gpu, assumed in zip(hardware.gpus, known.gpus, strict=True):
        figures = []
        if not gpu.bandwidth:
            figures.append(f"{assumed.bandwidth / GB:.3g} GB/s of memory bandwidth")
        if not gpu.flops:
            figures.append(f"{assumed.flops / 1e12:.3g} TFLOP/s")
        if not gpu.link and not gpu.unified:
            figures.append(f"{assumed.link / GB:.3g} GB/s from the RAM")
        if figures:
            yield f"What is not known of {gpu.name} ({gpu.description}) is assumed: {', '.join(figures)}."
