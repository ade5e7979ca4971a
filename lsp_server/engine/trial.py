"""A first load happens in a process that may die.

Native code can crash where Python cannot catch it: some virtual machines report AMX and fault on its first
instruction, a driver may be broken, a file may be hostile. So a model is first loaded, and a few tokens decoded, in a
child process, with the fastest settings; if that dies, with more careful ones. The outcome is remembered per
processor, library build and model file, so that later loads pay nothing.
"""

from __future__ import annotations

import logging
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from platformdirs import user_cache_path

from lsp_server.errors import ModelLoadError
from lsp_server.models.ledger import read_json, write_json

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LoadSettings:
    """What may have to be given up so that a load survives."""

    use_extra_bufts: bool
    n_gpu_layers: int

    @property
    def description(self) -> str:
        """For the log and for people."""
        extra = "with" if self.use_extra_bufts else "without"
        gpu = "no GPU" if self.n_gpu_layers == 0 else "GPU where there is one"
        return f"{extra} extra buffers, {gpu}"


def ladder(n_gpu_layers: int) -> list[LoadSettings]:
    """Settings to try, the fastest first."""
    steps = [LoadSettings(True, n_gpu_layers), LoadSettings(False, n_gpu_layers)]
    return steps if n_gpu_layers == 0 else [*steps, LoadSettings(False, 0)]


def proven_settings(model: Path, n_gpu_layers: int, build_id: str, *, memory_file: Path | None = None) -> LoadSettings:
    """The fastest load settings that are known to survive on this machine, tried out if need be.

    Raises:
        ModelLoadError: no settings survive, or the file is not loadable at all.
    """
    memory_file = memory_file or user_cache_path("shardlight", appauthor=False) / "load-trials.json"
    # A damaged memory counts as none: it costs one trial.
    remembered = read_json(memory_file) or {}
    key = _key(model, n_gpu_layers, build_id)
    steps = ladder(n_gpu_layers)
    for settings in steps:
        if remembered.get(key) == asdict(settings):
            return settings
    complaints = ""
    for settings in steps:
        logger.info("Trying to load %s %s", model.name, settings.description)
        result = _attempt(model, settings)
        if result.returncode == 0:
            remembered[key] = asdict(settings)
            try:
                write_json(memory_file, remembered)
            except OSError as error:
                logger.warning("The outcome of the trial could not be kept in %s: %s", memory_file, error)
            return settings
        complaints = result.stderr.strip()[-2000:]
        if result.returncode == REFUSED:
            raise ModelLoadError(result.stdout.strip() or f"llama.cpp could not load {model}.")
        logger.warning("Loading %s died with code %s (%s)", model.name, result.returncode, settings.description)
    raise ModelLoadError(
        f"llama.cpp crashes while loading {model}, even with the most careful settings. Its last words: {complaints}",
        hint="`shardlight doctor` checks the build; `make setup` rebuilds llama.cpp.",
    )


REFUSED = 3  # exit code of probe.py for a load that failed without a crash


def _attempt(model: Path, settings: LoadSettings) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lsp_server.engine.probe", str(model)]
    command += [str(int(settings.use_extra_bufts)), str(settings.n_gpu_layers)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace", check=False
    )


def _key(model: Path, n_gpu_layers: int, build_id: str) -> str:
    stat = model.stat()
    return "|".join(
        [processor_name(), build_id, str(model.resolve()), str(stat.st_size), str(stat.st_mtime_ns), str(n_gpu_layers)]
    )


def processor_name() -> str:
    """Model name of the processor; a moved disk or a migrated virtual machine is tried anew."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
