"""What to change, by what was measured beside what was planned: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from lsp_server.errors import PlanError
from lsp_server.models.catalog import Catalog, CatalogModel
from lsp_server.models.files import human_rate, human_size
from lsp_server.models.hardware import Hardware
from lsp_server.models.planning.anatomy import Anatomy, Weights
from lsp_server.models.planning.auto import advise, at_rest, catalog_anatomy, is_usable
from lsp_server.models.planning.plan import Plan, Wishes
from lsp_server.models.planning.planner import make_plan, typical_seconds
from lsp_server.models.planning.speed import Prediction

# Below this share of the planned speed something is wrong; speeds are planned within a fifth (docs/hardware.md).
_SLOW = 0.7
# A setting that costs less is left alone.
_WORTH = 1.1
# Other programs that take so many cores are told of.
_BUSY_CORES = 0.5
# Bits a weight: Q4_K_M has 4.85, and the next larger one that people use (Q5_K_M) 5.7.
_MANY_BITS, _FEW_BITS = 6.0, 4.85
# A model of about the same size is no larger or smaller one.
_ANOTHER = 1.2
# A keystroke evaluates a few tokens where all else was kept.
_MANY_TOKENS = 64


@dataclass(frozen=True, slots=True)
class Measured:
    """What was seen of a model on a machine.

    Attributes:
        prefill, decode: tokens per second, of prompts and of answers.
        busy_cores: so many cores other programs took at the time.
        keystroke_tokens: that were evaluated at a keystroke, the median; None if nobody typed.
    """

    prefill: float
    decode: float
    busy_cores: float = 0.0
    keystroke_tokens: float | None = None


def changes(
    model: Anatomy, hardware: Hardware, wishes: Wishes, measured: Measured, catalog: Catalog
) -> tuple[str, ...]:
    """What would make the model faster or better, a sentence each; nothing where nothing follows.

    Raises:
        PlanError: the model cannot run there.
    """
    hardware = at_rest(hardware)
    plan = make_plan(model, hardware, wishes)
    settings = tuple(_settings(model, hardware, plan, wishes))
    slowness = tuple(_slowness(plan, measured))
    # What was measured with such settings, or beside other programs' work, says nothing of other models.
    spoilt = settings or (slowness and _beside_others(measured))
    return (
        *settings,
        *slowness,
        *_keystrokes(plan, measured),
        *_memory(plan, hardware, catalog),
        *(() if spoilt else _size(model, hardware, plan, measured, catalog)),
    )


def _settings(model: Anatomy, hardware: Hardware, plan: Plan, wishes: Wishes) -> Iterator[str]:
    """Settings of the user's without which it would be planned faster."""
    seconds = typical_seconds(plan.predicted, wishes.role)
    for name, value, without in (
        ("engine.n_threads", wishes.n_threads, replace(wishes, n_threads=None)),
        ("engine.n_gpu_layers", wishes.n_gpu_layers, replace(wishes, n_gpu_layers=None)),
    ):
        if value is None:
            continue
        other = make_plan(model, hardware, without)
        if seconds > _WORTH * typical_seconds(other.predicted, wishes.role):
            yield (
                f"Without {name} = {value} it is planned at {human_rate(other.predicted.decode)} tokens/s written and "
                f"{human_rate(other.predicted.prefill)} read, instead of {human_rate(plan.predicted.decode)} and "
                f"{human_rate(plan.predicted.prefill)}."
            )


def _slowness(plan: Plan, measured: Measured) -> Iterator[str]:
    """Something that the plan does not know slows it down."""
    kinds = (("writes", measured.decode, plan.predicted.decode), ("reads", measured.prefill, plan.predicted.prefill))
    slow = [
        f"{what} {human_rate(real)} tokens/s of {human_rate(planned)} planned"
        for what, real, planned in kinds
        if _far(real, planned)
    ]
    if not slow:
        return
    if _beside_others(measured):
        why = f"Other programs took {measured.busy_cores:.1f} cores meanwhile: measure again when they rest."
    else:
        why = (
            "No other program was busy, so look at power saving, heat and limits of a container; `shardlight doctor` "
            "looks at the build of llama.cpp."
        )
    yield f"It {' and '.join(slow)}. {why}"


