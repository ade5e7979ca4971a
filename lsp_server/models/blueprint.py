"""A model's metadata and tensor inventory as data, for models that are not on this machine.

A blueprint is a TOML file (``blueprints/`` has one for each model of the catalog)::

    tensors = [
        # a tensor of no layer; one of several layers
        { name = "output_norm.weight", shape = [896], type = "F32" },
        { name = "blk.{layer}.ffn_down.weight", layers = "0-2, 5, 8-23", shape = [4864, 896], type = "Q6_K" },
    ]

    [vocabulary]
    n_tokens = 151936
    pre = "qwen2"                # llama.cpp's name of the text splitter
    fim = ["<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>"]    # absent: not trained to fill holes
    chat_template = true         # absent: there is none

    [shards]                     # absent: one file
    max_bytes = 50_000_000_000

    [metadata]                   # GGUF keys without the tokenizer's
    "general.architecture" = "qwen2"

Tensors stand in the files in this order: rows without layers first, then layer by layer, each in the order of the rows.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from math import prod
from pathlib import Path
from typing import Any

from lsp_server.errors import InvalidModelFileError
from lsp_server.models.gguf.head import GgufHead, LongValue, Tensor, Value
from lsp_server.models.gguf.shard_set import ShardSet
from lsp_server.models.gguf.tensor_types import TENSOR_TYPES, TensorType

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ALIGNMENT = 32
LAYER = "{layer}"
# The smallest that answers with what it is asked; whether there is one is all that a blueprint knows.
_CHAT_TEMPLATE = "{% for message in messages %}{{ message.content }}\n{% endfor %}"
_TYPES = {kind.name: kind for kind in TENSOR_TYPES.values()}
_SPAN = re.compile(r"(\d{1,3})(?:-(\d{1,3}))?")
_SECTIONS = {"vocabulary", "shards", "metadata", "tensors"}


@dataclass(frozen=True, slots=True)
class TensorRow:
    """A tensor, or the same in several layers: then ``name`` holds ``{layer}``."""

    name: str
    layers: tuple[int, ...]
    shape: tuple[int, ...]
    type: TensorType

    @property
    def n_bytes(self) -> int:
        """Bytes of one of them."""
        return prod(self.shape) // self.type.block_size * self.type.block_bytes


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is known of a tokenizer without its tokens; ``fim``: the spellings for prefix, suffix, middle, or none."""

    n_tokens: int
    pre: str
    fim: tuple[str, ...] = ()
    chat_template: bool = False


