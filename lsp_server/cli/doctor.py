"""``shardlight doctor``: is everything here that it takes, and if not, what to do."""

from __future__ import annotations

import argparse
import asyncio
import json
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.markup import escape

from lsp_server import __version__
from lsp_server.engine import cgroup, hardware, processor, runtime
from lsp_server.errors import ModelError, ShardlightError
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, collect
from lsp_server.inference.remote import connect
from lsp_server.inference.remote_spec import RemoteSpec, is_remote, remote_spec, remote_urls
from lsp_server.inference.roles import RoleBackend
from lsp_server.inference.sources import engine_spec, wanted_model
from lsp_server.models.catalog import Role
from lsp_server.models.files import human_size, nearest_existing
from lsp_server.models.hardware import Hardware
from lsp_server.models.store import ModelStore, store_from
from lsp_server.settings import sources
from lsp_server.settings.schema import Settings
from lsp_server.syntax import grammars, languages

Status = Literal["ok", "warning", "failed"]
_MIN_MEMORY = 2 * 1024**3
_MIN_DISK = 2 * 1024**3
# What the models of the catalog that `auto` chooses are made of (Q4_K_M).
_TENSOR_TYPES = ("Q4_K", "Q6_K")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the examination; ``hint`` is the way out where there is one to take."""

    name: str
    status: Status
    detail: str
    hint: str = ""


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``doctor``."""
    command = subparsers.add_parser("doctor", help="check this machine, the build, the models and the engine")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace, settings: Settings) -> int:
    checks = []
    console = Console()
    machine = _Machine()
    for check in examine(settings, machine):
        checks.append(check)
        if not args.json:
            _print(console, check)
    failed = any(c.status == "failed" for c in checks)
    if args.json:
        report = {"version": __version__, "ok": not failed, "checks": [asdict(c) for c in checks]}
        report["hardware"] = asdict(machine.found) if machine.found else None
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 1 if failed else 0


def _print(console: Console, check: Check) -> None:
    mark = {"ok": "[green]ok     [/]", "warning": "[yellow]warning[/]", "failed": "[red]failed [/]"}[check.status]
    console.print(f"{mark}  [bold]{check.name:<18}[/] {escape(check.detail)}", highlight=False, soft_wrap=True)
    if check.hint and check.status != "ok":
        console.print(f"{'':29}→ {escape(check.hint)}", highlight=False, soft_wrap=True)


@dataclass(slots=True)
class _Machine:
    """What one check finds out and a later one needs."""

    library: hardware.Library | None = None
    model: Path | None = None
    found: Hardware | None = None


def examine(settings: Settings, machine: _Machine) -> Iterator[Check]:
    """All checks, each as soon as it is done; one that raises is a failed one, and the others go on."""
    models = settings.models
    store = store_from(models.directory, registry_mirror=models.registry_mirror)
    steps: list[tuple[str, Callable[[], Check]]] = [
        ("python", _python),
        ("settings", _settings),
        ("processor", _processor),
        ("memory", _memory),
        ("llama.cpp", lambda: _library(machine)),
        ("grammars", _grammars),
        ("disk", lambda: _disk(store)),
        *_models(settings, store, "completion", machine),
        *_models(settings, store, "assistant", machine),
        ("speed", lambda: _speed(store, machine)),
    ]
    if not is_remote(settings, "completion"):
        steps.append(("engine", lambda: asyncio.run(_engine(settings, store))))
    for name, step in steps:
        try:
            yield step()
        except ShardlightError as error:
            yield Check(name, "failed", error.message, error.hint)
        except Exception as error:
            yield Check(name, "failed", f"{type(error).__name__}: {error}")


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()} at {sys.executable}, {hardware.describe_platform()}")


def _settings() -> Check:
    problems = sources.load().problems
    if problems:
        return Check("settings", "warning", " ".join(p.message for p in problems), "docs/settings.md lists them all.")
    return Check(
        "settings", "ok", f"{sources.user_file()}{'' if sources.user_file().exists() else ' (not there: defaults)'}"
    )


def _processor() -> Check:
    features = processor.features()
    cores, nodes = processor.default_threads(), processor.numa_nodes()
    detail = f"{processor.name()}, {cores} physical core{'s' * (cores > 1)} to use"
    if nodes > 1:
        detail += f" in {nodes} NUMA nodes"
    if features:
        detail += f" ({' '.join(features)})"
    if features and "avx2" not in features and "asimd" not in features:
        return Check("processor", "warning", detail, "Without AVX2 completion is slow; choose the smallest model.")
    return Check("processor", "ok", detail)


def _memory() -> Check:
    available, total = hardware.memory_bytes()
    detail = f"{human_size(available)} of {human_size(total)} available"
    limit = cgroup.memory()
    if limit and limit.total == total:
        detail += " (the limit of this container or control group; the machine may have more)"
    if available < _MIN_MEMORY:
        return Check("memory", "warning", detail, "Close something, or choose the smallest model.")
    return Check("memory", "ok", detail)


