"""Getting an engine to talk to: attach to the one that runs, or start it."""

from __future__ import annotations

import asyncio
import errno
import logging
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import filelock
from filelock import AsyncFileLock
from packaging.version import InvalidVersion, Version

from lsp_server import __version__, own_python
from lsp_server.engine import crashes, runtime
from lsp_server.engine.config import EngineConfig
from lsp_server.errors import BackendGoneError, BackendStuckError, BackendUnavailableError, EngineStartError
from lsp_server.inference.ending import DRAIN_S, drained, end, has_ended
from lsp_server.inference.http import HttpBackend
from lsp_server.inference.watchdog import MOST_MISSES
from lsp_server.models.catalog import Role

logger = logging.getLogger(__name__)

_START_TIMEOUT_S = 30.0
_POLL_S = 0.05
# Before one that says nothing is asked once more.
_LOOK_S = 1.0
# An engine that ends closes its door first; giving back tens of gigabytes takes a while.
_LEAVING_S = 15.0
_ANOTHER_FOLDER = "Shardlight keeps what it needs for that in a folder of your own; XDG_STATE_HOME names another one."
_TOO_MANY_FILES = "This program has too many files open; restarting the editor closes them."
_TOO_MUCH = "The system has no room for another process."
_WAYS_OUT = {
    errno.EMFILE: _TOO_MANY_FILES,
    errno.ENFILE: _TOO_MANY_FILES,
    errno.EAGAIN: _TOO_MUCH,
    errno.ENOMEM: _TOO_MUCH,
    errno.ENOSPC: f"The disk is full. {_ANOTHER_FOLDER}",
}
# Bytes: where there are fewer, nothing can be written.
_LEAST_FREE = 65_536
_TOLD = "shardlight: "  # what an error for the user begins with on the command line


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """Which engine is wanted; see ``settings.schema.EngineSettings`` for the numbers.

    ``role``: what it is planned for; one that serves both is planned for completion.
    """

    model_id: str
    model_path: Path
    n_ctx: int
    n_gpu_layers: int
    n_threads: int
    port: int
    idle_minutes: int
    role: Role = "completion"
    memory_percent: int = 85
    checkpoint_mb: int = 512
    background_percent: int = 50

    @property
    def config(self) -> EngineConfig:
        """What the engine goes by."""
        return EngineConfig(
            model_id=self.model_id,
            path=self.model_path.absolute(),
            n_ctx=self.n_ctx,
            n_gpu_layers=self.n_gpu_layers,
            n_threads=self.n_threads,
            memory_share=self.memory_percent / 100,
            role=self.role,
            checkpoint_bytes=self.checkpoint_mb * 1_000_000,
            background_share=self.background_percent / 100,
        )

    @property
    def name(self) -> str:
        """Name of the engine's runtime file."""
        return runtime.key(self.model_path, self.n_ctx, self.n_gpu_layers)


async def attach(spec: EngineSpec, on_progress: Callable[[float], None] = lambda _fraction: None) -> HttpBackend:
    """A backend whose model is loaded; starts the engine if none runs.

    Args:
        on_progress: called with the loaded fraction 0..1 while the model loads.

    Raises:
        EngineStartError: the process did not come up, or the model could not be loaded; the reason is in the message.
    """
    deadline = time.monotonic() + _LEAVING_S
    while True:
        record, is_new = await _running(spec)
        try:
            return await _loaded(record, on_progress)
        except BackendUnavailableError as error:
            # One that was there may be about to end, and still has its record: then another one takes its place.
            if not is_new and isinstance(error, BackendGoneError) and time.monotonic() < deadline:
                await asyncio.sleep(_POLL_S)
                continue
            if isinstance(error, BackendStuckError):
                logger.warning("The engine does nothing any more and is ended: %s", error)
                end(record)
                if not is_new and await has_ended(record, _LEAVING_S):
                    continue
            raise EngineStartError(
                f"The engine for {spec.model_id} could not be started: {error.message}",
                hint=f"Its log is {runtime.log_path(spec.name)}; `shardlight doctor` checks the machine.",
            ) from error


async def _loaded(record: runtime.EngineRecord, on_progress: Callable[[float], None]) -> HttpBackend:
    """A backend for an engine, once its model is loaded. Raises BackendUnavailableError as ``health`` does."""
    backend = HttpBackend(record.url, record.token, end=partial(end, record))
    misses = 0
    try:
        while True:
            try:
                ready, fraction = await backend.health()
                if ready:
                    await backend.hold()
            except BackendStuckError:
                misses += 1
                if misses == MOST_MISSES:
                    raise
                await asyncio.sleep(_LOOK_S)
                continue
            misses = 0
            if ready:
                await backend.learn()
                return backend
            on_progress(fraction)
            await asyncio.sleep(_POLL_S)
    except BaseException:
        await backend.aclose()
        raise


