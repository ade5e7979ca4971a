"""What this machine is: processor, memory, and the devices that llama.cpp itself sees."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

_FEATURES = ("sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")
_FEATURES_ARM = ("asimd", "asimddp", "i8mm", "sve", "sve2")


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
    """The installed llama.cpp: version of the bindings, instruction sets it was built for, devices it sees."""

    version: str
    system_info: str
    devices: tuple[Device, ...]


def cpu_features() -> tuple[str, ...]:
    """Instruction sets that matter here and that the processor reports (Linux; empty where it cannot be read)."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ()
    line = next((x for x in text.splitlines() if x.lower().startswith(("flags", "features"))), "")
    reported = set(line.split(":", 1)[-1].split())
    return tuple(f for f in (*_FEATURES, *_FEATURES_ARM) if f in reported)


def memory_bytes() -> tuple[int, int]:
    """(available, total) RAM in bytes."""
    memory = psutil.virtual_memory()
    return int(memory.available), int(memory.total)


def describe_platform() -> str:
    """Operating system and architecture."""
    return f"{platform.system()} {platform.release()}, {platform.machine()}"


def probe_library(timeout_s: float = 60.0) -> Library:
    """Load llama.cpp in a process that may die, and ask it.

    Raises:
        OSError: it could not be loaded; the message says how it ended.
    """
    command = [sys.executable, "-m", "lsp_server.engine.hardware"]
    result = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", timeout=timeout_s, check=False
    )
    if result.returncode != 0:
        last = result.stderr.strip().splitlines()[-1:] or [f"exit code {result.returncode}"]
        raise OSError(f"llama.cpp could not be loaded: {last[0]}")
    data = json.loads(result.stdout.splitlines()[-1])
    return Library(data["version"], data["system_info"], tuple(Device(**d) for d in data["devices"]))


def main() -> int:
    """Print what the library says, as one line of JSON."""
    from lsp_server.engine.native import library

    found = [Device(*fields) for fields in library.devices()]
    print_line = {"version": library.version(), "system_info": library.system_info()}
    sys.stdout.write(json.dumps({**print_line, "devices": [asdict(d) for d in found]}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
