"""How much of a machine's memory a plan may use, and what does not fit into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lsp_server.models.hardware import Gpu, Hardware
from lsp_server.models.planning.placement import CPU, Share
from lsp_server.models.planning.plan import Plan, Wishes

# What stays free on a GPU: the driver's own needs, and a desktop's.
_GPU_RESERVE = 1 << 30
_GPU_RESERVE_SHARE = 0.03
# What is free changes with every window that opens; a plan, and the trial that proves it, should not.
_GPU_STEP = 256 << 20


@dataclass(frozen=True, slots=True)
class Shortage:
    """Bytes that a place would have to hold, and how many it may."""

    place: str
    needed: int
    budget: int


def ram_budget(hardware: Hardware, wishes: Wishes) -> int:
    """Bytes of RAM that may be used."""
    return max(0, int(hardware.ram_available * wishes.memory_share) - wishes.reserve_bytes)


def gpu_budget(gpu: Gpu) -> int:
    """Bytes of a GPU's memory that may be used."""
    room = gpu.free_bytes - max(_GPU_RESERVE, int(gpu.total_bytes * _GPU_RESERVE_SHARE))
    return max(0, room // _GPU_STEP * _GPU_STEP)


def fits(shares: Mapping[str, Share], hardware: Hardware, wishes: Wishes) -> bool:
    """Whether every device has room for its share."""
    return not shortages(shares, hardware, wishes)


def shortages(shares: Mapping[str, Share], hardware: Hardware, wishes: Wishes, from_disk: int = 0) -> list[Shortage]:
    """Where there is not enough, if so many of the RAM's bytes may stay on disk."""
    rows = [Shortage("the RAM", _ram_bytes(shares, hardware) - from_disk, ram_budget(hardware, wishes))]
    rows += [Shortage(gpu.name, shares[gpu.name].resident_bytes, gpu_budget(gpu)) for gpu in hardware.gpus]
    return [row for row in rows if row.needed > row.budget]


def _ram_bytes(shares: Mapping[str, Share], hardware: Hardware) -> int:
    """Of the CPU, and of GPUs whose memory the RAM is."""
    unified = sum(shares[gpu.name].resident_bytes for gpu in hardware.gpus if gpu.unified)
    return shares[CPU].resident_bytes + unified


def missing_bytes(shares: Mapping[str, Share], hardware: Hardware, wishes: Wishes) -> int:
    """By how much the RAM's budget is exceeded."""
    return max(0, _ram_bytes(shares, hardware) - ram_budget(hardware, wishes))


def lacking_bytes(plan: Plan, hardware: Hardware) -> int:
    """By how much a finished plan exceeds what the RAM may hold, with GPUs whose memory the RAM is."""
    in_ram = {CPU, *(gpu.name for gpu in hardware.gpus if gpu.unified)}
    needed = sum(device.n_bytes for device in plan.devices if device.name in in_ram)
    return max(0, needed - plan.devices[-1].budget_bytes)
