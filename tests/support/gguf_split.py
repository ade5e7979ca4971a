"""A real GGUF cut into the files of a set as gguf-split does it: all metadata in the first, the tensors in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from gguf import GGUFReader
from gguf.gguf_reader import ReaderTensor

from tests.support.gguf import INT32, UINT16, Typed, entry, string

_ALIGNMENT = 32


def split_gguf(path: Path, folder: Path, count: int, stem: str = "split") -> list[Path]:
    """Write a model, which must have the usual alignment, as files of about the same size; returns their paths."""
    reader = GGUFReader(path)
    assert reader.alignment == _ALIGNMENT
    metadata = [
        b"".join(part.tobytes() for part in field.parts)
        for name, field in reader.fields.items()
        if not name.startswith(("GGUF.", "split."))
    ]
    paths = []
    for number, tensors in enumerate(_divided(reader.tensors, count)):
        said = metadata if number == 0 else []
        place = [
            entry("split.no", Typed(UINT16, number)),
            entry("split.count", Typed(UINT16, count)),
            entry("split.tensors.count", Typed(INT32, len(reader.tensors))),
        ]
        paths.append(folder / f"{stem}-{number + 1:05d}-of-{count:05d}.gguf")
        with paths[-1].open("wb") as file:
            _write(file, [*said, *place], tensors)
    return paths


def _divided(tensors: Sequence[ReaderTensor], count: int) -> list[list[ReaderTensor]]:
    """The tensors in order, for each file about as many bytes."""
    total, done = sum(int(tensor.n_bytes) for tensor in tensors), 0
    parts: list[list[ReaderTensor]] = [[] for _ in range(count)]
    for tensor in tensors:
        parts[min(count - 1, done * count // total)].append(tensor)
        done += int(tensor.n_bytes)
    assert all(parts)
    return parts


def _write(file: BinaryIO, metadata: Sequence[bytes], tensors: Sequence[ReaderTensor]) -> None:
    numbers = (3).to_bytes(4, "little") + len(tensors).to_bytes(8, "little") + len(metadata).to_bytes(8, "little")
    file.write(b"GGUF" + numbers + b"".join(metadata))
    offset = 0
    for tensor in tensors:
        shape = [int(size) for size in tensor.shape]
        dimensions = len(shape).to_bytes(4, "little") + b"".join(size.to_bytes(8, "little") for size in shape)
        kind = int(tensor.tensor_type).to_bytes(4, "little")
        file.write(string(tensor.name) + dimensions + kind + offset.to_bytes(8, "little"))
        offset += _padded(int(tensor.n_bytes))
    file.write(bytes(-file.tell() % _ALIGNMENT))
    for tensor in tensors:
        file.write(tensor.data.tobytes())
        file.write(bytes(-int(tensor.n_bytes) % _ALIGNMENT))


def _padded(size: int) -> int:
    return size + -size % _ALIGNMENT
