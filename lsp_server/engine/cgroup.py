"""Limits that Linux sets to a group of processes (containers, ``systemd-run``), below what the machine has.

The kernel reports the whole machine to everybody; whoever plans with that inside a container is killed. Groups are
nested, and each may have a limit of its own, so all of them from ours up to the root are asked. Version 1 of the
interface has a tree for each kind of limit, version 2 one for all; a machine may have both at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")

# Version 1 says "no limit" with the largest number of pages that its counter holds: no machine has that much.
_NO_LIMIT = 1 << 60


@dataclass(frozen=True, slots=True)
class Memory:
    """RAM in bytes that a group leaves us: at most ever, and now without anything being killed."""

    total: int
    available: int


def memory(root: Path = ROOT, membership: Path = MEMBERSHIP) -> Memory | None:
    """The tightest memory limit above this process; None where there is none (or no cgroups: macOS, Windows).

    What the kernel can drop when it has to counts as available, as it does in its own ``MemAvailable``: files that
    are cached, mapped weights among them.
    """
    found = [
        *_memory_of_each(_folders(root, membership, "memory"), _V1_MEMORY),
        *_memory_of_each(_folders(root, membership, ""), _V2_MEMORY),
    ]
    if not found:
        return None
    return Memory(min(m.total for m in found), min(m.available for m in found))


def cpus(root: Path = ROOT, membership: Path = MEMBERSHIP) -> float | None:
    """Processors' worth of time that this process may use at once (1.5: one and a half); None if nothing limits it."""
    found = []
    for folder in _folders(root, membership, "cpu"):
        quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
        if quota and period:
            found.append(quota / period)
    for folder in _folders(root, membership, ""):
        words = _text(folder / "cpu.max").split()
        if len(words) == 2 and all(word.isdigit() for word in words) and int(words[1]):
            found.append(int(words[0]) / int(words[1]))
    return min((value for value in found if value > 0), default=None)


@dataclass(frozen=True, slots=True)
class _Files:
    """Names of the files of one version, and of the lines in ``memory.stat`` that tell what can be dropped."""

    limits: tuple[str, ...]
    used: str
    droppable: tuple[str, ...]


# A group above `memory.high` is slowed down to a crawl: for a plan that is a limit too.
_V2_MEMORY = _Files(
    ("memory.max", "memory.high"), "memory.current", ("inactive_file", "active_file", "slab_reclaimable")
)
# `total_` includes the groups below, as the usage does.
_V1_MEMORY = _Files(("memory.limit_in_bytes",), "memory.usage_in_bytes", ("total_inactive_file", "total_active_file"))


def _memory_of_each(folders: Iterator[Path], files: _Files) -> Iterator[Memory]:
    for folder in folders:
        limits = [_number(folder / name) for name in files.limits]
        limit = min((value for value in limits if value is not None), default=_NO_LIMIT)
        if limit >= _NO_LIMIT:
            continue
        lines = (line.partition(" ") for line in _text(folder / "memory.stat").splitlines())
        droppable = sum(int(value) for key, _, value in lines if key in files.droppable and value.isdigit())
        in_use = max(0, (_number(folder / files.used) or 0) - droppable)
        yield Memory(limit, max(0, limit - in_use))


def _folders(root: Path, membership: Path, controller: str) -> Iterator[Path]:
    """Our group's folder for a kind of limit ("" for version 2) and those above it, the root included.

    In a container the path may be that of the host, where only the root is visible: folders that are not there are
    passed over by whoever reads files in them.
    """
    for line in _text(membership).splitlines():
        _number_of_tree, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller not in controllers.split(","):
            continue
        # On a machine with both, version 2 is mounted beside the trees of version 1.
        unified = root / "unified" if (root / "unified").is_dir() else root
        top = root / controller if controller else unified
        # `..` leads out of what a namespace shows.
        parts = [part for part in path.split("/") if part]
        for length in range(0 if ".." in parts else len(parts), -1, -1):
            yield top.joinpath(*parts[:length])


def _number(path: Path) -> int | None:
    """The whole number that a file holds; None if it is not there or says ``max`` or -1."""
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return ""
