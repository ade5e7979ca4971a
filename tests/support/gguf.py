"""GGUF files for tests, written from the format's description and sharing nothing with the reader.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64, INT64, FLOAT64 = range(13)
_FORMATS = dict(zip(range(13), ["B", "b", "H", "h", "I", "i", "f", "?", "s", "a", "Q", "q", "d"], strict=True))

F32, F16, Q4_0, Q8_0, Q4_K, Q6_K, I8 = 0, 1, 2, 8, 12, 14, 24
# (elements, bytes) of a block.
_BLOCKS = {F32: (1, 4), F16: (1, 2), Q4_0: (32, 18), Q8_0: (32, 34), Q4_K: (256, 144), Q6_K: (256, 210), I8: (1, 1)}

Text = str | bytes
Plain = bool | int | float | str | bytes | Sequence["Plain"]


@dataclass(frozen=True, slots=True)
class Typed:
    """A metadata value of a given type; for an array, ``elements`` is the type of its elements."""

    kind: int
    value: Plain
    elements: int | None = None


Metadata = Mapping[str, Any] | Iterable[tuple[Text, Any]]


def typed(value: Plain | Typed) -> Typed:
    """The type that writers usually take for a value; arrays go by their first element."""
    if isinstance(value, Typed):
        return value
    if isinstance(value, bool):
        return Typed(BOOL, value)
    if isinstance(value, int):
        return Typed(UINT32 if 0 <= value < 1 << 32 else INT64, value)
    if isinstance(value, float):
        return Typed(FLOAT32, value)
    if isinstance(value, str | bytes):
        return Typed(STRING, value)
    return Typed(ARRAY, value, typed(value[0]).kind)


def string(text: Text) -> bytes:
    """A length and the text's bytes."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(raw)) + raw


def value_bytes(kind: int, value: Plain) -> bytes:
    """One value that is no array, without its type."""
    if isinstance(value, str | bytes):
        return string(value)
    return struct.pack("<" + _FORMATS[kind], value)


def entry(key: Text, value: Plain | Typed) -> bytes:
    """One metadata entry: key, type, value."""
    v = typed(value)
    head = string(key) + struct.pack("<I", v.kind)
    if v.elements is None:
        return head + value_bytes(v.kind, v.value)
    assert isinstance(v.value, Sequence)
    items = b"".join(value_bytes(v.elements, item) for item in v.value)
    return head + struct.pack("<IQ", v.elements, len(v.value)) + items


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor to be written; its ``offset`` follows from those before it unless it is given."""

    name: Text
    shape: tuple[int, ...] = (4,)
    kind: int = F32
    offset: int | None = None

    @property
    def n_bytes(self) -> int:
        """Bytes of its data; of types unknown here, one a weight."""
        elements, size = _BLOCKS.get(self.kind, (1, 1))
        return prod(self.shape) // elements * size


@dataclass(frozen=True)
class GgufFile:
    """A file to be written: ``n_tensors``, ``n_values`` are what its head claims, if that is not the truth.

    ``alignment`` is what the writer goes by; the metadata say it only if they are given it.
    """

    metadata: Metadata = ()
    tensors: Sequence[TensorInfo] = ()
    version: int = 3
    alignment: int = 32
    n_tensors: int | None = None
    n_values: int | None = None

    @property
    def head(self) -> bytes:
        """Everything before the padding."""
        pairs = self.metadata.items() if isinstance(self.metadata, Mapping) else self.metadata
        entries = [entry(key, value) for key, value in pairs]
        infos = [
            string(tensor.name)
            + struct.pack(f"<I{len(tensor.shape)}QIQ", len(tensor.shape), *tensor.shape, tensor.kind, offset)
            for tensor, offset in zip(self.tensors, self.offsets, strict=True)
        ]
        n_tensors = len(infos) if self.n_tensors is None else self.n_tensors
        n_values = len(entries) if self.n_values is None else self.n_values
        return b"GGUF" + struct.pack("<IQQ", self.version, n_tensors, n_values) + b"".join(entries + infos)

    @property
    def offsets(self) -> list[int]:
        """Each tensor's place in the data."""
        offsets, end = [], 0
        for tensor in self.tensors:
            offset = self._padded(end) if tensor.offset is None else tensor.offset
            offsets.append(offset)
            end = offset + tensor.n_bytes
        return offsets

    @property
    def data_start(self) -> int:
        """Where the data begin."""
        return self._padded(len(self.head))

    @property
    def length(self) -> int:
        """The file's length; its last tensor ends it."""
        ends = [offset + tensor.n_bytes for tensor, offset in zip(self.tensors, self.offsets, strict=True)]
        return self.data_start + max(ends) if ends else len(self.head)

    def bytes(self) -> bytes:
        """The whole file; the weights are zeros."""
        return self.head.ljust(self.length, b"\0")

    def write(self, path: Path) -> Path:
        """Write the file with a hole for data, which takes no room on the disk; returns its path."""
        with path.open("wb") as file:
            file.write(self.head)
            file.truncate(self.length)
        return path

    def _padded(self, size: int) -> int:
        return -(-size // self.alignment) * self.alignment


def shards(
    tensors: Sequence[Sequence[TensorInfo]],
    metadata: Mapping[str, Plain | Typed] | None = None,
    changed: Mapping[int, Mapping[str, Plain | Typed | None]] | None = None,
) -> list[GgufFile]:
    """The files of a set, as llama.cpp's own splitter writes them.

    Args:
        tensors: those of each shard.
        metadata: goes into the first shard.
        changed: per shard (from 0), keys that it says otherwise, or does not have (None).
    """
    files = []
    for number, own in enumerate(tensors):
        said: dict[str, Plain | Typed | None] = {
            **((metadata or {}) if number == 0 else {}),
            "split.no": Typed(UINT16, number),
            "split.count": Typed(UINT16, len(tensors)),
            "split.tensors.count": Typed(INT32, sum(map(len, tensors))),
            **((changed or {}).get(number, {})),
        }
        files.append(GgufFile({key: value for key, value in said.items() if value is not None}, own))
    return files


def write_set(folder: Path, files: Sequence[GgufFile], stem: str = "m") -> list[Path]:
    """Write the files of a set under the names that sets have; returns their paths."""
    count = len(files)
    return [
        file.write(folder / f"{stem}-{number:05d}-of-{count:05d}.gguf") for number, file in enumerate(files, start=1)
    ]


def filled(size: int, seed: int = 1) -> bytes:
    """A sound file of exactly ``size`` bytes without tensors; at least 50."""
    empty = GgufFile({"filler": ""})
    letters = "".join(chr(97 + (seed * 31 + n * 7) % 26) for n in range(size - empty.length))
    return GgufFile({"filler": letters}).bytes()
