"""What this machine is: processor, memory, disk, and the devices that llama.cpp itself sees."""

from __future__ import annotations

import json
import logging
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from lsp_server import own_python
from lsp_server.engine import cgroup, measurement, processor
from lsp_server.models import gpu_table
from lsp_server.models.hardware import Cpu, Gpu, Hardware

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Device:
    """A device as ggml reports it; memory in bytes."""

    name: str
    description: str
    kind: str
    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Library:
    """The installed llama.cpp: version of the bindings, instruction sets it was built for, devices it sees.

    ``build_id`` changes with every build; empty if it is not known.
    """

    version: str
    system_info: str
    devices: tuple[Device, ...]
    build_id: str = ""


def memory_bytes() -> tuple[int, int]:
    """(available, total) RAM in bytes; what a cgroup leaves us where that is less."""
    memory = psutil.virtual_memory()
    limit = cgroup.memory()
    if limit is None:
        return int(memory.available), int(memory.total)
    return min(int(memory.available), limit.available), min(int(memory.total), limit.total)


def describe_platform() -> str:
    """Operating system and architecture."""
    return f"{platform.system()} {platform.release()}, {platform.machine()}"


def probe_library(timeout_s: float = 60.0) -> Library:
    """Load llama.cpp in a process that may die, and ask it.

    Raises:
        OSError: it could not be loaded; the message says how it ended.
    """
    result = subprocess.run(
        own_python.command("lsp_server.engine.library_report"),
        cwd=own_python.FOLDER,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=timeout_s,
        check=False,
    )
    if result.returncode != 0:
        last = result.stderr.strip().splitlines()[-1:] or [f"exit code {result.returncode}"]
        raise OSError(f"llama.cpp could not be loaded: {last[0]}")
    data = json.loads(result.stdout.splitlines()[-1])
    devices = tuple(Device(**d) for d in data["devices"])
    return Library(data["version"], data["system_info"], devices, data["build_id"])


def detect(model_path: Path | None, *, types: Sequence[str] = (), library: Library | None = None) -> Hardware:
    """This machine. What cannot be found out is 0 or empty, with a warning in the log.

    The first call measures (a few seconds); later ones take what is remembered, and the time of ``probe_library``.

    Args:
        model_path: a model file, or the folder for models, on the volume whose speed matters; None leaves it unknown.
        types: tensor types whose kernels a plan needs.
        library: what ``probe_library`` said, if it has been asked already.
    """
    library = library or installed_library()
    cores = processor.default_threads()
    available, total = memory_bytes()
    gpus = tuple(_gpu(device) for device in library.devices if device.kind in ("gpu", "igpu"))
    # A library that does not load would not live to measure anything either.
    bandwidth, kernels = measurement.measured(cores, types, library.build_id) if library.build_id else (0.0, {})
    cpu = Cpu(
        name=processor.name(),
        physical_cores=cores,
        features=processor.features(),
        numa_nodes=processor.numa_nodes(),
        bandwidth=bandwidth or _chip_bandwidth(processor.name(), total),
        kernels=kernels,
        measured=bandwidth > 0,
    )
    return Hardware(
        name="this machine",
        cpu=cpu,
        ram_total=total,
        ram_available=available,
        gpus=gpus,
        disk_read=measurement.disk_rate(model_path) if model_path else 0.0,
        here=True,
    )


def installed_library() -> Library:
    """What ``probe_library`` says; empty, with a warning in the log, if llama.cpp does not load."""
    try:
        return probe_library()
    except (OSError, ValueError, LookupError, subprocess.TimeoutExpired) as error:
        logger.warning("No GPU is planned with, and nothing measured: %s", error)
        return Library("", "", ())


def _gpu(device: Device) -> Gpu:
    figures = gpu_table.find(device.description, device.total_bytes)
    return Gpu(
        name=device.name,
        description=device.description,
        total_bytes=device.total_bytes,
        free_bytes=device.free_bytes,
        bandwidth=figures.bandwidth if figures else 0.0,
        flops=figures.flops if figures else 0.0,
        link=figures.link if figures else 0.0,
        # ggml calls Apple's an ordinary GPU.
        unified=device.kind == "igpu" or device.description.startswith("Apple "),
    )


def _chip_bandwidth(name: str, ram_total: int) -> float:
    """The data sheet's figure of an Apple chip, whose cores and GPU share the memory; 0.0 for any other processor."""
    figures = gpu_table.find(name, gpu_table.metal_share(ram_total)) if name.startswith("Apple ") else None
    return figures.bandwidth if figures else 0.0
