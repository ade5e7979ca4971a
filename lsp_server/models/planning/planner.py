"""Making a plan: of all placements that fit, the one that answers soonest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from lsp_server.errors import PlanError
from lsp_server.models.catalog import Role
from lsp_server.models.files import human_size
from lsp_server.models.hardware import Hardware
from lsp_server.models.planning import reasons
from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.assumptions import filled
from lsp_server.models.planning.budget import Shortage, fits, gpu_budget, missing_bytes, ram_budget, shortages
from lsp_server.models.planning.kv_cache import kv_bytes
from lsp_server.models.planning.placement import CPU, Share, device_of_layer, place
from lsp_server.models.planning.plan import DeviceUse, Plan, Verdict, Wishes
from lsp_server.models.planning.settings import LoadMode, LoadSettings
from lsp_server.models.planning.speed import Prediction, predict

_LEAST_CTX = 2048
# Tokens a graph: more gain next to nothing, but where experts are copied to the GPU for each step.
_UBATCH, _LARGE_UBATCH = 512, 2048
# More than one sequence a context is a convenience, and may take this share of the memory.
_CACHE_SHARE = 0.08
_SLOWER_AT_MOST = 1.03
# Read into pinned memory a GPU can fetch weights at the link's full rate; mapped from the file it cannot.
_LOAD_MODES: tuple[LoadMode, ...] = ("none", "mmap")
# A request as it usually is, in tokens read and written.
_TYPICAL = {"completion": (256, 24), "assistant": (1500, 250)}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings, what they take and how fast they are."""

    settings: LoadSettings
    shares: Mapping[str, Share]
    predicted: Prediction

    def seconds(self, wishes: Wishes) -> float:
        """How long a usual request takes."""
        return typical_seconds(self.predicted, wishes.role)


class Cache(NamedTuple):
    """What is settled before a place is sought: tokens a sequence, the type they are kept in, and the sequences."""

    n_ctx: int
    kind: str
    n_sequences: int


def typical_seconds(predicted: Prediction, role: Role) -> float:
    """How long a usual request of a role takes: reading its prompt and writing the answer."""
    read, written = _TYPICAL[role]
    if not predicted.prefill or not predicted.decode:
        return math.inf
    return read / predicted.prefill + written / predicted.decode


def make_plan(model: Anatomy, hardware: Hardware, wishes: Wishes) -> Plan:
    """The best way to run a model on a machine.

    What fits is preferred over what was wished: first the cache is kept in 8 bits, then the context is halved, down to
    2,048 tokens. More than one sequence there is only where that costs no speed. If the weights exceed the memory even
    so, they stay on disk and are read again and again.

    Raises:
        PlanError: not even that is possible; the message says what is missing.
    """
    if not model.layers:
        raise PlanError(
            f"{model.card.name} has no layers: it is no model that can generate text.",
            hint="Name a model's own file; adapters, vocabularies and projectors are not models.",
        )
    wishes = _for_model(model, wishes)
    known = filled(hardware)
    for single in _concessions(within_training(model, wishes)):
        best = _best(model, known, wishes, single)
        if best is None:
            continue
        several = _best(model, known, wishes, single._replace(n_sequences=_sequences(model, hardware, wishes, single)))
        if several and several.seconds(wishes) <= best.seconds(wishes) * _SLOWER_AT_MOST:
            best = several
        return _plan(model, hardware, wishes, best, "fits")
    return _plan(model, hardware, wishes, _from_disk(model, known, wishes), "from disk")


def _best(model: Anatomy, hardware: Hardware, wishes: Wishes, cache: Cache) -> Candidate | None:
    """The fastest way to have such a cache; None if there is no room for it."""
    fitting = [
        Candidate(settings, shares, predict(model, hardware, settings, shares))
        for settings in _settings(model, hardware, wishes, cache)
        if fits(shares := place(model, hardware, settings), hardware, wishes)
    ]
    return min(fitting, key=lambda candidate: candidate.seconds(wishes), default=None)


def plan_with(model: Anatomy, hardware: Hardware, wishes: Wishes, settings: LoadSettings) -> Plan:
    """A plan for settings that are given, whether or not they fit."""
    wishes = _for_model(model, wishes)
    shares = place(model, hardware, settings)
    missing = missing_bytes(shares, hardware, wishes)
    predicted = predict(model, filled(hardware), settings, shares, missing_bytes=missing)
    return _plan(model, hardware, wishes, Candidate(settings, shares, predicted), "from disk" if missing else "fits")


