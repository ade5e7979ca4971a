from __future__ import annotations

import numpy as np
import pytest
from gguf.constants import GGMLQuantizationType
from gguf.quants import dequantize

from lsp_server.models.gguf.head import Tensor
from lsp_server.models.gguf.tensor_types import TENSOR_TYPES
from tools.random_weights import weights

TYPES = {kind.name: kind for kind in TENSOR_TYPES.values()}
QUANTIZED = [
    *("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"),
    *("IQ1_S", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S", "IQ4_NL", "IQ4_XS"),
]


def data(name: str, shape: tuple[int, ...], kind: str) -> bytes:
    of_type = TYPES[kind]
    n_bytes = int(np.prod(shape)) // of_type.block_size * of_type.block_bytes
    tensor = Tensor(name, shape, of_type, 0, n_bytes)
    written = b"".join(weights(tensor, np.random.default_rng(1), n_experts=8))
    assert len(written) == n_bytes
    return written


@pytest.mark.parametrize("kind", QUANTIZED)
def test_quantized_weights_are_spread_about_zero(kind: str) -> None:
    blocks = np.frombuffer(data("a.weight", (1024, 256), kind), np.uint8).reshape(-1, TYPES[kind].block_bytes)
    values = dequantize(blocks, GGMLQuantizationType[kind])
    assert np.isfinite(values).all()
    assert values.std() == pytest.approx(1 / 32, rel=0.1)
    # Some types, Q4_0 for one, have one number more below 0 than above.
    assert abs(values.mean()) < 0.15 / 32


@pytest.mark.parametrize(("kind", "dtype"), [("F32", np.float32), ("F16", np.float16)])
def test_plain_weights_are_too(kind: str, dtype: type) -> None:
    values = np.frombuffer(data("a.weight", (1024, 256), kind), dtype).astype(np.float32)
    assert values.std() == pytest.approx(1 / 32, rel=0.02)


def test_normalizations_are_one() -> None:
    assert (np.frombuffer(data("blk.0.attn_norm.weight", (64,), "F32"), np.float32) == 1).all()


def test_no_expert_is_chosen_twice() -> None:
    rows = np.frombuffer(data("blk.0.ffn_gate_tid2eid.weight", (6, 100), "I32"), np.int32).reshape(100, 6)
    assert rows.min() >= 0
    assert rows.max() < 8
    assert all(len(set(row)) == 6 for row in rows.tolist())


def test_a_type_that_none_are_made_for() -> None:
    with pytest.raises(ValueError, match=r"a\.weight in MXFP4"):
        data("a.weight", (32,), "MXFP4")
