"""Random weights in llama.cpp's tensor types: sound blocks, of the size that keeps activations and logits finite."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import prod, sqrt

import numpy as np
import numpy.typing as npt
from gguf.constants import GGMLQuantizationType
from gguf.quants import dequantize

from lsp_server.models.gguf.head import Tensor
from lsp_server.models.gguf.tensor_types import TensorType

# Where a block has its half-precision factors (ggml-common.h): the scale and, in types that have one, the minimum.
# Everything else in a block may be any byte.
_FACTORS: dict[str, tuple[int, ...]] = {
    "Q4_0": (0,),
    "Q4_1": (0, 2),
    "Q5_0": (0,),
    "Q5_1": (0, 2),
    "Q8_0": (0,),
    "Q2_K": (80, 82),
    "Q3_K": (108,),
    "Q4_K": (0, 2),
    "Q5_K": (0, 2),
    "Q6_K": (208,),
    "IQ1_S": (0,),
    "IQ2_XXS": (0,),
    "IQ2_XS": (0,),
    "IQ2_S": (0,),
    "IQ3_XXS": (0,),
    "IQ3_S": (0,),
    "IQ4_NL": (0,),
    "IQ4_XS": (0,),
}
_CHUNK = 1 << 20
_SAMPLE_BLOCKS = 2048

Generator = np.random.Generator


def weights(tensor: Tensor, generator: Generator, n_experts: int) -> Iterator[bytes]:
    """A tensor's data in pieces of a few MB: normalizations 1, else spread about 0 by 1 / sqrt(length of a row).

    Args:
        n_experts: what the numbers of experts in a table of integers stay below.

    Raises:
        ValueError: it has a type that no weights are made for.
    """
    name, count = tensor.type.name, tensor.n_elements
    spread = 1 / sqrt(tensor.shape[0])
    if tensor.name.endswith("_norm.weight"):
        return (np.ones(n, np.float32).tobytes() for n in _chunks(count, _CHUNK))
    if name == "F32":
        return (_normal(generator, n, spread).tobytes() for n in _chunks(count, _CHUNK))
    if name == "F16":
        return (_normal(generator, n, spread).astype(np.float16).tobytes() for n in _chunks(count, _CHUNK))
    if name == "I32":
        return iter([_choices(generator, tensor.shape[0], prod(tensor.shape[1:]), n_experts).tobytes()])
    if name not in _FACTORS:
        raise ValueError(f"No random weights are made for {tensor.name} in {name}.")
    return (
        _blocks(generator, tensor.type, n, spread).tobytes()
        for n in _chunks(count // tensor.type.block_size, _CHUNK * 4 // tensor.type.block_bytes)
    )


def _chunks(total: int, size: int) -> Iterator[int]:
    while total > 0:
        yield min(total, size)
        total -= size


def _normal(generator: Generator, count: int, spread: float) -> npt.NDArray[np.float32]:
    values = generator.standard_normal(count, dtype=np.float32)
    values *= np.float32(spread)
    return values


def _choices(generator: Generator, width: int, rows: int, limit: int) -> npt.NDArray[np.int32]:
    """Rows of numbers below a limit, no number twice in a row (llama.cpp's router never chooses an expert twice)."""
    first = generator.integers(0, limit, size=(rows, 1), dtype=np.int32)
    chosen: npt.NDArray[np.int32] = (first + np.arange(width, dtype=np.int32)) % np.int32(limit)
    return chosen


def _blocks(generator: Generator, kind: TensorType, count: int, spread: float) -> npt.NDArray[np.uint8]:
    """Blocks of a quantized type whose weights have that standard deviation, and a mean near 0."""
    unit, minimum = _unit(kind)
    return _raw(generator, kind, count, (spread / unit, minimum * spread / unit))


def _raw(generator: Generator, kind: TensorType, count: int, factors: tuple[float, float]) -> npt.NDArray[np.uint8]:
    blocks = generator.integers(0, 256, size=(count, kind.block_bytes), dtype=np.uint8)
    for place, factor in zip(_FACTORS[kind.name], factors, strict=False):
        blocks[:, place : place + 2] = np.frombuffer(np.float16(factor).tobytes(), np.uint8)
    return blocks


@cache
def _unit(kind: TensorType) -> tuple[float, float]:
    """The deviation of random blocks with scale 1, and the minimum that makes their mean 0, where there is one."""

    def sample(scale: float, minimum: float) -> npt.NDArray[np.float32]:
        blocks = _raw(np.random.default_rng(0), kind, _SAMPLE_BLOCKS, (scale, minimum))
        return dequantize(blocks, GGMLQuantizationType[kind.name])

    minimum = 0.0
    if len(_FACTORS[kind.name]) == 2:
        minimum = -float(sample(1, 0).mean()) / float(sample(0, 1).mean())
    return float(sample(1, minimum).std()), minimum
