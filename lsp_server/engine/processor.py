"""The processor: its name, the cores that we may use, its memory domains and instruction sets."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import psutil

from lsp_server.engine import cgroup, trial

FEATURES = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile"),
    *("asimd", "asimddp", "i8mm", "sve", "sve2"),
)
"""Instruction sets that matter here, as /proc/cpuinfo spells them."""

# What macOS calls them: capabilities of Apple's chips, and words that Intel's report of themselves.
_SYSCTL_FLAGS = {
    "hw.optional.neon": "asimd",
    "hw.optional.AdvSIMD": "asimd",
    "hw.optional.arm.FEAT_DotProd": "asimddp",
    "hw.optional.arm.FEAT_I8MM": "i8mm",
}
_SYSCTL_WORDS = {
    "SSE4.2": "sse4_2",
    "AVX1.0": "avx",
    "AVX2": "avx2",
    "FMA": "fma",
    "F16C": "f16c",
    "AVX512F": "avx512f",
    "AVX512VNNI": "avx512_vnni",
}

_CPUS = Path("/sys/devices/system/cpu")
_NODES = Path("/sys/devices/system/node")


def name() -> str:
    """The processor's name for people, and to tell machines apart: ``AMD EPYC 9354``, ``Apple M4 Max``."""
    return _sysctl().get("machdep.cpu.brand_string") or trial.processor_name()


def features() -> tuple[str, ...]:
    """Those of ``FEATURES`` that the processor reports (Linux, macOS; empty where it cannot be read)."""
    if sys.platform == "darwin":
        return _features_of_sysctl(_sysctl())
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ()
    line = next((x for x in text.splitlines() if x.lower().startswith(("flags", "features"))), "")
    reported = set(line.split(":", 1)[-1].split())
    return tuple(f for f in FEATURES if f in reported)


def default_threads() -> int:
    """Physical cores' worth of time that this process may use: under its affinity and its cgroup's quota.

    Hyper-threads add nothing to matrix work. A part of a core is left unused: threads wait for each other, so that one
    that is stopped when the quota is spent stops all of them.
    """
    quota = cgroup.cpus()
    return physical_cores() if quota is None else max(1, min(physical_cores(), int(quota)))


def physical_cores(root: Path = _CPUS) -> int:
    """Physical cores of the processors that this process may run on."""
    usable = _affinity()
    # Hyper-threads of one core name the same list of siblings. Only Linux has these files.
    siblings = {_text(root / f"cpu{number}" / "topology" / "thread_siblings_list") for number in usable}
    if "" not in siblings:
        return len(siblings)
    return max(1, min(psutil.cpu_count(logical=False) or len(usable), len(usable)))


def numa_nodes(root: Path = _NODES) -> int:
    """Memory domains that have processors on which this process may run; 1 where there are none to tell apart."""
    usable = _affinity()
    lists = (_text(path) for path in root.glob("node[0-9]*/cpulist"))
    return max(1, sum(1 for text in lists if usable & _numbers(text)))


def _affinity() -> set[int]:
    if sys.platform == "linux":
        return set(os.sched_getaffinity(0))
    return set(range(os.cpu_count() or 1))


def _numbers(text: str) -> set[int]:
    """The numbers of a list such as ``0-3,8``."""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first.isdigit():
            found.update(range(int(first), int(last if last.isdigit() else first) + 1))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


@functools.cache
def _sysctl() -> dict[str, str]:
    """What macOS says of its processor, by key; empty elsewhere."""
    if sys.platform != "darwin":
        return {}
    command = ["/usr/sbin/sysctl", "hw.optional", "machdep.cpu"]
    try:
        result = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return _parse_sysctl(result.stdout)


def _parse_sysctl(text: str) -> dict[str, str]:
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _features_of_sysctl(values: dict[str, str]) -> tuple[str, ...]:
    reported = {feature for key, feature in _SYSCTL_FLAGS.items() if values.get(key) == "1"}
    for key in ("machdep.cpu.features", "machdep.cpu.leaf7_features"):
        reported |= {_SYSCTL_WORDS[word] for word in values.get(key, "").split() if word in _SYSCTL_WORDS}
    return tuple(f for f in FEATURES if f in reported)
