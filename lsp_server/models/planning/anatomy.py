"""A model as a plan sees it: weights by layer and purpose, and the sizes that memory and speed follow from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from lsp_server.models.card import MAX_LAYERS, ModelCard, group_of, model_card
from lsp_server.models.gguf.head import Tensor
from lsp_server.models.gguf.shard_set import ShardSet

_LAYER = re.compile(r"^blk\.(\d+)\.")
# The graph's operations a layer, counted in llama.cpp's log ("graph: nodes = …"); each costs a kernel launch on a GPU
# and a barrier on a CPU. Views and reshapes are among them, at no cost; the costs per operation allow for that.
_NODES = {"dense": 34, "moe": 55, "deepseek4": 194}
_RECURRENT = re.compile(r"\.(ssm_|time_mix|shortconv)")


@dataclass(frozen=True, slots=True)
class Weights:
    """Some tensors: bytes by type, and how many weights they have."""

    bytes_by_type: Mapping[str, int] = field(default_factory=dict)
    n_params_by_type: Mapping[str, int] = field(default_factory=dict)
    largest_tensor: int = 0

    @property
    def n_bytes(self) -> int:
        """Bytes of all."""
        return sum(self.bytes_by_type.values())

    @property
    def n_params(self) -> int:
        """Weights of all."""
        return sum(self.n_params_by_type.values())

    def __add__(self, other: Weights) -> Weights:
        return Weights.total((self, other))

    @classmethod
    def total(cls, parts: Iterable[Weights]) -> Weights:
        """All of some parts."""
        n_bytes: dict[str, int] = {}
        n_params: dict[str, int] = {}
        largest = 0
        for part in parts:
            for kind, size in part.bytes_by_type.items():
                n_bytes[kind] = n_bytes.get(kind, 0) + size
                n_params[kind] = n_params.get(kind, 0) + part.n_params_by_type[kind]
            largest = max(largest, part.largest_tensor)
        return cls(n_bytes, n_params, largest)

    @classmethod
    def of(cls, tensors: Iterable[Tensor]) -> Weights:
        """Those of some tensors."""
        return cls.total(cls({t.type.name: t.n_bytes}, {t.type.name: t.n_elements}, t.n_bytes) for t in tensors)


@dataclass(frozen=True, slots=True)
class Layer:
    """One repeating layer: what every token passes, and the experts of which it passes a few."""

    dense: Weights
    experts: Weights


@dataclass(frozen=True)
class Anatomy:
    """A model's parts.

    Attributes:
        embedding: looked up, one row a token; llama.cpp keeps it in RAM.
        output: the last layer: norm and head.
        tied: there is no head, the embeddings serve as such.
        window: tokens that layers with a sliding window look back; 0 where none does.
        windowed: for each layer, whether it has that window.
        kv_lora_rank: of multi-head latent attention whose cache is compressed; 0 where it is not.
        compress_ratios: DeepSeek-V4's, for each layer 0, 4 or 128; empty for other architectures.
        recurrent: it has layers with a state instead of a cache.
    """

    card: ModelCard
    layers: tuple[Layer, ...]
    embedding: Weights
    output: Weights
    tied: bool
    n_ff: int
    n_ff_expert: int
    window: int
    windowed: tuple[bool, ...]
    kv_lora_rank: int
    rope_dimensions: int
    compress_ratios: tuple[int, ...]
    indexer_key_length: int
    indexer_heads: int
    indexer_top_k: int
    n_streams_hyper: int
    recurrent: bool

    def called(self, name: str) -> Anatomy:
        """The same under the name that people know it by: a file may say another of itself."""
        return replace(self, card=replace(self.card, name=name))

    @property
    def n_layers(self) -> int:
        """Repeating layers."""
        return len(self.layers)

    @property
    def architecture(self) -> str:
        """``general.architecture``."""
        return self.card.architecture

    @property
    def is_moe(self) -> bool:
        """Whether it has experts of which only some take part in a token."""
        return bool(self.card.expert_count)

    @property
    def expert_share(self) -> float:
        """Share of the experts that one token uses."""
        used, count = self.card.expert_used_count, self.card.expert_count
        return used / count if used and count else 1.0

    @cached_property
    def weights(self) -> Weights:
        """All of them."""
        in_layers = (part for layer in self.layers for part in (layer.dense, layer.experts))
        return Weights.total((self.embedding, self.output, *in_layers))

    @cached_property
    def head(self) -> Weights:
        """What is multiplied with at the end: the head, or the embeddings too where they are tied."""
        return self.embedding + self.output if self.tied else self.output

    @property
    def nodes_per_layer(self) -> int:
        """Operations of the graph for one layer."""
        return _NODES.get(self.architecture, _NODES["moe" if self.is_moe else "dense"])


def anatomy_of(files: ShardSet) -> Anatomy:
    """Take a model apart; damaged or no model that generates text, it may have no layers."""
    card = model_card(files)
    n_layers = card.n_layers or 0
    if not 0 <= n_layers <= MAX_LAYERS:
        n_layers = 0
    by_layer: list[list[Tensor]] = [[] for _ in range(n_layers)]
    embedding, output = [], []
    for tensor in files.tensors:
        match = _LAYER.match(tensor.name)
        if match and int(match[1]) < n_layers:
            by_layer[int(match[1])].append(tensor)
        elif tensor.name.startswith(("token_embd", "per_layer_token_embd")):
            embedding.append(tensor)
        else:
            output.append(tensor)
    facts = _Facts(files, card)
    return Anatomy(
        card=card,
        layers=tuple(_layer(tensors) for tensors in by_layer),
        embedding=Weights.of(embedding),
        output=Weights.of(output),
        tied=not any(t.name == "output.weight" for t in output),
        n_ff=facts.largest("feed_forward_length"),
        n_ff_expert=facts.largest("expert_feed_forward_length"),
        window=facts.largest("attention.sliding_window"),
        windowed=facts.windowed(n_layers),
        # Older conversions lack the other key, and llama.cpp keeps whole keys and values for them.
        kv_lora_rank=facts.largest("attention.kv_lora_rank") if facts.largest("attention.key_length_mla") else 0,
        rope_dimensions=facts.largest("rope.dimension_count"),
        compress_ratios=facts.compress_ratios(n_layers),
        indexer_key_length=facts.largest("attention.indexer.key_length"),
        indexer_heads=facts.largest("attention.indexer.head_count"),
        indexer_top_k=facts.largest("attention.indexer.top_k"),
        n_streams_hyper=facts.largest("hyper_connection.count"),
        recurrent=any(_RECURRENT.search(t.name) for t in files.tensors),
    )


def _layer(tensors: list[Tensor]) -> Layer:
    experts = [t for t in tensors if group_of(t.name) == "experts"]
    names = {t.name for t in experts}
    return Layer(Weights.of(t for t in tensors if t.name not in names), Weights.of(experts))


class _Facts:
    """The architecture's own metadata."""

    def __init__(self, files: ShardSet, card: ModelCard) -> None:
        self._metadata = files.metadata
        self._prefix = card.architecture

    def listed(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers; a single one counts as a list of one."""
        value = self._metadata.get(f"{self._prefix}.{key}")
        if isinstance(value, tuple):
            return tuple(int(v) for v in value if isinstance(v, int))
        return (int(value),) if isinstance(value, int) else ()

    def largest(self, key: str) -> int:
        """A number, or the largest of a list; 0 where there is none."""
        return max(self.listed(key), default=0)

    def compress_ratios(self, n_layers: int) -> tuple[int, ...]:
        """One for each layer; the list may go on for layers that the file leaves out."""
        said = self.listed("attention.compress_ratios")
        return (*said, *[0] * n_layers)[:n_layers] if said else ()

    def windowed(self, n_layers: int) -> tuple[bool, ...]:
        """Which layers look back through a sliding window.

        llama.cpp knows the pattern by architecture where the file does not say it: Gemma and gpt-oss alternate.
        """
        if not self.largest("attention.sliding_window"):
            return (False,) * n_layers
        said = self.listed("attention.sliding_window_pattern")
        if len(said) >= n_layers:
            return tuple(bool(flag) for flag in said[:n_layers])
        period = said[0] if said else _WINDOW_PERIODS.get(self._prefix, 0)
        if not period:
            # An unknown pattern: planned as if no layer had a window, which is never too little memory.
            return (False,) * n_layers
        return tuple(i % period != period - 1 for i in range(n_layers))


# llama.cpp's own (set_swa_pattern in src/models): every n-th layer sees everything.
_WINDOW_PERIODS = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "cohere2": 4}
