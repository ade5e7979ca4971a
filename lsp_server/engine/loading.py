"""Before and after a model is loaded: plan it, ask llama.cpp, prove it in a process that may die, compare."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lsp_server.engine import trial
from lsp_server.engine.hardware import Library, detect
from lsp_server.engine.neighbours import ALONE, Alone, Claims, told
from lsp_server.errors import InvalidModelFileError
from lsp_server.models.files import human_size
from lsp_server.models.gguf.shard_set import open_set
from lsp_server.models.hardware import Hardware
from lsp_server.models.planning.anatomy import Anatomy, anatomy_of
from lsp_server.models.planning.placement import CPU
from lsp_server.models.planning.plan import Plan, Wishes
from lsp_server.models.planning.planner import make_plan, plan_with

logger = logging.getLogger(__name__)

# Where planned and real bytes differ by more than this share, the log warns.
_TOLERANCE = 0.15


@dataclass
class Load:
    """How a load went.

    Attributes:
        plan: what was loaded: the plan, or what was left of it after ``steps``.
        steps: a sentence for each step down the ladder.
        measured: bytes that llama.cpp allocated for the weights and the first context, by what they are for.
    """

    plan: Plan
    steps: list[str] = field(default_factory=list)
    measured: dict[str, int] = field(default_factory=dict)

    def compare(self, allocated: Mapping[str, Any]) -> None:
        """Remember what llama.cpp allocated (from ``native.memory_log``); the log says how far off the plan was."""
        self.measured = totals(allocated)
        n = self.plan.settings.n_contexts
        planned = {
            "weights": sum(device.weights_bytes for device in self.plan.devices),
            "kv": sum(device.kv_bytes for device in self.plan.devices) // n,
            "compute": sum(device.compute_bytes for device in self.plan.devices) // n,
        }
        for what, bytes_planned in planned.items():
            real = self.measured[what]
            apart = (real - bytes_planned) / bytes_planned if bytes_planned else 0.0
            level = logging.WARNING if abs(apart) > _TOLERANCE else logging.INFO
            sizes = human_size(bytes_planned), human_size(real)
            logger.log(level, "Memory, %s: planned %s, allocated %s (%+.1f %%)", what, *sizes, apart * 100)

    def as_json(self) -> dict[str, Any]:
        """In JSON's types, for ``/props``."""
        return {**self.plan.as_json(), "steps": self.steps, "measured": self.measured}


def prepare(
    path: Path,
    wishes: Wishes,
    library: Callable[[], Library],
    on_progress: Callable[[float], bool] = lambda _fraction: True,
    neighbours: Alone = ALONE,
) -> Load:
    """A plan that is known to load, tried out if it never was.

    Args:
        library: asks the installed llama.cpp what it is and sees.
        on_progress: told the loaded fraction 0..1 while it is tried; False stops it.

    Raises:
        InvalidModelFileError: a file is not usable.
        PlanError: the model cannot run here.
        ModelLoadError: llama.cpp refuses it, or no step of the ladder survives.
    """
    build_id = library().build_id

    # What is free is asked anew each time: somebody may have left meanwhile.
    load = Load(neighbours.planned(lambda claims: planned(path, wishes, library(), claims)[0]))

    def step(text: str) -> None:
        logger.warning("%s", text)
        load.steps.append(text)

    rung = trial.proven_settings(path, load.plan.settings, build_id, on_step=step, on_progress=on_progress)
    if rung.given_up:
        model, here = survey(path, library())
        load.plan = exact(path, plan_with(model, here, wishes, rung.settings), build_id)
        *others, last = rung.given_up
        lacking = f"{', '.join(others)} and {last}" if others else last
        load.steps = load.steps or [f"Loaded without {lacking}, as the last time."]
    for device in load.plan.devices:
        logger.info("Planned: %s, %s", device.name, human_size(device.n_bytes))
    for reason in load.plan.reasons:
        logger.info("Planned: %s", reason)
    return load


def planned(path: Path, wishes: Wishes, library: Library, claims: Claims, *, name: str = "") -> tuple[Plan, Hardware]:
    """A plan for a model that is here, and the machine that it is for.

    Args:
        claims: what is left to other engines.
        name: what the model is called; its own name if it is empty.

    Raises:
        InvalidModelFileError: a file is not usable.
        PlanError: the model cannot run here.
        ModelLoadError: llama.cpp refuses it.
    """
    model, here = survey(path, library)
    here = here.beside(claims)
    plan = exact(path, make_plan(model.called(name) if name else model, here, wishes), library.build_id)
    return replace(plan, reasons=(*told(claims), *plan.reasons)), here


def survey(path: Path, library: Library) -> tuple[Anatomy, Hardware]:
    """A model and this machine, as a plan needs them.

    Raises:
        InvalidModelFileError: a file is not usable.
    """
    files = open_set(path)
    model = anatomy_of(files)
    if not model.layers:
        raise InvalidModelFileError(
            f"{files.path} has no layers: it is no model that can generate text.",
            hint="Name a model's own file; adapters, vocabularies and projectors are not models.",
        )
    return model, detect(files.path, types=kernel_types(model), library=library)


def kernel_types(model: Anatomy) -> tuple[str, ...]:
    """The tensor types whose speed matters, and F16, in which the cache is."""
    return tuple(sorted({*model.weights.bytes_by_type, "F16"} - {"F32", "F64", "I8", "I16", "I32", "I64"}))


def exact(path: Path, plan: Plan, build_id: str) -> Plan:
    """The plan with llama.cpp's own figures for cache and compute buffers, if it lives to tell them.

    It tells the cache's total only: among several devices that is divided as the formulas have it.

    Raises:
        ModelLoadError: llama.cpp refuses the model.
    """
    allocated = trial.simulated(path, plan.settings, build_id)
    if allocated is None:
        return plan
    n, formula = plan.settings.n_contexts, sum(device.kv_bytes for device in plan.devices) or 1
    total = sum(allocated["compute"].values()) + allocated["output"]
    elsewhere = sum(allocated["compute"].get(device.name, 0) for device in plan.devices if device.name != CPU)
    devices = []
    for device in plan.devices:
        # Beside a GPU, the CPU's part lies in memory that goes by the GPU's name (CUDA_Host).
        compute = allocated["compute"].get(device.name, 0) if device.name != CPU else total - elsewhere
        kv = allocated["cache"] * n * device.kv_bytes // formula
        devices.append(replace(device, kv_bytes=kv, compute_bytes=compute * n))
    return replace(plan, devices=tuple(devices), exact=True)


def totals(allocated: Mapping[str, Any]) -> dict[str, int]:
    """Bytes by purpose, of ``native.memory_log.Allocated``'s fields."""
    compute = sum(allocated["compute"].values()) + allocated["output"]
    return {"weights": sum(allocated["weights"].values()), "kv": allocated["cache"], "compute": compute}
