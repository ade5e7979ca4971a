"""How fast: a roofline over the bytes and operations that a token, or a batch of them, really takes on each device.

For one token a device is as slow as the weights it has to read, plus a cost for each operation of the graph, plus the
way between devices. For a batch it is arithmetic, unless few experts' weights serve few tokens each, or weights have to
be copied to a GPU first. ``rates`` has what each device does in a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lsp_server.models.hardware import Hardware
from lsp_server.models.planning.anatomy import Anatomy, Weights
from lsp_server.models.planning.kv_cache import kv_bytes, padded
from lsp_server.models.planning.placement import CPU, Share
from lsp_server.models.planning.rates import Accelerator, Processor, touched_share
from lsp_server.models.planning.settings import LoadSettings

# Tokens that are already there when the predicted token is evaluated.
DEPTH = 512
# Seconds to hand a layer's activations to the other device and back, both sides waiting.
_CROSSING_S = 60e-6
# Share of the link that copies of weights reach: from pinned memory, and from mapped files (through a bounce buffer).
_PINNED_SHARE, _MAPPED_SHARE = 0.85, 0.20
# From this many tokens a step on, llama.cpp copies a layer's weights to the GPU instead of evaluating it in RAM.
_COPY_FROM = 32


@dataclass(frozen=True, slots=True)
class Cost:
    """A part of the time for one token: what it is, and seconds."""

    what: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """Tokens per second, and what a token's time goes into.

    Attributes:
        decode: one by one, ``DEPTH`` tokens into a conversation.
        prefill: of a prompt, in steps of ``n_ubatch``.
        decode_costs: the parts of 1 / ``decode``, the largest first.
    """

    decode: float
    prefill: float
    decode_costs: tuple[Cost, ...]


def predict(
    model: Anatomy,
    hardware: Hardware,
    settings: LoadSettings,
    shares: Mapping[str, Share],
    *,
    missing_bytes: int = 0,
    depth: int = DEPTH,
) -> Prediction:
    """Tokens per second under a placement.

    Args:
        shares: as ``placement.place`` gives them.
        missing_bytes: of the CPU's weights, those that the RAM does not hold and the disk has to deliver again.
        depth: tokens that are already there.
    """
    decode = sorted(_decode(model, hardware, settings, shares, missing_bytes, depth), key=lambda cost: -cost.seconds)
    seconds = sum(cost.seconds for cost in decode)
    step = min(settings.n_ubatch, max(1, settings.n_ctx))
    prefill = _prefill(model, hardware, settings, shares, missing_bytes, step)
    return Prediction(1 / seconds, step / prefill, tuple(decode))  # 0 where a rate that is needed is unknown


def _decode(
    model: Anatomy,
    hardware: Hardware,
    settings: LoadSettings,
    shares: Mapping[str, Share],
    missing_bytes: int,
    depth: int,
) -> list[Cost]:
    costs = []
    processor = Processor(hardware.cpu, settings)
    gpus = {gpu.name: gpu for gpu in hardware.gpus}
    cache = sum(kv_bytes(model, settings)) / settings.n_seq_max * min(1.0, depth / padded(settings.n_ctx))
    attention = 2.0 * _attention_flops(model, depth)
    for name, share in shares.items():
        if not share.n_layers and not share.experts.n_bytes and not share.dense.n_bytes:
            continue
        part = share.n_layers / model.n_layers
        nodes = share.n_layers * model.nodes_per_layer
        if name == CPU:
            dense = share.dense + (model.embedding if model.tied and share.n_layers == model.n_layers else Weights())
            costs.append(Cost("weights in RAM", processor.reading(dense)))
            costs.append(Cost("experts in RAM", processor.reading(share.experts, model.expert_share)))
            costs.append(Cost("attention on the CPU", processor.attention(attention * part, cache * part)))
            costs.append(Cost("operations on the CPU", nodes * processor.node_s))
        else:
            device = Accelerator(gpus[name])
            read = share.dense.n_bytes + share.experts.n_bytes * model.expert_share + cache * part
            costs.append(Cost(f"weights on {name}", device.reading(read)))
            costs.append(Cost(f"operations on {name}", nodes * device.node_s))
    costs.append(Cost("handing over between devices", _crossings(settings, shares) * _CROSSING_S))
    if missing_bytes:
        costs.append(Cost("reading from disk", _from_disk(model, hardware, shares[CPU], missing_bytes, 1)))
    return [cost for cost in costs if cost.seconds > 0]


def _crossings(settings: LoadSettings, shares: Mapping[str, Share]) -> int:
    """How often a token's activations change devices."""
    n_devices = sum(1 for share in shares.values() if share.n_layers)
    return len(settings.cpu_moe_layers) + max(0, n_devices - 1)


