"""What is known of a GGUF file from its head: the values that the reader returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

from lsp_server.models.gguf.tensor_types import TensorType

Scalar = int | float | bool | str


@dataclass(frozen=True, slots=True)
class LongValue:
    """A value that is there but was not kept: its number of elements (for a string, of bytes).

    ``found``: those of its elements that spell fill-in-the-middle tokens.
    """

    length: int
    found: tuple[str, ...] = ()


Value = Scalar | tuple[Scalar, ...] | LongValue


@dataclass(frozen=True, slots=True)
class Tensor:
    """One entry of the inventory: ``offset`` and ``n_bytes`` are in bytes, the offset from the start of the data."""

    name: str
    shape: tuple[int, ...]
    type: TensorType
    offset: int
    n_bytes: int

    @property
    def n_elements(self) -> int:
        """Number of weights."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True)
class GgufHead:
    """What a GGUF file says of itself.

    Attributes:
        metadata: key → value; long arrays and strings are ``LongValue``.
        data_start: byte offset of the tensor data in the file.
        file_bytes: the file's length.
    """

    path: Path
    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    data_start: int
    file_bytes: int

    @property
    def wanted_bytes(self) -> int:
        """The length that the file must have at least: up to the end of its last tensor; 0 without tensors."""
        return max((self.data_start + t.offset + t.n_bytes for t in self.tensors), default=0)

    @property
    def is_whole(self) -> bool:
        """Whether all of its tensors' bytes are there."""
        return self.file_bytes >= self.wanted_bytes

    def integer(self, key: str) -> int | None:
        """A whole number of the metadata, or None."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def text(self, key: str) -> str | None:
        """A text of the metadata, or None."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None
