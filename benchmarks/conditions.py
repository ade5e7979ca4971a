"""What a figure depends on besides the code that it measures: machine, versions, commit and what else was going on.

Nothing here names the machine's owner: no host, no user, no path.
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

import lsp_server
from lsp_server.engine import hardware, processor

ROOT = Path(__file__).resolve().parent.parent
# What decides what is measured. Pages that results are written into are not among it.
_CODE = ("lsp_server", "prompts", "benchmarks", "tools", ":(exclude)benchmarks/results")
_LIBRARIES = ("llama-cpp-python", "pygls", "tree-sitter")
_BEGUN = datetime.now(timezone.utc)
_LOAD = os.getloadavg()[0] if hasattr(os, "getloadavg") else None


@dataclass(frozen=True, slots=True)
class Conditions:
    """Under which a command ran.

    Attributes:
        cpu: the processor's name.
        cores: that we may use.
        memory_gb: of RAM, in 10^9 bytes.
        system: of the machine, as people call it.
        versions: by what they are of; of llama.cpp what tells builds apart.
        commit: of the code, with a `+` and a hash of what was changed since.
        date: when the command was started, UTC, ISO 8601.
        load: the load average of the minute before that; None where there is none (Windows).
    """

    cpu: str
    cores: int
    memory_gb: float
    system: str
    versions: dict[str, str]
    commit: str
    date: str
    load: float | None

    def line(self, command: str) -> str:
        """In one line, above the figures."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        busy = "" if self.load is None else f", load average before {self.load:.1f}"
        return (
            f"`{command}` on {self.cpu}, {self.cores} cores, {self.memory_gb:.0f} GB, {self.system}; {versions}; "
            f"commit {self.commit}, {self.date[:10]}{busy}."
        )


def conditions(peers: Mapping[str, str] | None = None) -> Conditions:
    """Of this process, which has been started to measure something, beside peers of some versions."""
    library = hardware.installed_library()
    versions = {"Python": platform.python_version(), "shardlight": lsp_server.__version__}
    versions |= {name: metadata.version(name) for name in _LIBRARIES}
    if library.build_id:
        versions["llama.cpp build"] = hashlib.sha256(library.build_id.encode()).hexdigest()[:12]
    return Conditions(
        processor.name(),
        processor.default_threads(),
        round(hardware.memory_bytes()[1] / 1e9, 1),
        _system(),
        versions | dict(peers or {}),
        commit(),
        _BEGUN.isoformat(timespec="seconds"),
        None if _LOAD is None else round(_LOAD, 2),
    )


def commit(root: Path = ROOT) -> str:
    """The commit of the code, `9fceb02`, or `9fceb02+1a2b3c4d` if it was changed since; `unknown` without git."""
    try:
        head = _git(root, "rev-parse", "--short", "HEAD").strip()
        changes = _git(root, "diff", "HEAD", "--", *_CODE)
        added = _git(root, "ls-files", "--others", "--exclude-standard", "--", *_CODE).splitlines()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    if not changes and not added:
        return head
    digest = hashlib.sha256(changes.encode())
    for name in added:
        digest.update(name.encode() + b"\0" + (root / name).read_bytes())
    return f"{head}+{digest.hexdigest()[:8]}"


def _git(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=True).stdout


def _system() -> str:
    if sys.platform != "linux":
        return f"{platform.system()} {platform.release()}"
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return "Linux"