async def _running(spec: EngineSpec) -> tuple[runtime.EngineRecord, bool]:
    """The record of a running engine, and whether it was started just now.

    A lock makes sure that only one of many clients starts it.
    """
    try:
        lock = AsyncFileLock(str(runtime.runtime_directory() / f"{spec.name}.lock"), timeout=_START_TIMEOUT_S + DRAIN_S)
        async with lock:
            record = runtime.read(spec.name)
            if record and is_outdated(record.version):
                logger.info("The engine of version %s makes room for %s.", record.version, __version__)
                await drained(record)
                record = None
            return (record, False) if record else (await _start(spec), True)
    except filelock.Timeout as error:
        raise EngineStartError(
            f"Another program has been starting this engine for {_START_TIMEOUT_S + DRAIN_S:.0f} s.",
            hint=f"Its log is {runtime.log_path(spec.name)}.",
        ) from error
    except OSError as error:
        raise EngineStartError(
            f"The engine cannot be started: {error}.", hint=_WAYS_OUT.get(error.errno or 0, _ANOTHER_FOLDER)
        ) from error


def is_outdated(version: str) -> bool:
    """Whether an engine of that version makes room for one of ours. A newer one serves us as well."""
    try:
        return Version(version) < Version(__version__)
    except InvalidVersion:
        return version != __version__


def _refuse_to_go_on(spec: EngineSpec) -> None:
    """Raises EngineStartError where this engine has ended by itself again and again."""
    if rest_s := crashes.rest_s(spec.name):
        what = crashes.last_words(spec.name)
        # Nothing is left in the log where the system has ended it.
        why = f" ({what})" if what else ", maybe for want of memory"
        raise EngineStartError(
            f"The engine for {spec.model_id} has ended by itself {crashes.MOST} times in a row{why}.",
            hint=f"It rests for {max(rest_s / 60, 1):.0f} minutes. A smaller engine.n_ctx or another model can be "
            f"tried at once. Its log is {runtime.log_path(spec.name)}.",
        )


async def _start(spec: EngineSpec) -> runtime.EngineRecord:
    _refuse_to_go_on(spec)
    process = _spawn(spec)
    try:
        deadline = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline:
            if record := runtime.read(spec.name):
                return record
            if process.poll() is not None:
                raise EngineStartError(f"The engine process ended at once: {_last_words(spec)}")
            await asyncio.sleep(_POLL_S)
        raise EngineStartError(f"The engine process did not start to listen within {_START_TIMEOUT_S:.0f} s.")
    except BaseException:
        # Nobody knows of it yet: left alone, it would hold the weights beside the one that is started next.
        process.kill()
        raise


def command_of(spec: EngineSpec) -> list[str]:
    """The command that runs an engine."""
    command = own_python.command("lsp_server", "engine", "run", "--for-editors")
    command += ["--model", str(spec.model_path.absolute())]
    command += ["--name", spec.model_id, "--n-ctx", str(spec.n_ctx), "--n-gpu-layers", str(spec.n_gpu_layers)]
    command += ["--n-threads", str(spec.n_threads), "--port", str(spec.port), "--role", spec.role]
    command += ["--idle-minutes", str(spec.idle_minutes), "--memory-percent", str(spec.memory_percent)]
    command += ["--checkpoint-mb", str(spec.checkpoint_mb), "--background-percent", str(spec.background_percent)]
    return command


def _spawn(spec: EngineSpec) -> subprocess.Popen[bytes]:
    command = command_of(spec)
    logger.info("Starting %s", " ".join(command))
    with runtime.log_path(spec.name).open("wb") as log:
        # A session of its own: the engine outlives this editor and does not get its Ctrl-C.
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
            return subprocess.Popen(
                command, cwd=own_python.FOLDER, stdin=subprocess.DEVNULL, stdout=log, stderr=log, creationflags=flags
            )
        return subprocess.Popen(
            command, cwd=own_python.FOLDER, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _last_words(spec: EngineSpec) -> str:
    """Why the process ended: the sentence that the command line wrote (and its hint), or else the log's last line."""
    try:
        lines = runtime.log_path(spec.name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    if not lines:
        full = shutil.disk_usage(runtime.runtime_directory()).free < _LEAST_FREE
        return "the disk is full." if full else "it left no log."
    told = [i for i, line in enumerate(lines) if line.startswith(_TOLD)]
    return " ".join(line.strip() for line in lines[told[-1] if told else -1 :]).removeprefix(_TOLD)
