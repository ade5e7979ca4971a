"""What a machine is, as far as a plan needs it: this one (``engine.hardware`` finds out) or one described in a file.

A file is TOML, in the units of data sheets (decimal GB, GB/s, TFLOP/s); ``hardware_profiles/`` has examples. In memory
everything is in bytes, bytes per second and floating-point operations per second.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from lsp_server.errors import HardwareProfileError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GB = 10**9


@dataclass(frozen=True, slots=True)
class KernelRate:
    """How fast the processor multiplies with weights of one quantization, with all threads; measured.

    Attributes:
        stream: bytes of weights per second for one token (a matrix times a vector).
        flops: operations per second for a batch (two for each weight and token).
    """

    stream: float
    flops: float


@dataclass(frozen=True, slots=True)
class Cpu:
    """The processor.

    Attributes:
        physical_cores: those that may be used; hyper-threads do not count.
        features: instruction sets in the spelling of /proc/cpuinfo, those of ``engine.processor.FEATURES``.
        numa_nodes: memory domains; 1 where there is nothing to choose.
        bandwidth: bytes per second read from memory by all cores together. Measured on this machine, the data sheet's
            peak (channels x transfers x 8 bytes) in a profile.
        kernels: by tensor type (``Q4_K``); where it is empty ``planning.speed`` estimates them.
        measured: whether the bandwidth was.
    """

    name: str
    physical_cores: int
    features: tuple[str, ...]
    numa_nodes: int
    bandwidth: float
    kernels: Mapping[str, KernelRate] = field(default_factory=dict)
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Gpu:
    """A device other than the processor, as ggml names it.

    Attributes:
        name: ggml's name: ``CUDA0``, ``MTL0``, ``Vulkan1`` …
        total_bytes, free_bytes: of its memory.
        bandwidth: of its memory, the data sheet's, in bytes per second; 0 if unknown.
        flops: dense half-precision matrix operations per second, the data sheet's; 0 if unknown.
        link: bytes per second from RAM to the device; 0 if unknown.
        unified: its memory is the RAM itself (Apple silicon, integrated graphics).
    """

    name: str
    description: str
    total_bytes: int
    free_bytes: int
    bandwidth: float
    flops: float
    link: float
    unified: bool = False


@dataclass(frozen=True, slots=True)
class Hardware:
    """A machine.

    Attributes:
        ram_total, ram_available: bytes; under a cgroup's limit the smaller figure.
        disk_read: bytes per second read from the volume that has the models; 0 if unknown.
        here: whether it is the machine that this runs on.
    """

    name: str
    cpu: Cpu
    ram_total: int
    ram_available: int
    gpus: tuple[Gpu, ...] = ()
    disk_read: float = 0.0
    here: bool = False

    def beside(self, claims: Mapping[str, int]) -> Hardware:
        """The machine with so many bytes less to plan with.

        Args:
            claims: by device, ``CPU`` for the RAM; negative where there are more.
        """

        def left(free: int, total: int, device: str) -> int:
            return min(total, max(0, free - claims.get(device, 0)))

        gpus = tuple(replace(gpu, free_bytes=left(gpu.free_bytes, gpu.total_bytes, gpu.name)) for gpu in self.gpus)
        return replace(self, ram_available=left(self.ram_available, self.ram_total, "CPU"), gpus=gpus)


def shipped_profiles() -> tuple[str, ...]:
    """Names of the machines that Shardlight describes."""
    folder = resources.files("lsp_server.models").joinpath("hardware_profiles")
    return tuple(sorted(item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")))


def load_profile(name: str) -> Hardware:
    """A machine by the name of a shipped profile, or from a TOML file.

    Raises:
        HardwareProfileError: there is no such profile or file, or it is not a usable description; the field is named.
    """
    if name in shipped_profiles():
        resource = resources.files("lsp_server.models") / "hardware_profiles" / f"{name}.toml"
        return parse_profile(resource.read_text(encoding="utf-8"), name)
    try:
        path = Path(name).expanduser()
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError) as error:  # not text or no name of a file; no such user's home
        known = ", ".join(shipped_profiles())
        raise HardwareProfileError(
            f"{name} is no hardware profile: {getattr(error, 'strerror', None) or error}.",
            hint=f"Name a TOML file, or one of: {known}.",
        ) from error
    return parse_profile(text, str(path))


def parse_profile(text: str, origin: str) -> Hardware:
    """Read a profile.

    Args:
        origin: names the text in messages.

    Raises:
        HardwareProfileError: it is not TOML, or a field is missing, unknown or out of range.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise HardwareProfileError(f"{origin} is not TOML: {error}.") from error
    return parse_table(data, origin)


