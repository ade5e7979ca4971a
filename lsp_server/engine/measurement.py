"""What has to be measured on this machine, measured once: memory bandwidth, kernels, the disk.

The figures are kept in one file of the cache folder. Those of the processor go with its name, the build of llama.cpp
and the number of threads; those of a disk with its volume.
"""

from __future__ import annotations

import json
import logging
import math
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from platformdirs import user_cache_path

from lsp_server import own_python
from lsp_server.engine import disk, processor
from lsp_server.models.hardware import KernelRate
from lsp_server.models.ledger import read_json, write_json
from lsp_server.models.planning.kernel_table import REPACKED

logger = logging.getLogger(__name__)

_TIMEOUT_S = 120.0
_DISTURBED_PAUSE_S = 3600.0


def measured(
    n_threads: int, types: Sequence[str], build_id: str, *, memory_file: Path | None = None
) -> tuple[float, dict[str, KernelRate]]:
    """Memory bandwidth in bytes per second, and kernel rates by tensor type, with that many threads.

    What is not known yet is measured in a child process (half a second a type) and kept. If other programs were busy
    meanwhile it is not used, and measured again after an hour. A build that crashes, or hangs for two minutes, leaves
    a warning in the log.

    Args:
        types: such as ``Q4_K``; the answer has also ``Q4_K repacked`` where that is another rate, and lacks types that
            could not be measured.
        build_id: ``Library.build_id`` of the installed llama.cpp.

    Returns:
        0.0 and no rates if nothing could be measured.
    """
    memory_file = memory_file or _default_file()
    memory = read_json(memory_file) or {}
    key = f"processor|{processor.name()}|{build_id}|{n_threads}"
    bandwidth, rates = _entry(memory.get(key))
    missing = [name for name in dict.fromkeys(types) if name not in rates]
    busy_key = f"{key}|disturbed"
    if (missing or not bandwidth) and time.time() - _figure(memory.get(busy_key)) > _DISTURBED_PAUSE_S:
        report = _report(n_threads, missing)
        if report is not None and report.get("disturbed") is True:
            # Threads that wait for each other beside busy ones measure a fiftieth: estimates are nearer the truth.
            logger.info("Other programs were busy: what was measured is not used.")
            _keep(memory_file, busy_key, time.time())
        elif report is not None:
            found, fresh = _entry(report)
            bandwidth = max(bandwidth, found)
            rates |= dict.fromkeys(missing) | fresh
            kernels = {name: {"stream": r.stream, "flops": r.flops} if r else None for name, r in rates.items()}
            _keep(memory_file, key, {"bandwidth": bandwidth, "kernels": kernels})
    wanted = {*types, *(name + REPACKED for name in types)}
    return bandwidth, {name: rate for name, rate in rates.items() if rate is not None and name in wanted}


def disk_rate(place: Path, *, memory_file: Path | None = None) -> float:
    """Bytes per second read from the volume of a file or folder (see ``disk.read_rate``); 0.0 if it cannot be told."""
    memory_file = memory_file or _default_file()
    try:
        key = f"disk|{disk.volume(place)}"
    except OSError:
        return 0.0
    rate = _figure((read_json(memory_file) or {}).get(key))
    if not rate:
        rate = disk.read_rate(place)
        if rate:
            _keep(memory_file, key, rate)
    return rate


def _default_file() -> Path:
    return user_cache_path("shardlight", appauthor=False) / "hardware.json"


def _keep(memory_file: Path, key: str, value: object) -> None:
    # Read anew: another engine may have added its own meanwhile.
    memory = read_json(memory_file) or {}
    memory[key] = value
    try:
        write_json(memory_file, memory)
    except OSError as error:
        logger.warning("What was measured could not be kept in %s: %s", memory_file, error)


def _report(n_threads: int, types: Sequence[str]) -> dict[str, object] | None:
    """What the child process measured; None, and a warning, if it did not live to tell."""
    try:
        result = _child(n_threads, types)
        if result.returncode == 0:
            report = json.loads(result.stdout.splitlines()[-1])
            if isinstance(report, dict):
                return report
        last = (result.stderr.strip().splitlines() or [""])[-1]
        logger.warning("Measuring this machine ended with code %s: %s", result.returncode, last)
    except subprocess.TimeoutExpired:
        logger.warning("Measuring this machine took longer than %.0f s and was given up.", _TIMEOUT_S)
    except (OSError, ValueError, IndexError) as error:
        logger.warning("Measuring this machine failed: %s", error)
    return None


def _child(n_threads: int, types: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        own_python.command("lsp_server.engine.library_report", "--measure", str(n_threads), ",".join(types)),
        cwd=own_python.FOLDER,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_TIMEOUT_S,
        check=False,
    )


def _entry(value: object) -> tuple[float, dict[str, KernelRate | None]]:
    """Bandwidth and rates as far as they are sound; None for a type that was tried without success."""
    if not isinstance(value, Mapping):
        return 0.0, {}
    kernels = value.get("kernels")
    rates: dict[str, KernelRate | None] = {}
    for name, rate in kernels.items() if isinstance(kernels, Mapping) else ():
        if rate is None:
            rates[name] = None
        elif isinstance(rate, Mapping):
            found = KernelRate(_figure(rate.get("stream")), _figure(rate.get("flops")))
            if found.stream and found.flops:
                rates[name] = found
    return _figure(value.get("bandwidth")), rates


def _figure(value: object) -> float:
    """A positive, finite number; 0.0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return 0.0
    return float(value) if math.isfinite(value) and value > 0 else 0.0
