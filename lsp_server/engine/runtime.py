"""How the processes of one user find a running engine: a small file per model, readable by that user alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from platformdirs import user_state_path


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """A running engine: where it listens, how to talk to it, what it serves.

    ``started`` is the process's creation time (seconds since the epoch): a pid may be given to somebody else.
    """

    pid: int
    started: float
    port: int
    token: str
    model_id: str
    model_path: str
    n_ctx: int
    n_gpu_layers: int
    version: str

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    def process(self) -> psutil.Process:
        """The process; raises psutil.NoSuchProcess if it is gone."""
        return psutil.Process(self.pid)

    @property
    def alive(self) -> bool:
        """Whether that very process still runs."""
        try:
            process = self.process()
            # An engine that was killed stays in the process table until the editor that started it collects it.
            ended = process.status() == psutil.STATUS_ZOMBIE
            return not ended and abs(process.create_time() - self.started) < 1.0
        except psutil.Error:
            return False


def runtime_directory() -> Path:
    """Folder of the records, made if need be, closed to other users."""
    path = user_state_path("shardlight", appauthor=False) / "engines"
    path.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        path.chmod(0o700)
    return path


def key(model_path: Path, n_ctx: int, n_gpu_layers: int) -> str:
    """Engines are one per model and settings; this names them."""
    text = f"{model_path.resolve()}|{n_ctx}|{n_gpu_layers}"
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def write(name: str, record: EngineRecord) -> Path:
    """Publish a record: written aside with owner-only rights, then renamed."""
    path = runtime_directory() / f"{name}.json"
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file)
    aside.replace(path)
    return path


def read(name: str) -> EngineRecord | None:
    """The record of a running engine; a stale or damaged one is removed and counts as none."""
    return _read(runtime_directory() / f"{name}.json")


def all_running() -> list[EngineRecord]:
    """Every engine of this user that runs."""
    return [record for path in sorted(runtime_directory().glob("*.json")) if (record := _read(path))]


def remove(name: str, pid: int) -> None:
    """Withdraw a record, if it still is that process's own."""
    path = runtime_directory() / f"{name}.json"
    record = _read(path)
    if record and record.pid == pid:
        path.unlink(missing_ok=True)


def log_path(name: str) -> Path:
    """Where an engine writes its log."""
    return runtime_directory() / f"{name}.log"


def _read(path: Path) -> EngineRecord | None:
    try:
        record = EngineRecord(**json.loads(path.read_text(encoding="utf-8")))
        if record.alive:
            return record
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        pass  # damaged
    path.unlink(missing_ok=True)
    return None