def _library(machine: _Machine) -> Check:
    try:
        library = machine.library = hardware.probe_library()
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Check(
            "llama.cpp", "failed", str(error), "`make setup` (or reinstalling llama-cpp-python) builds it anew."
        )
    devices = ", ".join(
        f"{d.name} ({d.description}, {human_size(d.free_bytes)} of {human_size(d.total_bytes)} free)"
        for d in library.devices
    )
    detail = f"llama-cpp-python {library.version}; devices: {devices}; {library.system_info}"
    if "AMX_INT8 = 1" in library.system_info:
        hint = "`make setup` builds it without AMX, which is faster while typing and faults on some virtual machines."
        return Check("llama.cpp", "warning", detail, hint)
    return Check("llama.cpp", "ok", detail)


def _grammars() -> Check:
    first_class = [language for language in languages.LANGUAGES if language.queries]
    missing = [language.name for language in first_class if grammars.load(language) is None]
    if missing:
        return Check("grammars", "failed", f"no grammar for {', '.join(missing)}", "Reinstall shardlight.")
    return Check("grammars", "ok", f"{len(first_class)} first-class languages")


def _disk(store: ModelStore) -> Check:
    folder = nearest_existing(store.directory)
    free = shutil.disk_usage(folder).free
    detail = f"{human_size(free)} free for models in {store.directory}"
    if free < _MIN_DISK:
        return Check("disk", "warning", detail, "Free some space, or set models.directory to another disk.")
    return Check("disk", "ok", detail)


def _models(
    settings: Settings, store: ModelStore, role: Role, machine: _Machine
) -> Iterator[tuple[str, Callable[[], Check]]]:
    """The checks of a role: of its model, or of its servers elsewhere."""
    name = f"{role} model"
    urls = remote_urls(settings, role)
    if not urls:
        yield name, lambda: _model(settings, store, role, machine)
    for number, url in enumerate(urls, start=1):
        server = f"{name} {number}" if len(urls) > 1 else name
        yield server, partial(_at, settings, role, url, server)
    if urls and settings.backend.local_fallback:
        yield f"{role} fallback", partial(_fallback, settings, store, role)


def _at(settings: Settings, role: Role, url: str, name: str) -> Check:
    return asyncio.run(_server(remote_spec(settings, role, url), name))


def _fallback(settings: Settings, store: ModelStore, role: Role) -> Check:
    """Who answers while no server does."""
    try:
        model = store.locate(wanted_model(settings, store, role))
    except ModelError as error:
        return Check(f"{role} fallback", "ok", f"nobody, while no server answers: {error.message}")
    return Check(f"{role} fallback", "ok", f"{model.ref_id} on this machine, while no server answers")


def _model(settings: Settings, store: ModelStore, role: Role, machine: _Machine) -> Check:
    model = store.locate(wanted_model(settings, store, role))
    machine.model = machine.model or model.path
    return Check(f"{role} model", "ok", f"{model.ref_id}, {human_size(model.size)}, {model.path}")


def _speed(store: ModelStore, machine: _Machine) -> Check:
    # No model yet: the folder for models, if that is there.
    place = machine.model or (store.directory if store.directory.is_dir() else None)
    found = machine.found = hardware.detect(place, types=_TENSOR_TYPES, library=machine.library)
    cpu, disk = found.cpu, found.disk_read
    source = "measured" if cpu.measured else "the data sheet's"
    memory = f"{human_size(int(cpu.bandwidth))}/s ({source})" if cpu.bandwidth else "not known"
    detail = f"memory bandwidth {memory}, disk {f'{human_size(int(disk))}/s' if disk else 'not known'}"
    if not cpu.bandwidth:
        return Check(
            "speed", "warning", detail, "Predicted speeds are rough then; the next `shardlight doctor` tries again."
        )
    return Check("speed", "ok", detail)


async def _server(spec: RemoteSpec, name: str) -> Check:
    """Ask a server elsewhere what it can do, and let it say something."""
    backend = await connect(spec)
    try:
        if backend.fills_holes and spec.role == "completion":
            answer = await collect(backend.infill(InfillRequest("def add(a, b):\n    return a", "\n", max_tokens=4)))
        else:
            answer = await collect(backend.chat(ChatRequest((Message("user", "Say hello."),), max_tokens=4)))
    finally:
        await backend.aclose()
    detail = f"{backend.name}: {backend.description}; it says {answer.text!r}"
    if spec.url.startswith("http:") and not spec.is_here:
        return Check(name, "warning", detail, "Your code goes there unencrypted; https or a tunnel would change that.")
    return Check(name, "ok", detail)


async def _engine(settings: Settings, store: ModelStore) -> Check:
    """Attach to the completion engine (or start it) and have it generate."""
    spec = engine_spec(settings, store, "completion")
    running = runtime.read(spec.name) is not None
    backend = RoleBackend(lambda: spec, lambda _fraction: None)
    try:
        answer = await collect(backend.infill(InfillRequest("def add(a, b):\n    return", "\n", max_tokens=1)))
    finally:
        await backend.aclose()
    record = runtime.read(spec.name)
    where = f" at {record.url}, pid {record.pid}" if record else ""
    how = "was running" if running else "started"
    t = answer.timings
    detail = f"{spec.model_id} {how}{where}; {t.predicted_tokens} token after {t.ttft_ms:.0f} ms: {answer.text!r}"
    return Check("engine", "ok" if t.predicted_tokens else "failed", detail)