@dataclass(frozen=True)
class Blueprint:
    """A model without its weights.

    Attributes:
        metadata: GGUF key → value, without the tokenizer's and the split's keys.
        max_shard_bytes: a shard ends before the tensor with which its data would be longer; None: one file.
    """

    name: str
    metadata: Mapping[str, Value]
    vocabulary: Vocabulary
    rows: tuple[TensorRow, ...]
    max_shard_bytes: int | None = None

    def shard_set(self) -> ShardSet:
        """The heads that the model's files would have.

        No file is behind them, and the space that a head takes (some MB, nearly all of it the vocabulary) is counted as
        nothing: ``file_bytes`` are the bytes of the tensors.
        """
        shards = self._shards()
        count = len(shards)
        n_tensors = sum(map(len, shards))
        heads = []
        for number, tensors in enumerate(shards):
            metadata: dict[str, Value] = {**self.metadata, **self._tokenizer()} if number == 0 else {}
            if count > 1:
                metadata |= {"split.no": number, "split.count": count, "split.tensors.count": n_tensors}
            name = f"{self.name}-{number + 1:05d}-of-{count:05d}.gguf" if count > 1 else f"{self.name}.gguf"
            end = tensors[-1].offset + tensors[-1].n_bytes
            heads.append(GgufHead(Path(name), 3, metadata, tensors, 0, end))
        return ShardSet(tuple(heads))

    def _tokenizer(self) -> dict[str, Value]:
        vocabulary = self.vocabulary
        values: dict[str, Value] = {
            "tokenizer.ggml.model": "gpt2",
            "tokenizer.ggml.pre": vocabulary.pre,
            "tokenizer.ggml.tokens": LongValue(vocabulary.n_tokens, vocabulary.fim),
        }
        if vocabulary.chat_template:
            values["tokenizer.chat_template"] = _CHAT_TEMPLATE
        return values

    def _shards(self) -> list[tuple[Tensor, ...]]:
        """The tensors of each file, with their places."""
        shards: list[list[Tensor]] = [[]]
        end = 0
        for name, row in self._in_order():
            n_bytes = row.n_bytes
            if self.max_shard_bytes is not None and shards[-1] and end + n_bytes > self.max_shard_bytes:
                shards.append([])
                end = 0
            shards[-1].append(Tensor(name, row.shape, row.type, end, n_bytes))
            end += -(-n_bytes // ALIGNMENT) * ALIGNMENT
        return [tuple(shard) for shard in shards]

    def _in_order(self) -> list[tuple[str, TensorRow]]:
        placed = [
            (layer, position, row)
            for position, row in enumerate(self.rows)
            for layer in (row.layers if row.layers else (-1,))
        ]
        placed.sort(key=lambda place: place[:2])
        return [(row.name.replace(LAYER, str(layer)), row) for layer, _, row in placed]


@cache
def load_blueprint(name: str) -> Blueprint:
    """The blueprint of a model of the catalog.

    Raises:
        InvalidModelFileError: there is none of that name.
    """
    file = resources.files("lsp_server.models").joinpath("blueprints").joinpath(f"{name}.toml")
    if not file.is_file():
        raise InvalidModelFileError(f"There is no blueprint of {name!r}.")
    return parse_blueprint(file.read_text(encoding="utf-8"), name)


def parse_blueprint(text: str, name: str) -> Blueprint:
    """Read a blueprint from TOML; ``name`` is what it and its files are to be called.

    Raises:
        InvalidModelFileError: it is no TOML, or a row or a field of it cannot be; the message names it.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidModelFileError(f"The blueprint {name} is no TOML: {error}.") from error
    return _Parser(name).blueprint(data)


class _Parser:
    def __init__(self, name: str) -> None:
        self._name = name

    def blueprint(self, data: Mapping[str, Any]) -> Blueprint:
        if unknown := data.keys() - _SECTIONS:
            raise self._wrong(f"{', '.join(sorted(unknown))} is no part of one")
        metadata = self._table(data, "metadata")
        if not isinstance(metadata.get("general.architecture"), str):
            raise self._wrong("metadata: general.architecture must be a text")
        rows = data.get("tensors")
        if not isinstance(rows, list) or not rows:
            raise self._wrong("it has no tensors")
        shards = self._table(data, "shards") if "shards" in data else {}
        return Blueprint(
            self._name,
            {key: self._value(key, value) for key, value in metadata.items()},
            self._vocabulary(self._table(data, "vocabulary")),
            self._unique(tuple(self._row(number, row) for number, row in enumerate(rows, start=1))),
            self._positive(shards.get("max_bytes"), "shards: max_bytes") if shards else None,
        )

    def _vocabulary(self, table: Mapping[str, Any]) -> Vocabulary:
        if unknown := table.keys() - {"n_tokens", "pre", "fim", "chat_template"}:
            raise self._wrong(f"vocabulary: {', '.join(sorted(unknown))} is unknown")
        pre, fim, template = table.get("pre"), table.get("fim", []), table.get("chat_template", False)
        if not isinstance(pre, str) or not pre:
            raise self._wrong("vocabulary: pre must be a text")
        if not isinstance(fim, list) or len(fim) not in (0, 3) or not all(isinstance(token, str) for token in fim):
            raise self._wrong("vocabulary: fim must be three texts, for prefix, suffix and middle")
        if not isinstance(template, bool):
            raise self._wrong("vocabulary: chat_template must be true or false")
        n_tokens = self._positive(table.get("n_tokens"), "vocabulary: n_tokens")
        return Vocabulary(n_tokens, pre, tuple(fim), template)

    def _row(self, number: int, row: Any) -> TensorRow:
        where = f"tensors: row {number}"
        if not isinstance(row, dict) or not isinstance(row.get("name"), str):
            raise self._wrong(f"{where} has no name")
        name = row["name"]
        where = f"{where} ({name})"
        if unknown := row.keys() - {"name", "layers", "shape", "type"}:
            raise self._wrong(f"{where}: {', '.join(sorted(unknown))} is unknown")
        if (LAYER in name) is not ("layers" in row):
            raise self._wrong(f"{where}: {LAYER} in the name and layers go together")
        kind = _TYPES.get(str(row.get("type")))
        if kind is None:
            raise self._wrong(f"{where}: {row.get('type')!r} is no tensor type")
        shape = row.get("shape")
        if not isinstance(shape, list) or not 1 <= len(shape) <= 4:
            raise self._wrong(f"{where}: shape must be one to four numbers")
        sizes = tuple(self._positive(size, f"{where}: shape") for size in shape)
        if sizes[0] % kind.block_size:
            raise self._wrong(f"{where}: {sizes[0]} is no multiple of {kind.name}'s {kind.block_size}")
        return TensorRow(name, self._layers(row["layers"], where) if "layers" in row else (), sizes, kind)

    def _layers(self, text: Any, where: str) -> tuple[int, ...]:
        layers: list[int] = []
        for part in str(text).split(","):
            span = _SPAN.fullmatch(part.strip())
            if span is None:
                raise self._wrong(f"{where}: layers must be like '0-2, 5, 8-23', not {text!r}")
            first, last = int(span[1]), int(span[2] or span[1])
            if first > last or (layers and first <= layers[-1]):
                raise self._wrong(f"{where}: layers must ascend, {text!r} does not")
            layers += range(first, last + 1)
        return tuple(layers)

    def _unique(self, rows: tuple[TensorRow, ...]) -> tuple[TensorRow, ...]:
        seen: set[tuple[str, int]] = set()
        for row in rows:
            places = {(row.name, layer) for layer in row.layers or (-1,)}
            if seen & places:
                raise self._wrong(f"tensors: {row.name} is there twice")
            seen |= places
        return rows

    def _value(self, key: str, value: Any) -> Value:
        if isinstance(value, bool | int | float | str):
            return value
        if isinstance(value, list) and {type(item) for item in value} in ({int}, {float}, {str}, {bool}):
            return tuple(value)
        raise self._wrong(f"metadata: {key} must be a number, a text, a truth value or a list of one kind of these")

    def _table(self, data: Mapping[str, Any], section: str) -> Mapping[str, Any]:
        table = data.get(section)
        if not isinstance(table, dict):
            raise self._wrong(f"[{section}] is missing")
        return table

    def _positive(self, value: Any, where: str) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
            raise self._wrong(f"{where}: {value!r} is no positive whole number")
        return value

    def _wrong(self, what: str) -> InvalidModelFileError:
        return InvalidModelFileError(f"The blueprint {self._name} is wrong: {what}.")
