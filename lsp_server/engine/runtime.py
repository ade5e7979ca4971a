"""How the processes of one user find a running engine: a small file per model, readable by that user alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import psutil
from platformdirs import user_state_path


@dataclass(frozen=True, slots=True)
class EngineRecord:
    """A running engine: where it listens, how to talk to it, what it serves.

    A pid may be given to somebody else. ``started`` is the process's creation time (seconds since the epoch), and
    ``after_boot`` that since the machine was started: when the clock is set, the one or the other stays, depending on
    the system.

    Attributes:
        version: of Shardlight.
        model_state: ``state_of`` the model's file when it was opened.
        claims: bytes that its plan takes, by device; what other engines must not plan with.
        loaded: whether the system counts all of them as taken by now.
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
    after_boot: float
    model_state: str = ""
    claims: dict[str, int] = field(default_factory=dict)
    loaded: bool = False

    @property
    def url(self) -> str:
        """Base URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What every request but ``/health`` has to bring along."""
        return {"Authorization": f"Bearer {self.token}"}

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
            since_epoch, after_boot = creation(process)
            same = abs(since_epoch - self.started) < 1.0 or abs(after_boot - self.after_boot) < 1.0
            return same and not ended
        except psutil.Error:
            return False


def creation(process: psutil.Process) -> tuple[float, float]:
    """When a process was created: seconds since the epoch and since the machine was started, by today's clock."""
    created = process.create_time()
    return created, created - psutil.boot_time()


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


def state_of(model_path: Path) -> str:
    """Changes when a model's file is replaced; empty if there is none."""
    try:
        stat = model_path.stat()
    except OSError:
        return ""
    return f"{stat.st_size}:{stat.st_mtime_ns}"


def write(name: str, record: EngineRecord) -> Path:
    """Publish a record."""
    path = runtime_directory() / f"{name}.json"
    write_private(path, json.dumps(asdict(record)))
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file of this folder: aside with owner-only rights, then renamed. What fails leaves nothing.

    Raises:
        OSError: it cannot be written.
    """
    aside = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read(name: str) -> EngineRecord | None:
    """The record of a running engine; a stale or damaged one is removed and counts as none."""
    return _read(runtime_directory() / f"{name}.json")


def all_running() -> list[EngineRecord]:
    """Every engine of this user that runs."""
    return [record for path in sorted(runtime_directory().glob("*.json")) if (record := _read(path))]


def update(name: str, pid: int, **changes: Any) -> None:
    """Change fields of a record, if it still is that process's own."""
    record = read(name)
    if record and record.pid == pid:
        write(name, replace(record, **changes))


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
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, PermissionError):
        return None
    except (OSError, ValueError):
        text = ""
    try:
        record = _parse(text)
        if record.alive:
            return record
    except (ValueError, TypeError, AttributeError):
        pass  # damaged
    # Stale or damaged; unless somebody has put another one there meanwhile.
    with contextlib.suppress(OSError, ValueError):
        if not text or path.read_text(encoding="utf-8") == text:
            path.unlink(missing_ok=True)
    return None


def _parse(text: str) -> EngineRecord:
    """A record, of an older or newer version too: what it lacks has its default, and what is not known is left out."""
    known = {field.name for field in fields(EngineRecord)}
    return EngineRecord(**{name: value for name, value in json.loads(text).items() if name in known})