def within_training(model: Anatomy, wishes: Wishes) -> Wishes:
    """The wishes with no more context than the model was trained for."""
    return replace(wishes, n_ctx=min(wishes.n_ctx, model.card.context_length or wishes.n_ctx))


def _for_model(model: Anatomy, wishes: Wishes) -> Wishes:
    """Nothing is set aside for saved states where the cache can drop its tail: there they are few, and small."""
    needs_states = bool(model.compress_ratios or model.recurrent or any(model.windowed))
    return wishes if needs_states else replace(wishes, reserve_bytes=0)


def _concessions(wishes: Wishes) -> Iterator[Cache]:
    """Caches for one sequence, what was wished first."""
    n_ctx = wishes.n_ctx
    while True:
        yield Cache(n_ctx, "F16", 1)
        yield Cache(n_ctx, "Q8_0", 1)
        if n_ctx <= _LEAST_CTX:
            return
        n_ctx = max(_LEAST_CTX, n_ctx // 2)


def _sequences(model: Anatomy, hardware: Hardware, wishes: Wishes, single: Cache) -> int:
    """As many as are wished, if they take little of the memory; two even if they do not."""
    one = sum(kv_bytes(model, _base(hardware, wishes, single))) * wishes.n_contexts
    room = sum(gpu_budget(gpu) for gpu in hardware.gpus if not gpu.unified) + ram_budget(hardware, wishes)
    return min(wishes.n_sequences, max(2, int(room * _CACHE_SHARE) // max(one, 1)))


def _settings(model: Anatomy, hardware: Hardware, wishes: Wishes, cache: Cache) -> Iterator[LoadSettings]:
    """Everything worth a look for a cache."""
    base = _base(hardware, wishes, cache)
    if wishes.n_gpu_layers == 0 or not hardware.gpus:
        yield base
        yield replace(base, use_extra_bufts=False)
        return
    most = model.n_layers + 1
    if wishes.n_gpu_layers is not None:
        counts: Iterable[int] = (min(wishes.n_gpu_layers, most),)
    else:
        counts = range(most, -1, -1)
    for n_gpu_layers in counts:
        split = _split(model, hardware, base, n_gpu_layers)
        if n_gpu_layers and wishes.role == "assistant":
            # Long prompts; a suggestion would wait for such a step to end.
            yield replace(split, n_ubatch=_LARGE_UBATCH)
        yield split
        if model.is_moe and n_gpu_layers:
            yield from _with_experts_in_ram(model, hardware, wishes, split)
        if wishes.n_gpu_layers is None and fits(place(model, hardware, split), hardware, wishes):
            # Fewer layers on the GPU would only be slower.
            return


def _base(hardware: Hardware, wishes: Wishes, cache: Cache) -> LoadSettings:
    threads = wishes.n_threads or hardware.cpu.physical_cores
    return LoadSettings(
        n_gpu_layers=0,
        n_ctx=cache.n_ctx,
        n_seq_max=cache.n_sequences,
        n_ubatch=_UBATCH,
        n_threads=threads,
        n_threads_batch=threads,
        n_contexts=wishes.n_contexts,
        type_k=cache.kind,
        type_v=cache.kind,
        numa=hardware.cpu.numa_nodes > 1,
    )


def _split(model: Anatomy, hardware: Hardware, base: LoadSettings, n_gpu_layers: int) -> LoadSettings:
    """Layers over the GPUs in proportion to the room they have."""
    # Weights beside a GPU's lie in memory that it can read, and are not rearranged there (llama-model-loader.cpp).
    settings = replace(base, n_gpu_layers=n_gpu_layers, use_extra_bufts=not n_gpu_layers)
    if len(hardware.gpus) < 2 or not n_gpu_layers:
        return settings
    rooms = [gpu_budget(gpu) for gpu in hardware.gpus]
    total = sum(rooms) or 1
    counts = [n_gpu_layers * room // total for room in rooms]
    for i in range(n_gpu_layers - sum(counts)):
        counts[i % len(counts)] += 1
    return replace(settings, tensor_split=tuple(counts))


def _with_experts_in_ram(
    model: Anatomy, hardware: Hardware, wishes: Wishes, split: LoadSettings
) -> Iterator[LoadSettings]:
    """The GPUs take all else, and of the experts as many layers as there is room for, the last ones first."""
    sizes = (_UBATCH,) if wishes.role == "completion" else (_LARGE_UBATCH, _UBATCH)
    for n_ubatch in sizes:
        every = replace(split, cpu_moe_layers=tuple(range(model.n_layers)), n_ubatch=n_ubatch)
        shares = place(model, hardware, every)
        rooms = {gpu.name: gpu_budget(gpu) - shares[gpu.name].resident_bytes for gpu in hardware.gpus}
        if min(rooms.values()) < 0:
            continue
        homes = device_of_layer(model.n_layers, every, hardware.gpus)
        kept = []
        for il in range(model.n_layers - 1, -1, -1):
            needed, home = model.layers[il].experts.n_bytes, homes[il]
            if home == CPU or rooms[home] < needed:
                kept.append(il)
            else:
                rooms[home] -= needed
        for mode in _LOAD_MODES if kept else ():
            yield replace(every, cpu_moe_layers=tuple(sorted(kept)), load_mode=mode)


def _from_disk(model: Anatomy, hardware: Hardware, wishes: Wishes) -> Candidate:
    """Weights that exceed the memory stay mapped; cache and buffers have to fit, if with less context.

    What every token needs had better fit too, also at the cost of context: only if it cannot is all of it read anew for
    each token.

    Raises:
        PlanError: not even cache and buffers fit, or the disk's rate is unknown.
    """
    least: list[Shortage] = []
    for whole in (False, True):
        for cache in _concessions(within_training(model, wishes)):
            candidates = []
            for settings, shares in _mapped(model, hardware, wishes, cache):
                ram = shares[CPU]
                optional = ram.weights_bytes if whole else ram.experts.n_bytes + ram.embedding.n_bytes
                if lacking := shortages(shares, hardware, wishes, optional if hardware.disk_read else 0):
                    least = min(least or lacking, lacking, key=_missing)
                    continue
                missing = missing_bytes(shares, hardware, wishes)
                predicted = predict(model, hardware, settings, shares, missing_bytes=missing)
                candidates.append(Candidate(settings, shares, predicted))
            if candidates:
                return min(candidates, key=lambda candidate: candidate.seconds(wishes))
    raise _does_not_fit(model, hardware, wishes, least)


def _mapped(
    model: Anatomy, hardware: Hardware, wishes: Wishes, cache: Cache
) -> Iterator[tuple[LoadSettings, Mapping[str, Share]]]:
    """Placements with mapped files; a repacked copy would need the memory that is missing."""
    every = _settings(model, hardware, wishes, cache)
    mapped = (replace(settings, use_extra_bufts=False, load_mode="mmap") for settings in every)
    for settings in dict.fromkeys(mapped):
        yield settings, place(model, hardware, settings)


def _missing(rows: list[Shortage]) -> int:
    return sum(row.needed - row.budget for row in rows)


def _does_not_fit(model: Anatomy, hardware: Hardware, wishes: Wishes, rows: list[Shortage]) -> PlanError:
    lacks = " and ".join(
        f"{row.place} would have to hold {human_size(row.needed)}, and {human_size(row.budget)} of it may be used"
        for row in rows
    )
    disk = ""
    if not hardware.disk_read:
        disk = " The weights could stay on disk, but how fast that is read is not known."
    ways = ["a smaller model (`shardlight models list`)", "a larger share of the memory (engine.memory_percent)"]
    if wishes.n_gpu_layers is not None:
        ways.append("to have the layers on the GPU planned (engine.n_gpu_layers = -1)")
    return PlanError(
        f"{model.card.name} ({human_size(model.weights.n_bytes)}) does not fit {hardware.name}, not even with a small "
        f"context: {lacks}.{disk}",
        hint=f"Choose {', or '.join(ways)}.",
    )


def _plan(model: Anatomy, hardware: Hardware, wishes: Wishes, chosen: Candidate, verdict: Verdict) -> Plan:
    return Plan(
        model=model.card.name,
        hardware=hardware.name,
        wishes=within_training(model, wishes),
        settings=chosen.settings,
        devices=device_uses(chosen.shares, hardware, wishes),
        predicted=chosen.predicted,
        verdict=verdict,
        reasons=tuple(reasons.explain(model, hardware, wishes, chosen.settings, chosen.shares, verdict)),
    )


def device_uses(shares: Mapping[str, Share], hardware: Hardware, wishes: Wishes) -> tuple[DeviceUse, ...]:
    """What each device that is used has to hold, GPUs first."""
    gpus = [(gpu.name, gpu.description, gpu_budget(gpu)) for gpu in hardware.gpus if shares[gpu.name].weights_bytes]
    rows = [*gpus, (CPU, hardware.cpu.name, ram_budget(hardware, wishes))]
    return tuple(
        DeviceUse(name, text, shares[name].weights_bytes, shares[name].kv_bytes, shares[name].compute_bytes, budget)
        for name, text, budget in rows
    )