def parse_table(data: Mapping[str, Any], origin: str) -> Hardware:
    """As ``parse_profile``, from TOML that has been read."""
    top = _Table(data, origin, "")
    cpu, memory, disk = top.table("cpu"), top.table("memory"), top.table("disk", required=False)
    hardware = Hardware(
        name=top.text("name"),
        cpu=Cpu(
            name=cpu.text("name"),
            physical_cores=int(cpu.number("physical_cores", least=1)),
            features=cpu.texts("features"),
            numa_nodes=int(cpu.number("numa_nodes", default=1, least=1)),
            bandwidth=cpu.number("bandwidth_gb_s") * GB,
        ),
        ram_total=int(memory.number("total_gb") * GB),
        ram_available=int(memory.number("available_gb", default=memory.number("total_gb") * 0.9) * GB),
        gpus=tuple(_gpu(gpu) for gpu in top.tables("gpus")),
        disk_read=disk.number("read_gb_s", default=0.0, least=0.0) * GB,
    )
    for table in (cpu, memory, disk, top):
        table.refuse_unknown()
    names = ["CPU", *(gpu.name for gpu in hardware.gpus)]
    if len(set(names)) < len(names):
        raise HardwareProfileError(
            f"{origin}: the gpus are named {', '.join(names[1:])}; each needs a name of its own, and none is CPU.",
            hint="ggml counts them: CUDA0, CUDA1 …",
        )
    return hardware


def _gpu(table: _Table) -> Gpu:
    total = table.number("memory_gb")
    gpu = Gpu(
        name=table.text("name"),
        description=table.text("description"),
        total_bytes=int(total * GB),
        free_bytes=int(table.number("free_gb", default=total * 0.96) * GB),
        bandwidth=table.number("bandwidth_gb_s") * GB,
        flops=table.number("tflops") * 1e12,
        link=table.number("link_gb_s", default=0.0, least=0.0) * GB,
        unified=table.flag("unified"),
    )
    table.refuse_unknown()
    return gpu


class _Table:
    """A TOML table that names what is wrong with it."""

    def __init__(self, values: Mapping[str, Any], origin: str, prefix: str) -> None:
        self._values = values
        self._origin = origin
        self._prefix = prefix
        self._read: set[str] = set()

    def _get(self, key: str) -> Any:
        self._read.add(key)
        return self._values.get(key)

    def _wrong(self, key: str, what: str) -> HardwareProfileError:
        message = f"{self._origin}: {self._prefix}{key} {what}."
        return HardwareProfileError(message, hint="docs/hardware.md explains it.")

    def text(self, key: str) -> str:
        value = self._get(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, "must be a text")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, "must be a list of texts")
        return tuple(value)

    def flag(self, key: str) -> bool:
        value = self._get(key)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(key, "must be true or false")
        return bool(value)

    def number(self, key: str, *, default: float | None = None, least: float = 1e-9) -> float:
        value = self._get(key)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < 1e9:
            raise self._wrong(key, "must be a positive number" if least > 0 else "must be a number from 0")
        return float(value)

    def table(self, key: str, *, required: bool = True) -> _Table:
        value = self._get(key)
        if value is None and not required:
            value = {}
        if not isinstance(value, dict):
            raise self._wrong(key, "must be a table")
        return _Table(value, self._origin, f"{self._prefix}{key}.")

    def tables(self, key: str) -> list[_Table]:
        value = self._get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self._wrong(key, "must be a list of tables, each under [[gpus]]")
        return [_Table(item, self._origin, f"{key}[{i}].") for i, item in enumerate(value)]

    def refuse_unknown(self) -> None:
        for key in self._values:
            if key not in self._read:
                raise self._wrong(key, f"is not known; known are {', '.join(sorted(self._read))}")
