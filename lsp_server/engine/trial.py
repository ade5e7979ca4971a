"""A first load happens in a process that may die, and a load that fails goes down a ladder.

Native code can crash where Python cannot catch it: some virtual machines report AMX and fault on its first
instruction, a driver may be broken, a file may be hostile, memory may be gone by the time it is asked for. So a model
is first loaded, and a few tokens decoded, in a child process, as it was planned; if that fails, a step lower. The
outcome is remembered per processor, library build, model file and plan, so that later loads pay nothing.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import platform
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from lsp_server import own_python
from lsp_server.engine.complaints import tells_of_memory
from lsp_server.errors import ModelLoadError
from lsp_server.models.ledger import read_json, write_json
from lsp_server.models.planning.settings import LoadSettings

logger = logging.getLogger(__name__)

REFUSED = 3  # exit code of probe.py for a load that failed without a crash
PROGRESS = "progress"  # begins a line of probe.py that says how far a load is, 0 to 1
NO_MEMORY = 4  # the same, for want of memory
_LEAST_CTX, _LEAST_UBATCH = 2048, 64
# So do processes end that the system's out-of-memory killer picks.
_KILLED = (-9, 137)


@dataclass(frozen=True, slots=True)
class Step:
    """A step down the ladder.

    Attributes:
        given_up: what it does without, for people.
        changes: fields of the settings, by name.
        helps_memory, helps_crash: against which failure it is worth trying.
    """

    given_up: str
    changes: Mapping[str, Any]
    helps_memory: bool
    helps_crash: bool


@dataclass(frozen=True, slots=True)
class Rung:
    """Where a load stands on the ladder; ``given_up``: the steps that it took, none for the plan itself."""

    settings: LoadSettings
    given_up: tuple[str, ...] = ()

    def after(self, step: Step) -> Rung:
        """A step lower; itself if the step has nothing to give up."""
        settings = replace(self.settings, **step.changes)
        return self if settings == self.settings else Rung(settings, (*self.given_up, step.given_up))


def ladder(plan: LoadSettings) -> list[Step]:
    """What to give up when the planned settings fail, one after the other. A step that would not help is left out."""
    # Rearranged copies stay where they are, while the file they were made from can be dropped under pressure.
    steps = [Step("rearranged weights", {"use_extra_bufts": False}, plan.load_mode == "mmap", True)]
    steps.append(Step("more than one sequence", {"n_seq_max": 1}, True, False))
    half, least = max(min(plan.n_ctx, _LEAST_CTX), plan.n_ctx // 2), min(plan.n_ctx, _LEAST_CTX)
    steps.append(Step("half of the context", {"n_ctx": half}, True, False))
    if plan.n_gpu_layers > 0:
        # Without the planned division among several GPUs: llama.cpp's own, by the room it finds.
        fewer = {"n_gpu_layers": plan.n_gpu_layers // 2, "tensor_split": ()}
        none = {"n_gpu_layers": 0, "tensor_split": (), "cpu_moe_layers": (), "load_mode": "mmap"}
        if plan.n_gpu_layers > 1:
            steps.append(Step("half of the layers on the GPU", fewer, True, False))
        steps.append(Step("the GPU", none, True, True))
    smallest = {"n_ctx": least, "n_ubatch": min(plan.n_ubatch, _LEAST_UBATCH)}
    steps.append(Step(f"all but {least:,} tokens of context", smallest, True, False))
    return steps


def settings_from(fields: Mapping[str, Any]) -> LoadSettings:
    """Settings from JSON's types.

    Raises:
        TypeError: fields are missing or unknown.
    """
    known = {f.name for f in dataclasses.fields(LoadSettings)}
    if not known >= fields.keys():
        raise TypeError(f"unknown settings {sorted(fields.keys() - known)}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    return LoadSettings(**values)


def proven_settings(
    model: Path,
    plan: LoadSettings,
    build_id: str,
    *,
    on_step: Callable[[str], None] = lambda _text: None,
    on_progress: Callable[[float], bool] = lambda _fraction: True,
    memory_file: Path | None = None,
) -> Rung:
    """The highest rung of the ladder that is known to survive on this machine, tried out if need be.

    A rung that was reached because memory was short is not remembered: there may be enough of it the next time.

    Args:
        on_step: told, for people, of each rung that failed and what is tried next.
        on_progress: told the loaded fraction 0..1 of what is tried; False stops it.

    Raises:
        ModelLoadError: none survives, the file is not loadable at all, or it was stopped.
    """
    memory = _Memory(memory_file, model, plan, build_id)
    steps = ladder(plan)
    if known := _remembered(plan, steps, memory.get("survived")):
        return known
    rung, rest, memory_was_short = Rung(plan), iter(steps), False
    while True:
        result = _attempt(model, rung.settings, on_progress=on_progress)
        if result.returncode == 0:
            if not memory_was_short:
                memory.keep("survived", list(rung.given_up))
            return rung
        if result.returncode == REFUSED:
            raise ModelLoadError(result.stdout.strip() or f"llama.cpp could not load {model}.")
        out_of_memory = _for_want_of_memory(result)
        memory_was_short = memory_was_short or out_of_memory
        words = _words(model, result, out_of_memory=out_of_memory)
        logger.warning("%s %s", words, result.stderr.strip()[-2000:])
        helpful = (step for step in rest if (step.helps_memory if out_of_memory else step.helps_crash))
        lower = next((below for step in helpful if (below := rung.after(step)) != rung), None)
        if lower is None:
            break
        on_step(f"{words} Trying without {lower.given_up[-1]}.")
        rung = lower
    if out_of_memory:
        raise ModelLoadError(
            f"There is not enough memory for {model}, not even with the smallest context.",
            hint="Close something, or choose a smaller model; `shardlight plan` says what would fit.",
        )
    raise ModelLoadError(
        f"llama.cpp crashes while loading {model}, even with the most careful settings. {words} "
        f"Its last words: {result.stderr.strip()[-2000:]}",
        hint="`shardlight doctor` checks the build; `make setup` rebuilds llama.cpp.",
    )


def _remembered(plan: LoadSettings, steps: Sequence[Step], survived: object) -> Rung | None:
    """The rung that was kept as the names of its steps; None if these are not the ladder's."""
    if not isinstance(survived, list):
        return None
    rung = Rung(plan)
    for step in steps:
        if step.given_up in survived:
            rung = rung.after(step)
    return rung if list(rung.given_up) == survived else None


