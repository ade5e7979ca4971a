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
from lsp_server.models.planning.budget import lacking_bytes
from lsp_server.models.planning.plan import Plan, Wishes
from lsp_server.models.planning.planner import make_plan, typical_seconds
from lsp_server.models.planning.speed import Prediction

# A first suggestion at a new place (256 tokens read, 24 written) that takes more seconds comes after the thought.
_COMPLETION_S = 2.0
# Slower than reading is too slow to be read along; and so long one waits for the first word of an answer.
_ASSISTANT_DECODE = 5.0
_ASSISTANT_PROMPT_S = 30.0
_ASSISTANT_PROMPT_TOKENS = 1500


@functools.cache
def catalog_anatomy(name: str) -> Anatomy:
    """A model of the catalog, taken from its blueprint: its files need not be here."""
    return anatomy_of(load_blueprint(name).shard_set()).called(name)


def is_usable(predicted: Prediction, role: Role) -> bool:
    """Whether one would want to work with that."""
    if role == "completion":
        return typical_seconds(predicted, role) <= _COMPLETION_S
    reads_in_time = predicted.prefill * _ASSISTANT_PROMPT_S >= _ASSISTANT_PROMPT_TOKENS
    return predicted.decode >= _ASSISTANT_DECODE and reads_in_time


def suits(model: CatalogModel, role: Role, hardware: Hardware, n_ctx: int) -> bool:
    """Whether a model of the catalog fits a machine and reaches a usable speed there."""
    return _usable_plan(model, at_rest(hardware), Wishes(role, n_ctx)) is not None


def strongest(catalog: Catalog, role: Role, hardware: Hardware, n_ctx: int) -> CatalogModel:
    """What `auto` means on a machine of which nobody knows what is installed; the smallest if none suits it."""
    candidates = [model for model in catalog.auto(role) if model.commercial_use]
    return next((model for model in candidates if suits(model, role, hardware, n_ctx)), candidates[-1])


def _usable_plan(model: CatalogModel, hardware: Hardware, wishes: Wishes) -> Plan | None:
    anatomy = catalog_anatomy(model.name)
    try:
        plan = make_plan(anatomy, hardware, wishes)
    except PlanError:
        return None
    whole = plan.verdict == "fits" and plan.settings.n_ctx >= min(wishes.n_ctx, anatomy.card.context_length or 0)
    return plan if whole and is_usable(plan.predicted, wishes.role) else None


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
        slow = f" As it is, a token takes {1 / plan.predicted.decode:.1f} s." if plan.predicted.decode else ""
        yield f"With {human_size(lacking_bytes(plan, hardware))} more memory nothing would be read from disk.{slow}"
    elif plan.settings.n_ctx < wishes.n_ctx:
        yield f"--ctx {plan.settings.n_ctx} is what fits beside the weights; a smaller model leaves room for more."
    if plan.verdict == "fits" and is_usable(plan.predicted, wishes.role):
        return
    better = _best(catalog, wishes, hardware, size=sum(device.weights_bytes for device in plan.devices))
    if better is None:
        yield "No smaller model of the catalog reaches a usable speed on this machine."
        return
    model, other = better
    yield (
        f"{model.name} ({human_size(model.size or 0)}) would answer here at {other.predicted.decode:.0f} tokens/s and "
        f"read prompts at {other.predicted.prefill:.0f}."
    )


def _best(catalog: Catalog, wishes: Wishes, hardware: Hardware, size: int) -> tuple[CatalogModel, Plan] | None:
    """The strongest usable model that is smaller."""
    for model in catalog.auto(wishes.role):
        if not model.commercial_use or (model.size or 0) >= size:
            continue
        if plan := _usable_plan(model, hardware, wishes):
            return model, plan
    return None