def _beside_others(measured: Measured) -> bool:
    return measured.busy_cores >= _BUSY_CORES


def _far(real: float, planned: float) -> bool:
    return 0 < real < _SLOW * planned


def _keystrokes(plan: Plan, measured: Measured) -> Iterator[str]:
    """Saved states were set aside for a memory that cannot drop its tail, and do not do."""
    if plan.wishes.reserve_bytes and (measured.keystroke_tokens or 0) > _MANY_TOKENS:
        yield (
            f"A keystroke evaluates {measured.keystroke_tokens:.0f} tokens again: this model's memory goes back to "
            "saved states only, and a larger engine.checkpoint_mb has room for more of them."
        )


def _memory(plan: Plan, hardware: Hardware, catalog: Catalog) -> Iterator[str]:
    if plan.verdict == "from disk":
        yield from advise(plan, hardware, catalog).suggestions[:1]


def _size(model: Anatomy, hardware: Hardware, plan: Plan, measured: Measured, catalog: Catalog) -> Iterator[str]:
    """A smaller form or model where it is too slow, a larger one where that would still be fast enough."""
    role = plan.wishes.role
    real = Prediction(measured.decode, measured.prefill, ())
    size = model.card.tensor_bytes
    wait = typical_seconds(real, role)
    what = "A first suggestion at a new place" if role == "completion" else "An answer as they usually are"
    if is_usable(real, role):
        larger = _strongest(hardware, plan, real, catalog, lambda other: other > _ANOTHER * size)
        if larger:
            other, seconds = larger
            yield (
                f"There is room for {other.name} ({human_size(other.size or 0)}): larger models are right more often. "
                f"{what} would take about {seconds:.1f} s instead of {wait:.1f} s. "
                f"`shardlight models pull {other.name}`"
            )
        return
    # Of the layers: embeddings often are in a finer form, and are only looked up.
    layers = Weights.total(part for layer in model.layers for part in (layer.dense, layer.experts))
    bits = layers.n_bytes * 8 / layers.n_params if layers.n_params else 0.0
    if bits > _MANY_BITS:
        yield (
            f"{what} takes {wait:.1f} s. Its weights have {bits:.1f} bits each: a Q4_K_M of the same model has "
            f"{_FEW_BITS}, and writes about {bits / _FEW_BITS:.1f} × as fast."
        )
    smaller = _strongest(hardware, plan, real, catalog, lambda other: 0 < other < size / _ANOTHER)
    if smaller:
        other, seconds = smaller
        yield (
            f"{what} takes {wait:.1f} s, with {other.name} ({human_size(other.size or 0)}) about {seconds:.1f} s. "
            f"`shardlight models pull {other.name}`"
        )


def _strongest(
    hardware: Hardware, plan: Plan, real: Prediction, catalog: Catalog, suits: Callable[[int], bool]
) -> tuple[CatalogModel, float] | None:
    """The strongest model that would be fast enough, if it is as much slower than planned as this one; its seconds."""
    role = plan.wishes.role
    decode, prefill = real.decode / plan.predicted.decode, real.prefill / plan.predicted.prefill
    for model in catalog.auto(role):
        if not model.commercial_use or not suits(model.size or 0):
            continue
        try:
            other = make_plan(
                catalog_anatomy(model.name), hardware, replace(plan.wishes, n_threads=None, n_gpu_layers=None)
            )
        except PlanError:
            continue
        predicted = other.predicted
        expected = Prediction(predicted.decode * decode, predicted.prefill * prefill, ())
        if other.verdict == "fits" and other.settings.n_ctx >= plan.settings.n_ctx and is_usable(expected, role):
            return model, typical_seconds(expected, role)
    return None
