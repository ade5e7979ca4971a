"""What a model is, as its files say: the facts that a person, a plan or a prompt asks for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from lsp_server.models.gguf.head import LongValue, Tensor
from lsp_server.models.gguf.reader import printable
from lsp_server.models.gguf.shard_set import ShardSet
from lsp_server.models.gguf.vocabulary import FIM_KEYS, FIM_SPELLINGS

# Tensor groups by name, first match wins; the order is the one in which they are shown.
_GROUPS = (
    ("embeddings", re.compile(r"^(token_embd|output|per_layer_token_embd|position_embd|token_types)\.")),
    ("experts", re.compile(r"_exps\.")),
    ("shared experts", re.compile(r"_shexp\.")),
    ("attention", re.compile(r"\.(attn|ssm|indexer)[._]|\.attn")),
    ("feed forward", re.compile(r"\.ffn")),
)
OTHER = "other"
# llama.cpp's limit (LLAMAMAX_LAYERS); a larger number is damage, and a list that long would fill the memory.
MAX_LAYERS = 512


@dataclass(frozen=True, slots=True)
class TensorGroup:
    """Tensors of one purpose: how many, their weights and bytes."""

    name: str
    n_tensors: int
    n_params: int
    n_bytes: int


@dataclass(frozen=True, slots=True)
class ModelCard:
    """Facts read from a model's metadata and inventory; None where the files do not say.

    Attributes:
        n_params: weights of all tensors.
        n_active_params: those that take part in one token: all but the experts that are not chosen.
        expert_used_count, expert_count: experts per token and layer, of how many.
        quantization: (type, bytes) pairs, most bytes first.
        kv_heads: key/value heads of each layer (0: the layer keeps none).
        key_length, value_length: elements of one head's key and value.
        file_bytes, tensor_bytes: length of all files, of all tensors.
    """

    name: str
    architecture: str
    n_params: int
    n_active_params: int
    expert_used_count: int | None
    expert_count: int | None
    expert_shared_count: int | None
    quantization: tuple[tuple[str, int], ...]
    n_layers: int | None
    n_heads: int | None
    kv_heads: tuple[int, ...]
    key_length: int | None
    value_length: int | None
    embedding_length: int | None
    context_length: int | None
    n_vocab: int | None
    fim: bool
    chat_template: bool
    licence: str | None
    groups: tuple[TensorGroup, ...]
    n_shards: int
    file_bytes: int
    tensor_bytes: int


def model_card(files: ShardSet) -> ModelCard:
    """The card of a model."""
    head = files.heads[0]
    architecture = printable(head.text("general.architecture") or "unknown")

    def number(key: str) -> int | None:
        return head.integer(f"{architecture}.{key}")

    tensors = files.tensors
    n_params = sum(t.n_elements for t in tensors)
    used, count = number("expert_used_count"), number("expert_count")
    n_layers, n_heads = number("block_count"), _most(files, f"{architecture}.attention.head_count")
    embedding = number("embedding_length")
    head_size = embedding // n_heads if embedding and n_heads else None
    vocabulary = files.metadata.get("tokenizer.ggml.tokens")
    return ModelCard(
        name=printable(head.text("general.name") or files.path.stem),
        architecture=architecture,
        n_params=n_params,
        n_active_params=_active(tensors, n_params, used, count),
        expert_used_count=used,
        expert_count=count,
        expert_shared_count=number("expert_shared_count"),
        quantization=_quantization(tensors),
        n_layers=n_layers,
        n_heads=n_heads,
        kv_heads=_kv_heads(files, architecture, n_layers or 0),
        key_length=number("attention.key_length") or head_size,
        value_length=number("attention.value_length") or head_size,
        embedding_length=embedding,
        context_length=number("context_length"),
        n_vocab=len(vocabulary) if isinstance(vocabulary, tuple) else getattr(vocabulary, "length", None),
        fim=_has_fim(files),
        chat_template=head.text("tokenizer.chat_template") is not None,
        licence=printable(head.text("general.license") or "") or None,
        groups=_groups(tensors),
        n_shards=len(files.heads),
        file_bytes=files.file_bytes,
        tensor_bytes=sum(t.n_bytes for t in tensors),
    )


def _active(tensors: Iterable[Tensor], n_params: int, used: int | None, count: int | None) -> int:
    experts = sum(t.n_elements for t in tensors if group_of(t.name) == "experts")
    return n_params - experts + experts * used // count if used and count else n_params


def _most(files: ShardSet, key: str) -> int | None:
    """A number, or the largest of a list of numbers a layer."""
    value = files.metadata.get(key)
    if isinstance(value, tuple):
        return max((int(v) for v in value if isinstance(v, int)), default=None)
    return files.heads[0].integer(key)


def _kv_heads(files: ShardSet, architecture: str, n_layers: int) -> tuple[int, ...]:
    prefix = f"{architecture}.attention.head_count"
    key = f"{prefix}_kv" if f"{prefix}_kv" in files.metadata else prefix
    value = files.metadata.get(key)
    if isinstance(value, tuple):
        return tuple(int(v) for v in value if isinstance(v, int))
    heads = files.heads[0].integer(key)
    return (heads,) * n_layers if heads is not None and n_layers <= MAX_LAYERS else ()


def _has_fim(files: ShardSet) -> bool:
    """Whether all three tokens are there, named by the metadata or spelled as llama.cpp knows them."""
    vocabulary = files.metadata.get("tokenizer.ggml.tokens")
    spelled = vocabulary.found if isinstance(vocabulary, LongValue) else vocabulary
    known = set(spelled) if isinstance(spelled, tuple) else set()
    return all(
        files.heads[0].integer(FIM_KEYS[part]) is not None or known & set(spellings)
        for part, spellings in FIM_SPELLINGS.items()
    )


def _quantization(tensors: Iterable[Tensor]) -> tuple[tuple[str, int], ...]:
    by_type: Counter[str] = Counter()
    for tensor in tensors:
        by_type[tensor.type.name] += tensor.n_bytes
    return tuple(by_type.most_common())


def group_of(tensor_name: str) -> str:
    """The group that a tensor belongs to, judged by its name."""
    return next((name for name, pattern in _GROUPS if pattern.search(tensor_name)), OTHER)


def _groups(tensors: Iterable[Tensor]) -> tuple[TensorGroup, ...]:
    members: dict[str, list[Tensor]] = {}
    for tensor in tensors:
        members.setdefault(group_of(tensor.name), []).append(tensor)
    return tuple(
        TensorGroup(name, len(found), sum(t.n_elements for t in found), sum(t.n_bytes for t in found))
        for name in (*(name for name, _ in _GROUPS), OTHER)
        if (found := members.get(name))
    )
