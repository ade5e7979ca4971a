"""Which device holds what under given settings, and how many bytes that is: weights, cache, compute buffers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate

from lsp_server.models.hardware import Gpu, Hardware
from lsp_server.models.planning.anatomy import Anatomy, Weights
from lsp_server.models.planning.compute_buffers import compute_bytes, copied_experts_bytes, output_bytes
from lsp_server.models.planning.kv_cache import kv_bytes
from lsp_server.models.planning.settings import LoadSettings

CPU = "CPU"


@dataclass(frozen=True)
class Share:
    """What one device holds.

    Attributes:
        embedding: only looked up, a row a token.
        dense, experts: weights that are multiplied with: by every token, and by some.
        repacked_bytes: weights that the CPU keeps a second, rearranged copy of (the mapped file stays as it is).
        kv_bytes, compute_bytes: of all contexts.
        n_layers: layers that are evaluated here.
        n_expert_layers: layers whose experts are evaluated here.
    """

    embedding: Weights = field(default_factory=Weights)
    dense: Weights = field(default_factory=Weights)
    experts: Weights = field(default_factory=Weights)
    repacked_bytes: int = 0
    kv_bytes: int = 0
    compute_bytes: int = 0
    n_layers: int = 0
    n_expert_layers: int = 0

    @property
    def weights_bytes(self) -> int:
        """Bytes of weights, copies included."""
        return self.embedding.n_bytes + self.dense.n_bytes + self.experts.n_bytes + self.repacked_bytes

    @property
    def resident_bytes(self) -> int:
        """Bytes that have to be there: the mapped originals of rearranged weights are given back under pressure."""
        return self.weights_bytes - self.repacked_bytes + self.kv_bytes + self.compute_bytes


@dataclass
class _Building:
    dense: list[Weights] = field(default_factory=list)
    experts: list[Weights] = field(default_factory=list)
    kv: int = 0
    n_layers: int = 0
    n_expert_layers: int = 0


def device_of_layer(n_layers: int, settings: LoadSettings, gpus: tuple[Gpu, ...]) -> list[str]:
    """The device of each repeating layer, and last that of the output (llama.cpp: the output counts as a layer)."""
    on_gpu = min(settings.n_gpu_layers, n_layers + 1) if gpus else 0
    # As llama.cpp divides them; unless told otherwise, by the memory that is free.
    ends = list(accumulate(settings.tensor_split or [gpu.free_bytes for gpu in gpus]))[: len(gpus)]
    devices = [CPU] * (n_layers + 1 - on_gpu)
    for number in range(on_gpu):
        at = next((i for i, end in enumerate(ends) if end * on_gpu > number * ends[-1]), 0)
        devices.append(gpus[at].name)
    return devices


def place(model: Anatomy, hardware: Hardware, settings: LoadSettings) -> Mapping[str, Share]:
    """What each device holds; the CPU is always among them."""
    devices = device_of_layer(model.n_layers, settings, hardware.gpus)
    building = {CPU: _Building(), **{gpu.name: _Building() for gpu in hardware.gpus}}
    # Tied embeddings are kept twice where the output is on a GPU: there to multiply with, in RAM to look up.
    building[devices[-1]].dense.append(model.output if devices[-1] == CPU else model.head)
    kept = set(settings.cpu_moe_layers)
    for il, (layer, cache) in enumerate(zip(model.layers, kv_bytes(model, settings), strict=True)):
        home = building[devices[il]]
        experts_home = building[CPU if il in kept else devices[il]]
        home.dense.append(layer.dense)
        home.kv += cache
        home.n_layers += 1
        if layer.experts.n_bytes:
            experts_home.experts.append(layer.experts)
            experts_home.n_expert_layers += 1
    uses_gpu = any(name != CPU for name in devices)
    return {name: _share(name, part, model, hardware, settings, uses_gpu) for name, part in building.items()}


def _share(
    name: str, part: _Building, model: Anatomy, hardware: Hardware, settings: LoadSettings, uses_gpu: bool
) -> Share:
    evaluates = part.n_layers > 0 or (name != CPU and bool(part.dense))  # a GPU may have the output only
    if name != CPU and not evaluates:
        return Share()
    dense, experts = Weights.total(part.dense), Weights.total(part.experts)
    compute = compute_bytes(model, settings) if evaluates else 0
    if name == CPU:
        compute += output_bytes(model, settings)
        if uses_gpu:
            # The looked-up embeddings and the masks are made here and copied.
            compute += 4 * settings.n_ubatch * (model.card.embedding_length or 0)
    elif settings.cpu_moe_layers:
        compute += copied_experts_bytes(model, settings)
    n = settings.n_contexts
    return Share(
        embedding=model.embedding if name == CPU else Weights(),
        dense=dense,
        experts=experts,
        repacked_bytes=_repacked_bytes((dense, experts), hardware, settings) if name == CPU else 0,
        kv_bytes=part.kv * n,
        compute_bytes=compute * n,
        n_layers=part.n_layers,
        n_expert_layers=part.n_expert_layers,
    )


def repacked_types(features: tuple[str, ...]) -> frozenset[str]:
    """The types that llama.cpp rearranges for the CPU (ggml-cpu/repack.cpp, ``get_optimal_repack_type``)."""
    if "avx2" in features:
        return frozenset({"Q4_0", "Q4_K", "IQ4_NL", *(("Q2_K",) if "avx512f" in features else ())})
    if "asimddp" in features:
        more = ("Q5_K", "Q6_K", "Q8_0") if "i8mm" in features else ()
        return frozenset({"Q4_0", "Q4_K", "IQ4_NL", *more})
    return frozenset()


def _repacked_bytes(parts: tuple[Weights, ...], hardware: Hardware, settings: LoadSettings) -> int:
    """With mmap the original stays mapped beside the copy; read into memory, the copy is all there is."""
    if not settings.use_extra_bufts or settings.load_mode != "mmap":
        return 0
    kinds = repacked_types(hardware.cpu.features)
    return sum(weights.bytes_by_type.get(kind, 0) for weights in parts for kind in kinds)