def simulated(
    model: Path, settings: LoadSettings, build_id: str, *, memory_file: Path | None = None
) -> dict[str, Any] | None:
    """What llama.cpp would allocate for one context, as ``native.memory_log.Allocated``'s fields.

    Returns:
        None if it did not live to tell.

    Raises:
        ModelLoadError: it refuses the model.
    """
    memory = _Memory(memory_file, model, settings, build_id)
    known = memory.get("allocated")
    if isinstance(known, dict):
        return known
    result = _attempt(model, settings, "--simulate")
    if result.returncode == REFUSED:
        raise ModelLoadError(result.stdout.strip() or f"llama.cpp could not load {model}.")
    if result.returncode != 0:
        logger.warning("Asked for its sizes, llama.cpp ended with code %s.", result.returncode)
        return None
    found: dict[str, Any] = json.loads(result.stdout)
    memory.keep("allocated", found)
    return found


class _Memory:
    """What is known of a model under some settings, on this processor and build. A damaged memory counts as none."""

    def __init__(self, file: Path | None, model: Path, settings: LoadSettings, build_id: str) -> None:
        self._file = file or user_cache_path("shardlight", appauthor=False) / "load-trials.json"
        stat = model.stat()
        parts = [processor_name(), build_id, str(model.resolve()), str(stat.st_size), str(stat.st_mtime_ns)]
        self._key = "|".join([*parts, json.dumps(_jsonable(settings), sort_keys=True)])

    def get(self, name: str) -> object:
        """What was kept under a name, or None."""
        return self._entry(read_json(self._file) or {}).get(name)

    def keep(self, name: str, value: object) -> None:
        """Keep something; that it cannot be kept only costs the next trial."""
        everything = read_json(self._file) or {}
        everything[self._key] = {**self._entry(everything), name: value}
        try:
            write_json(self._file, everything)
        except OSError as error:
            logger.warning("The outcome of the trial could not be kept in %s: %s", self._file, error)

    def _entry(self, everything: Mapping[str, object]) -> dict[str, object]:
        entry = everything.get(self._key)
        return entry if isinstance(entry, dict) else {}


def _for_want_of_memory(result: subprocess.CompletedProcess[str]) -> bool:
    """Whether a load failed for want of memory: it said so, it was killed, or crashed right after complaining of it."""
    killed = result.returncode in (NO_MEMORY, *_KILLED)
    return killed or tells_of_memory(result.stderr)


def _words(model: Path, result: subprocess.CompletedProcess[str], *, out_of_memory: bool) -> str:
    if out_of_memory:
        return f"There was not enough memory to load {model.name}."
    how = f"code {result.returncode}"
    if result.returncode < 0:
        try:
            how = signal.Signals(-result.returncode).name
        except ValueError:
            how = f"signal {-result.returncode}"
    return f"Loading {model.name} crashed ({how})."


def _attempt(
    model: Path, settings: LoadSettings, *options: str, on_progress: Callable[[float], bool] = lambda _fraction: True
) -> subprocess.CompletedProcess[str]:
    """Run the process that may die; raises ModelLoadError if ``on_progress`` has it stopped."""
    arguments = (str(model.absolute()), json.dumps(_jsonable(settings)), *options)
    command = own_python.command("lsp_server.engine.probe", *arguments)
    said, stopped = [], False
    # What goes to stderr may be long, and nobody reads it meanwhile.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
        with subprocess.Popen(
            command,
            cwd=own_python.FOLDER,
            # Never written to: it ends when we do.
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                word, _, figure = line.partition(" ")
                if word != PROGRESS:
                    said.append(line)
                elif not stopped and not on_progress(float(figure)):
                    stopped = True
                    process.kill()
        if stopped:
            raise ModelLoadError(f"Loading {model.name} was stopped.")
        complaints.seek(0)
        return subprocess.CompletedProcess(command, process.returncode, "".join(said), complaints.read())


def _jsonable(settings: LoadSettings) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(settings).items()}


def processor_name() -> str:
    """Model name of the processor; a moved disk or a migrated virtual machine is tried anew."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
