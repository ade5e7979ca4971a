"""The head of a GGUF file: metadata and tensor inventory, without a byte of tensor data.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2 and 3, little-endian. A file comes from
the internet, so nothing in it is believed: every length is held against the bytes that are really there before anything
is allocated, and what a person would never need (a vocabulary) is walked over, not kept.
"""

from __future__ import annotations

import mmap
import struct
from math import prod
from pathlib import Path
from typing import TypeAlias

from lsp_server.errors import InvalidModelFileError
from lsp_server.models.gguf.head import GgufHead, LongValue, Scalar, Tensor, Value
from lsp_server.models.gguf.tensor_types import TENSOR_TYPES
from lsp_server.models.gguf.vocabulary import FIM_SPELLINGS

MAGIC = b"GGUF"
VERSIONS = (2, 3)
_DEFAULT_ALIGNMENT = 32
_MAX_DIMENSIONS = 4
# llama.cpp's own limits (gguf.cpp: names are shorter than GGML_MAX_NAME, keys and strings may be as long as the file).
_MAX_NAME_BYTES = 63
_MAX_KEY_BYTES = 65535
_SHORTEST_HEAD = 24
# A vocabulary of 260,000 tokens with its merges takes some 20 MB, an inventory less than one. Without a limit a file
# with a hole where its head should be would be walked through for hours.
MAX_HEAD_BYTES = 128 << 20
# Arrays longer than this are remembered by their length only.
_KEPT_ELEMENTS = 4096
# One string value longer than this (no chat template is) is remembered by its length only.
_KEPT_STRING_BYTES = 1 << 20

_NOTICED = frozenset(s.encode() for spellings in FIM_SPELLINGS.values() for s in spellings)
_NOTICED_LENGTHS = frozenset(map(len, _NOTICED))

_STRING, _ARRAY, _BOOL = 8, 9, 7
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}

REPAIR = "`shardlight models pull --repair` fetches only what is wrong."
# What heads are read from.
Bytes: TypeAlias = bytes | bytearray | mmap.mmap


class HeadGoesOnError(Exception):
    """The bytes that are here are sound so far and end within the head; it reaches no user.

    Args:
        needed: bytes from the start of the file that are wanted for the next step; the head may go on behind them.
    """

    def __init__(self, needed: int) -> None:
        super().__init__(f"{needed} bytes are needed")
        self.needed = needed


def read_head(path: Path) -> GgufHead:
    """Read a file's metadata and tensor inventory.

    Whether the tensor data is all there is not checked (see ``GgufHead.wanted_bytes``).

    Raises:
        InvalidModelFileError: it cannot be read, is no little-endian GGUF of version 2 or 3, or contradicts itself.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            if size == 0:  # which cannot be mapped
                return parse_head(b"", path, 0)
            with mmap.mmap(file.fileno(), min(size, MAX_HEAD_BYTES), access=mmap.ACCESS_READ) as view:
                return parse_head(view, path, size)
    except OSError as error:
        raise InvalidModelFileError(f"{path} cannot be read: {error.strerror or error}.") from error


def parse_head(start: Bytes, path: Path, size: int) -> GgufHead:
    """Read a head from the first bytes of a file; a longer start never leads to another verdict.

    Args:
        start: as much of the file as is here, from its first byte.
        path: names the file in messages.
        size: length of the whole file in bytes; no promise of the head's is believed that goes beyond it.

    Raises:
        HeadGoesOnError: longer starts are needed; never with ``size`` or ``MAX_HEAD_BYTES`` bytes.
        InvalidModelFileError: as ``read_head``.
    """
    if size < _SHORTEST_HEAD:
        raise _not_gguf(path)
    return _Parser(path, start, size).head()


def printable(text: str) -> str:
    """A text of a file's for a message or a terminal: control characters, which could drive it, are spelled out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def _not_gguf(path: Path) -> InvalidModelFileError:
    return InvalidModelFileError(f"{path} is not a GGUF file.", hint="Models must be in llama.cpp's GGUF format.")


