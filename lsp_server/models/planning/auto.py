"""Which model of the catalog suits a machine: the strongest that answers before patience ends."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import replace

from lsp_server.errors import PlanError
from lsp_server.models.blueprint import load_blueprint
from lsp_server.models.catalog import Catalog, CatalogModel, Role
from lsp_server.models.files import human_size
from lsp_server.models.hardware import Hardware
from lsp_server.models.planning.anatomy import Anatomy, anatomy_of
from lsp_server.models.planning.plan import Plan, Wishes
from lsp_server.models.planning.planner import make_plan, typical_seconds
from lsp_server.models.planning.speed import Prediction

# A suggestion that comes later than this (seconds, for 64 tokens read and 24 written) comes after the thought.
_COMPLETION_S = 1.5
# Slower than reading is too slow to be read along; and so long one waits for the first word of an answer.
_ASSISTANT_DECODE = 5.0
_ASSISTANT_PROMPT_S = 30.0
_ASSISTANT_PROMPT_TOKENS = 1500


@functools.cache
def catalog_anatomy(name: str) -> Anatomy:
    """A model of the catalog, taken from its blueprint: its files need not be here."""
    return anatomy_of(load_blueprint(name).shard_set())


def is_usable(predicted: Prediction, role: Role) -> bool:
    """Whether one would want to work with that."""
    if role == "completion":
        return typical_seconds(predicted, role) <= _COMPLETION_S
    waiting = _ASSISTANT_PROMPT_TOKENS / predicted.prefill
    return predicted.decode >= _ASSISTANT_DECODE and waiting <= _ASSISTANT_PROMPT_S


def suits(model: CatalogModel, role: Role, hardware: Hardware, n_ctx: int) -> bool:
    """Whether a model of the catalog fits a machine and reaches a usable speed there."""
    try:
        plan = make_plan(catalog_anatomy(model.name), at_rest(hardware), Wishes(role, n_ctx))
    except PlanError:
        return False
    return plan.verdict == "fits" and is_usable(plan.predicted, role)


def at_rest(hardware: Hardware) -> Hardware:
    """The machine as if nothing else ran: what `auto` means must not change with every window that opens."""
    gpus = tuple(replace(gpu, free_bytes=int(gpu.total_bytes * 0.96)) for gpu in hardware.gpus)
    return replace(hardware, ram_available=max(hardware.ram_available, int(hardware.ram_total * 0.85)), gpus=gpus)


def advise(plan: Plan, hardware: Hardware, catalog: Catalog) -> Plan:
    """The plan with what would be better, where it leaves something to be desired."""
    return replace(plan, suggestions=tuple(_suggestions(plan, hardware, catalog)))


def _suggestions(plan: Plan, hardware: Hardware, catalog: Catalog) -> Iterator[str]:
    wishes = plan.wishes
    if plan.verdict == "from disk":
        ram = plan.devices[-1]
        yield (
            f"With {human_size(ram.n_bytes - ram.budget_bytes)} more memory nothing would be read from disk. As it is, "
            f"a token takes {1 / plan.predicted.decode:.1f} s."
        )
    elif plan.settings.n_ctx < wishes.n_ctx:
        yield f"--ctx {plan.settings.n_ctx} is what fits beside the weights; a smaller model leaves room for more."
    if plan.verdict == "fits" and is_usable(plan.predicted, wishes.role):
        return
    better = _best(catalog, wishes, hardware, size=sum(device.weights_bytes for device in plan.devices))
    if better is None:
        yield "No model of the catalog reaches a usable speed on this machine."
        return
    model, other = better
    yield (
        f"{model.name} ({human_size(model.size or 0)}) would answer here at {other.predicted.decode:.0f} tokens/s and "
        f"read prompts at {other.predicted.prefill:.0f}."
    )


def _best(catalog: Catalog, wishes: Wishes, hardware: Hardware, size: int) -> tuple[CatalogModel, Plan] | None:
    """The strongest usable model that is smaller."""
    for model in catalog.auto(wishes.role):
        if (
            not model.commercial_use
            or (model.size or 0) >= size
            or not suits(model, wishes.role, hardware, wishes.n_ctx)
        ):
            continue
        return model, make_plan(catalog_anatomy(model.name), hardware, wishes)
    return None
