"""Bytes of the cache, held against what llama.cpp allocated for real models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.kv_cache import kv_bytes, padded, row_bytes
from tests.support.planning import MIB, flagship, model, settings, small_qwen

# Cells are padded to 256, so that these are whole rows: two heads of 64, keys and values, in half precision.
ROW = 2 * 2 * 64 * 2


def mib(sizes: tuple[int, ...]) -> float:
    return sum(sizes) / MIB


@pytest.mark.parametrize(
    ("name", "n_ctx", "kind", "expected"),
    [
        ("qwen2.5-coder-0.5b", 512, "F16", 6.0),
        ("qwen2.5-coder-0.5b", 2048, "F16", 24.0),
        ("qwen2.5-coder-0.5b", 8192, "F16", 96.0),
        ("qwen2.5-coder-0.5b", 32768, "F16", 384.0),
        ("qwen2.5-coder-0.5b", 8192, "Q8_0", 51.0),
        ("qwen2.5-coder-1.5b", 8192, "F16", 224.0),
        ("qwen2.5-coder-1.5b", 8192, "Q8_0", 119.0),
    ],
)
def test_qwen_as_allocated(name: str, n_ctx: int, kind: str, expected: float) -> None:
    assert mib(kv_bytes(catalog_anatomy(name), settings(n_ctx=n_ctx, type_k=kind, type_v=kind))) == expected


class TestDeepSeek4:
    # MiB, all layers together: window, keys compressed 4 and 128 times, the indexer's, and states of all three.
    @pytest.mark.parametrize(
        ("n_ctx", "parts"),
        [
            (8192, (10.75, 42, 5, 10.5, 10, 1.31, 0.33)),
            (1 << 20, (10.75, 5376, 160, 1344, 10, 1.31, 0.33)),
        ],
    )
    @pytest.mark.parametrize("n_ubatch", [64, 128])
    def test_as_allocated(self, n_ctx: int, parts: tuple[float, ...], n_ubatch: int) -> None:
        assert mib(kv_bytes(flagship(), settings(n_ctx=n_ctx, n_ubatch=n_ubatch))) == pytest.approx(
            sum(parts), abs=0.02
        )

    def test_layer_by_layer(self) -> None:
        sizes = kv_bytes(flagship(), settings(n_ctx=1 << 20))
        by_ratio = dict(zip(flagship().compress_ratios, sizes, strict=True))
        assert by_ratio[0] == 10.75 / 43 * MIB
        assert by_ratio[4] == pytest.approx((10.75 / 43 + (5376 + 1344 + 1.3125 + 0.328125) / 21) * MIB)
        assert by_ratio[128] == pytest.approx((10.75 / 43 + (160 + 10) / 20) * MIB)

    def test_a_larger_step_needs_a_larger_window(self) -> None:
        small, large = (mib(kv_bytes(flagship(), settings(n_ubatch=n))) for n in (128, 512))
        assert large - small == pytest.approx(10.75 * 2)  # 768 cells instead of 256

    def test_the_whole_context_for_the_window_costs_what_it_is_long(self) -> None:
        small, large = (mib(kv_bytes(flagship(), settings(swa_full=full))) for full in (False, True))
        assert large - small == pytest.approx(10.75 * (8192 / 256 - 1))


class TestAnyModel:
    def test_a_layer_without_heads_keeps_nothing(self) -> None:
        anatomy = model(metadata={"attention.head_count_kv": [2, 0, 2, 1]})
        assert kv_bytes(anatomy, settings(n_ctx=256)) == (256 * ROW, 0, 256 * ROW, 256 * ROW // 2)

    def test_windowed_layers_keep_the_window_and_one_step(self) -> None:
        anatomy = model(architecture="gemma2", metadata={"attention.sliding_window": 1000})
        wide = settings(n_ctx=8192, n_ubatch=64)
        window, whole = 1280 * ROW, 8192 * ROW  # 1,064 cells, padded
        assert kv_bytes(anatomy, wide) == (window, whole, window, whole)
        assert kv_bytes(anatomy, settings(n_ctx=8192, swa_full=True)) == (whole,) * 4
        assert kv_bytes(anatomy, settings(n_ctx=512)) == (512 * ROW,) * 4, "a window longer than the context is none"

    def test_latent_attention_keeps_one_row_for_keys_and_values(self) -> None:
        latent = {"attention.kv_lora_rank": 512, "attention.key_length_mla": 192, "rope.dimension_count": 64}
        anatomy = model(architecture="deepseek2", metadata=latent)
        assert kv_bytes(anatomy, settings(n_ctx=256)) == (256 * (512 + 64) * 2,) * 4

    def test_keys_and_values_may_differ(self) -> None:
        anatomy = model(metadata={"attention.key_length": 128, "attention.value_length": 64})
        mixed = settings(n_ctx=256, type_k="Q8_0", type_v="F16")
        assert kv_bytes(anatomy, mixed) == (256 * (2 * 128 // 32 * 34 + 2 * 64 * 2),) * 4

    def test_a_model_that_says_nothing_of_heads(self) -> None:
        anatomy = model(metadata={"attention.head_count": None, "attention.head_count_kv": None})
        assert kv_bytes(anatomy, settings()) == (0,) * 4


MODELS = st.sampled_from(
    [small_qwen(), flagship(), model(architecture="gemma2", metadata={"attention.sliding_window": 512})]
)


@given(MODELS, st.integers(1, 1 << 20), st.integers(1, 8), st.sampled_from(["F16", "Q8_0"]), st.integers(1, 2048))
def test_every_sequence_has_a_stream_of_its_own(
    anatomy: Anatomy, n_ctx: int, n_seq_max: int, kind: str, n_ubatch: int
) -> None:
    one = settings(n_ctx=n_ctx, type_k=kind, type_v=kind, n_ubatch=n_ubatch)
    several = settings(n_ctx=n_ctx, type_k=kind, type_v=kind, n_ubatch=n_ubatch, n_seq_max=n_seq_max)
    assert kv_bytes(anatomy, several) == tuple(size * n_seq_max for size in kv_bytes(anatomy, one))


@given(MODELS, st.integers(1, 1 << 20), st.integers(0, 1 << 16))
def test_more_context_is_never_smaller_and_cells_are_padded(anatomy: Anatomy, n_ctx: int, more: int) -> None:
    sizes = kv_bytes(anatomy, settings(n_ctx=n_ctx))
    assert sizes == kv_bytes(anatomy, settings(n_ctx=padded(n_ctx)))
    assert all(a <= b for a, b in zip(sizes, kv_bytes(anatomy, settings(n_ctx=n_ctx + more)), strict=True))


@given(st.integers(1, 1 << 30))
def test_padding(n: int) -> None:
    assert padded(n) % 256 == 0
    assert 0 <= padded(n) - n < 256


def test_rows_are_whole_blocks() -> None:
    assert row_bytes("F16", 100) == 200
    assert row_bytes("Q8_0", 64) == 68
    assert row_bytes("Q8_0", 65) == 102