class _Parser:
    def __init__(self, path: Path, view: Bytes, size: int) -> None:
        self._path = path
        self._view = view
        self._size = size
        # A head that ends behind this is refused, whether the bytes are here or not.
        self._limit = min(size, MAX_HEAD_BYTES)
        self._end = min(len(view), self._limit)
        self._at = 0

    def head(self) -> GgufHead:
        if self._bytes(4) != MAGIC:
            raise _not_gguf(self._path)
        version = self._version()
        n_tensors, n_values = self._scalar("Q"), self._scalar("Q")
        # The shortest entries possible: a name of one byte and one dimension; a key of one byte and one byte of value.
        self._require(n_tensors * 33 + n_values * 14, f"{n_tensors} tensors and {n_values} values")
        metadata: dict[str, Value] = {}
        for _ in range(n_values):
            key = self._string(_MAX_KEY_BYTES, "a key")
            if key in metadata:
                raise self._wrong(f"the key {key} is there twice")
            metadata[key] = self._value(key)
        tensors = self._tensors(n_tensors)
        alignment = metadata.get("general.alignment", _DEFAULT_ALIGNMENT)
        if not isinstance(alignment, int) or alignment is True or alignment <= 0 or alignment & (alignment - 1):
            raise self._wrong(f"general.alignment is {alignment!r:.40}, which is no power of two")
        self._check_offsets(tensors, alignment)
        data_start = -(-self._at // alignment) * alignment
        return GgufHead(self._path, version, metadata, tensors, data_start, self._size)

    def _version(self) -> int:
        raw = self._bytes(4)
        (version,), (swapped,) = struct.unpack("<I", raw), struct.unpack(">I", raw)
        if version in VERSIONS:
            return int(version)
        if swapped in VERSIONS:
            raise InvalidModelFileError(
                f"{self._path} is a big-endian GGUF file.",
                hint="Get the little-endian file; this machine cannot read the other.",
            )
        raise InvalidModelFileError(
            f"{self._path} has GGUF version {version}; versions 2 and 3 are supported.",
            hint="Convert or download it anew.",
        )

    def _tensors(self, count: int) -> tuple[Tensor, ...]:
        tensors: list[Tensor] = []
        names: set[str] = set()
        for _ in range(count):
            name = self._string(_MAX_NAME_BYTES, "a tensor's name")
            if name in names:
                raise self._wrong(f"the tensor {name} is there twice")
            names.add(name)
            n_dimensions = self._scalar("I")
            if not 1 <= n_dimensions <= _MAX_DIMENSIONS:
                raise self._wrong(f"the tensor {name} has {n_dimensions} dimensions")
            shape = tuple(self._scalar("Q") for _ in range(n_dimensions))
            number, offset = self._scalar("I"), self._scalar("Q")
            kind = TENSOR_TYPES.get(number)
            if kind is None:
                raise InvalidModelFileError(
                    f"{self._path}: the tensor {name} has type {number}, which this version does not know.",
                    hint="Update shardlight and llama-cpp-python, or get the model in another quantization.",
                )
            if shape[0] % kind.block_size or prod(shape) >= 1 << 63 or offset >= 1 << 63:
                raise self._wrong(f"the tensor {name} cannot have the shape {list(shape)} in {kind.name}")
            n_bytes = prod(shape) // kind.block_size * kind.block_bytes
            tensors.append(Tensor(name, shape, kind, offset, n_bytes))
        return tuple(tensors)

    def _check_offsets(self, tensors: tuple[Tensor, ...], alignment: int) -> None:
        """Whether each tensor begins where the one before it ends, as llama.cpp wants it: no gaps, no overlaps."""
        expected = 0
        for tensor in tensors:
            if tensor.offset != expected:
                raise self._wrong(
                    f"the tensor {tensor.name} begins at byte {tensor.offset} of the data and should at {expected}"
                )
            expected += -(-tensor.n_bytes // alignment) * alignment

    def _value(self, key: str) -> Value:
        kind = self._scalar("I")
        if kind == _ARRAY:
            return self._array(key)
        return self._single(kind, key)

    def _single(self, kind: int, key: str) -> Scalar | LongValue:
        if kind == _STRING:
            return self._text()
        code = _SCALARS.get(kind)
        if code is None:
            raise self._wrong(f"{key} has value type {kind}")
        value = self._unpack(code)
        return bool(value) if kind == _BOOL else value

    def _array(self, key: str) -> Value:
        kind, length = self._scalar("I"), self._scalar("Q")
        code = _SCALARS.get(kind)
        if code is None and kind != _STRING:
            raise self._wrong(f"{key} is an array of value type {kind}")
        element = 8 if code is None else struct.calcsize(code)
        self._require(length * element, f"{length} elements of {key}")
        if length > _KEPT_ELEMENTS:
            if code is None:
                return LongValue(length, self._skip_strings(length))
            self._at += length * element
            return LongValue(length)
        values = tuple(self._single(kind, key) for _ in range(length))
        return LongValue(length) if any(isinstance(v, LongValue) for v in values) else values  # type: ignore[return-value]

    def _skip_strings(self, count: int) -> tuple[str, ...]:
        """Walk over strings; returns those that are noticed."""
        view, at, end = self._view, self._at, self._end
        unpack = struct.Struct("<Q").unpack_from
        found = []
        for _ in range(count):
            if at + 8 > end:
                raise self._cut("a text", at + 8)
            length = unpack(view, at)[0]
            at += 8 + length
            if length in _NOTICED_LENGTHS and (text := bytes(view[at - length : at])) in _NOTICED:
                found.append(text.decode())
        if at > end:
            raise self._cut("a text", at)
        self._at = at
        return tuple(found)

    def _text(self) -> str | LongValue:
        length = self._scalar("Q")
        self._require(length, "a text")
        if length > _KEPT_STRING_BYTES:
            self._at += length
            return LongValue(length)
        return self._bytes(length).decode("utf-8", "replace")

    def _string(self, limit: int, what: str) -> str:
        length = self._scalar("Q")
        if length > limit:
            raise self._wrong(f"{what} has {length} bytes")
        # Unlike "replace" this keeps two names two.
        return printable(self._bytes(length).decode("utf-8", "backslashreplace"))

    def _scalar(self, code: str) -> int:
        return int(self._unpack(code))

    def _unpack(self, code: str) -> int | float:
        size = struct.calcsize(code)
        value: int | float = struct.unpack("<" + code, self._bytes(size))[0]
        return value

    def _bytes(self, count: int) -> bytes:
        self._require(count, f"{count} bytes")
        data = bytes(self._view[self._at : self._at + count])
        self._at += count
        return data

    def _require(self, count: int, what: str) -> None:
        if count > self._end - self._at:
            raise self._cut(what, self._at + count)

    def _cut(self, what: str, needed: int) -> Exception:
        """Why the head, which has to have ``needed`` bytes at least, cannot be read on."""
        if needed <= self._limit:
            return HeadGoesOnError(needed)
        if self._limit < self._size:
            return self._wrong(f"its head would be longer than {MAX_HEAD_BYTES >> 20} MiB: it promises {what}")
        return InvalidModelFileError(
            f"{self._path} ends within its head: at byte {self._at} of {self._size} it promises {what}.", hint=REPAIR
        )

    def _wrong(self, what: str) -> InvalidModelFileError:
        return InvalidModelFileError(f"{self._path} is damaged: {what}.", hint=REPAIR)