def _from_disk(model: Anatomy, hardware: Hardware, ram: Share, missing_bytes: int, n_tokens: int) -> float:
    """Seconds to read what a step of some tokens needs and the memory does not hold.

    What every step reads stays in memory before experts that few steps read. Where not even that fits, the system has
    thrown out each part before it is needed again, and all of it is read each time.
    """
    if not hardware.disk_read:
        return float("inf")
    experts = ram.experts.n_bytes * touched_share(model.expert_share, n_tokens)
    if missing_bytes <= ram.experts.n_bytes:
        return missing_bytes / ram.experts.n_bytes * experts / hardware.disk_read
    return (ram.dense.n_bytes + experts) / hardware.disk_read


def _prefill(
    model: Anatomy,
    hardware: Hardware,
    settings: LoadSettings,
    shares: Mapping[str, Share],
    missing_bytes: int,
    step: int,
) -> float:
    """Seconds for one step of a prompt, without the output layer (only its last token has logits)."""
    seconds = 0.0
    processor = Processor(hardware.cpu, settings)
    gpus = {gpu.name: gpu for gpu in hardware.gpus}
    attention = 2.0 * _attention_flops(model, DEPTH) * step
    head = model.output
    copying = bool(gpus) and step >= _COPY_FROM
    for name, share in shares.items():
        part = share.n_layers / model.n_layers
        nodes = share.n_layers * model.nodes_per_layer
        if name == CPU:
            if copying:
                seconds += _copied(model, hardware, settings, share, step)
                continue
            inner = share.dense.n_params - (head.n_params if share.n_layers == model.n_layers else 0)
            seconds += processor.batch(share.dense, step) * inner / max(1, share.dense.n_params)
            seconds += processor.batch(share.experts, step, model.expert_share)
            seconds += processor.attention(attention * part, 0.0) + nodes * processor.node_s
        elif share.n_layers:
            device = Accelerator(gpus[name])
            seconds += device.batch(2.0 * step * share.dense.n_params + attention * part, share.dense.n_bytes)
            seconds += device.experts(share.experts, step, model.expert_share)
            seconds += nodes * device.node_s
    if missing_bytes:
        seconds += _from_disk(model, hardware, shares[CPU], missing_bytes, step)
    return seconds


def _copied(model: Anatomy, hardware: Hardware, settings: LoadSettings, ram: Share, step: int) -> float:
    """Layers and experts in RAM during a large step: their weights are copied to the first GPU and multiplied there."""
    gpu = hardware.gpus[0]
    share = _PINNED_SHARE if settings.load_mode != "mmap" else _MAPPED_SHARE
    n_bytes = ram.dense.n_bytes + ram.experts.n_bytes
    link = gpu.bandwidth if gpu.unified else gpu.link * share
    copying = n_bytes / link if link else float("inf")
    device = Accelerator(gpu)
    # What was copied is read from memory that is faster than the link.
    products = device.batch(2.0 * step * ram.dense.n_params, 0.0) + device.experts(
        ram.experts, step, model.expert_share
    )
    return copying + products if n_bytes else 0.0


def _attention_flops(model: Anatomy, depth: int) -> float:
    """Multiplications and additions (half of each) of one token's attention over ``depth`` tokens, all layers."""
    card = model.card
    heads, width = card.n_heads or 0, (card.key_length or 0) + (card.value_length or 0)
    total = 0.0
    for il in range(model.n_layers):
        seen = min(depth, model.window) if model.windowed[il] else depth
        if model.compress_ratios:
            ratio = model.compress_ratios[il]
            seen = min(depth, model.window or depth) + (0 if not ratio else depth // ratio)
            if ratio == 4:
                seen = min(seen, (model.window or 0) + model.indexer_top_k)
                total += depth / 4 * model.indexer_heads * model.indexer_key_length
        total += seen * heads * width
    return total
