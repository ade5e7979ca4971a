"""Bytes of the graph's buffers, held against those that llama.cpp planned (flash attention, 16 rows of logits)."""

from __future__ import annotations

import pytest

from lsp_server.models.planning.auto import catalog_anatomy
from lsp_server.models.planning.compute_buffers import compute_bytes, copied_experts_bytes, output_bytes
from tests.support.planning import BLUEPRINTS, MIB, flagship, model, settings, small_qwen


@pytest.mark.parametrize(
    ("name", "n_ctx", "n_ubatch", "mib"),
    [
        ("qwen2.5-coder-0.5b", 512, 64, 9.60),
        ("qwen2.5-coder-0.5b", 2048, 64, 10.07),
        ("qwen2.5-coder-0.5b", 8192, 64, 9.55),
        ("qwen2.5-coder-0.5b", 32768, 64, 9.55),
        ("qwen2.5-coder-0.5b", 8192, 512, 43.51),
        ("qwen2.5-coder-0.5b", 32768, 512, 67.51),
        ("qwen2.5-coder-1.5b", 8192, 64, 9.74),
        ("qwen2.5-coder-1.5b", 32768, 512, 96.51),
        ("deepseek-v4-flash", 8192, 64, 32.94),
        ("deepseek-v4-flash", 8192, 512, 263.59),
        ("deepseek-v4-flash", 32768, 64, 41.69),
        ("deepseek-v4-flash", 32768, 128, 74.83),
        ("deepseek-v4-flash", 131072, 64, 72.04),
        ("deepseek-v4-flash", 131072, 512, 413.13),
        ("deepseek-v4-flash", 1048576, 64, 446.69),
        ("deepseek-v4-flash", 1048576, 512, 1780.84),
    ],
)
def test_as_planned_by_llama_cpp(name: str, n_ctx: int, n_ubatch: int, mib: float) -> None:
    # In small steps the logits are the widest place, and what lies beside them is not counted.
    tolerance = 0.15 if name.startswith("deepseek") else 0.02 if n_ubatch > 64 else 0.08
    planned = compute_bytes(catalog_anatomy(name), settings(n_ctx=n_ctx, n_ubatch=n_ubatch))
    assert planned / MIB == pytest.approx(mib, rel=tolerance)


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_more_context_or_more_tokens_a_step_never_take_less(name: str) -> None:
    anatomy = catalog_anatomy(name)
    for wider in ({"n_ctx": 32768}, {"n_ubatch": 512}, {"n_seq_max": 4}):
        assert compute_bytes(anatomy, settings(**wider)) >= compute_bytes(anatomy, settings())


def test_a_step_is_not_longer_than_the_context() -> None:
    assert compute_bytes(small_qwen(), settings(n_ctx=256, n_ubatch=4096)) == compute_bytes(
        small_qwen(), settings(n_ctx=256, n_ubatch=256)
    )


def test_small_steps_are_bound_by_the_logits() -> None:
    sizes = {compute_bytes(small_qwen(), settings(n_ctx=256, n_ubatch=n)) for n in (1, 2)}
    assert len(sizes) == 1
    assert sizes.pop() > output_bytes(small_qwen(), settings())


def test_logits_of_each_sequence_are_handed_out() -> None:
    assert output_bytes(small_qwen(), settings(n_seq_max=3)) == 3 * 151936 * 4


def test_experts_are_copied_for_large_steps_only() -> None:
    largest = max(layer.experts.largest_tensor for layer in flagship().layers)
    assert copied_experts_bytes(flagship(), settings(n_ubatch=512)) == 2 * largest
    assert copied_experts_bytes(flagship(), settings(n_ubatch=31)) == 0
    assert copied_experts_bytes(small_qwen(), settings(n_ubatch=512)) == 0


def test_a_model_that_says_nothing_of_its_sizes() -> None:
    nothing = dict.fromkeys(("embedding_length", "feed_forward_length", "attention.head_count"))
    assert compute_bytes(model(metadata=nothing), settings()) > 0
