"""Why a plan is as it is, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lsp_server.models.files import human_size
from lsp_server.models.hardware import Hardware
from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.assumptions import assumptions
from lsp_server.models.planning.kernel_table import REPACKED
from lsp_server.models.planning.placement import CPU, Share, repacked_types
from lsp_server.models.planning.plan import Verdict, Wishes
from lsp_server.models.planning.settings import LoadSettings


def explain(
    model: Anatomy,
    hardware: Hardware,
    wishes: Wishes,
    settings: LoadSettings,
    shares: Mapping[str, Share],
    verdict: Verdict,
) -> Iterator[str]:
    """The reasons for a plan, the weightiest first."""
    yield from _placement(model, hardware, settings, shares, verdict)
    yield from _experts(model, settings, shares)
    yield from _cache(model, wishes, settings)
    yield from _processor(hardware, wishes, settings, shares)
    yield from assumptions(hardware)


def _placement(
    model: Anatomy, hardware: Hardware, settings: LoadSettings, shares: Mapping[str, Share], verdict: Verdict
) -> Iterator[str]:
    weights = human_size(model.weights.n_bytes)
    used = [gpu for gpu in hardware.gpus if shares[gpu.name].weights_bytes]
    names = " and ".join(gpu.name for gpu in used)
    n_there = sum(shares[gpu.name].n_layers for gpu in used)
    if verdict == "from disk":
        yield (
            f"The weights ({weights}) exceed the memory that may be used: they stay in their files, and what does not "
            "fit is read again and again."
        )
    if not hardware.gpus:
        yield f"There is no GPU: everything runs on the CPU, {weights} of weights in RAM."
    elif not used:
        yield f"No layer on {' or '.join(gpu.name for gpu in hardware.gpus)}: there is no room, or you asked so."
    elif settings.cpu_moe_layers and n_there:
        which = "all layers" if n_there == model.n_layers else f"the last {n_there} of {model.n_layers} layers"
        yield (
            f"Attention, shared weights and the cache of {which} are on {names}; the experts of "
            f"{shares[CPU].n_expert_layers} of {model.n_layers} layers stay in RAM, "
            f"{human_size(shares[CPU].experts.n_bytes)} of them: there is no room for more."
        )
    elif settings.n_gpu_layers > model.n_layers:
        yield f"Everything fits {names}."
    else:
        yield f"{settings.n_gpu_layers} of {model.n_layers + 1} layers fit {names}; the others run on the CPU."
    if settings.tensor_split:
        yield f"The layers are split {' : '.join(map(str, settings.tensor_split))}, as the GPUs have room."


def _experts(model: Anatomy, settings: LoadSettings, shares: Mapping[str, Share]) -> Iterator[str]:
    if not model.is_moe or not shares[CPU].experts.n_bytes:
        return
    read = human_size(int(shares[CPU].experts.n_bytes * model.expert_share))
    card = model.card
    yield f"A token uses {card.expert_used_count} of {card.expert_count} experts: it reads {read} of those in RAM."
    if settings.cpu_moe_layers and settings.load_mode == "none":
        yield (
            "The weights are read into pinned memory instead of mapped: for a prompt they are copied to the GPU, "
            f"{settings.n_ubatch} tokens at a time, and from a mapped file that takes several times as long."
        )


def _cache(model: Anatomy, wishes: Wishes, settings: LoadSettings) -> Iterator[str]:
    trained = model.card.context_length or wishes.n_ctx
    if trained < wishes.n_ctx:
        yield f"The model was trained for {trained:,} tokens of context, not for {wishes.n_ctx:,}."
    if settings.n_ctx < min(trained, wishes.n_ctx):
        wished = min(trained, wishes.n_ctx)
        yield f"The context is {settings.n_ctx:,} tokens instead of {wished:,}, for which there is no room."
    if settings.type_k != "F16":
        yield f"The cache is kept in {settings.type_k}, half the size of F16, for which there is no room."
    if settings.n_seq_max > 1:
        yield (
            f"{settings.n_seq_max} sequences a context: a place that is gone back to is still there, and windows do "
            "not wait for each other."
        )
    if settings.n_contexts > 1:
        yield f"{settings.n_contexts} contexts (completion, assistant) share the weights; each has a cache of its own."
    if any(model.windowed) or (model.window and model.compress_ratios):
        yield f"Layers that look back {model.window:,} tokens keep only those (swa_full off)."
    if model.recurrent:
        yield "Layers of this model have a state instead of a cache, which was not counted: the cache is an estimate."


def _processor(
    hardware: Hardware, wishes: Wishes, settings: LoadSettings, shares: Mapping[str, Share]
) -> Iterator[str]:
    cpu, ram = hardware.cpu, shares[CPU]
    if not ram.n_layers and not ram.experts.n_bytes:
        return
    why = "as you asked" if wishes.n_threads else "one for each physical core that may be used"
    yield f"{settings.n_threads} thread{'s' * (settings.n_threads > 1)}: {why}."
    if settings.numa:
        yield f"Threads and memory are spread over {cpu.numa_nodes} NUMA nodes."
    kinds = sorted(repacked_types(cpu.features) & {*ram.dense.bytes_by_type, *ram.experts.bytes_by_type})
    for kind in kinds:
        plain, repacked = cpu.kernels.get(kind), cpu.kernels.get(kind + REPACKED)
        if not plain or not repacked:
            continue
        if settings.use_extra_bufts:
            yield (
                f"{kind} weights are rearranged for this CPU: {repacked.stream / 1e9:.0f} instead of "
                f"{plain.stream / 1e9:.0f} GB/s for a token, {repacked.flops / 1e9:.0f} instead of "
                f"{plain.flops / 1e9:.0f} GFLOP/s for a prompt."
            )
        else:
            yield f"{kind} weights are left as they are: rearranged, prompts would take longer than answers gain."
