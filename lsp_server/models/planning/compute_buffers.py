"""Bytes of llama.cpp's compute buffers: what the graph of one step needs beside weights and cache.

llama.cpp's allocator reuses memory, so the size is that of the graph's widest place. The formulas were found by letting
llama.cpp plan graphs (``no_alloc``) over many contexts and batches; `make memory` holds them against real loads.
"""

from __future__ import annotations

from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.kv_cache import padded, row_bytes
from lsp_server.models.planning.settings import LoadSettings

_F32, _F16 = 4, 2


def output_bytes(model: Anatomy, settings: LoadSettings) -> int:
    """The rows of logits that are handed out: one a sequence to begin with.

    The buffer grows to ``n_outputs_max`` rows when an answer is first guessed ahead (9 MiB for Qwen2.5's vocabulary).
    """
    return _F32 * (model.card.n_vocab or 0) * settings.n_seq_max


def compute_bytes(model: Anatomy, settings: LoadSettings) -> int:
    """The graph's buffer on a device that evaluates layers, for one context."""
    cells = padded(settings.n_ctx)
    tokens = min(settings.n_ubatch, cells)
    if model.compress_ratios:
        step = tokens * _deepseek4_token(model, cells, tokens) + settings.n_seq_max * _deepseek4_keys(
            model, settings, cells
        )
    else:
        step = tokens * _token(model, cells)
    last = _F32 * ((model.card.n_vocab or 0) + 2 * (model.card.embedding_length or 0)) * settings.n_outputs_max
    return max(step, last)


def copied_experts_bytes(model: Anatomy, settings: LoadSettings) -> int:
    """Room on a GPU for the experts of a layer that stay in RAM and are copied over for a large batch.

    Two matrices are there at a time: the one that is multiplied and the next. Not measured: no GPU was to be had.
    """
    if settings.n_ubatch < 32:
        return 0
    return 2 * max((layer.experts.largest_tensor for layer in model.layers), default=0)


def _token(model: Anatomy, cells: int) -> int:
    """Widest in the feed-forward part: gate, up, their product; four rows of the model's width; the mask."""
    width = max(model.n_ff, model.n_ff_expert * (model.card.expert_used_count or 0))
    return _F32 * (3 * width + 4 * (model.card.embedding_length or 0)) + _F16 * cells


def _deepseek4_token(model: Anatomy, cells: int, tokens: int) -> int:
    """Four rows of whatever is wider, all heads or all streams of the hyper-connections; and the indexer's scores.

    In steps of many tokens a second copy of the scores finds no place that is free. The second term takes over in long
    contexts: scores, their order and a mask, for every fourth cell.
    """
    card = model.card
    heads = (card.n_heads or 0) * (card.key_length or 0)
    rows = 4 * _F32 * max(heads, model.n_streams_hyper * (card.embedding_length or 0))
    return max(rows + cells * (1 if tokens <= 128 else 2), int(0.55 * rows + 2.7 * cells))


def _deepseek4_keys(model: Anatomy, settings: LoadSettings, cells: int) -> int:
    """A copy of one layer's keys, compressed four times: a row of zeros is put behind them."""
    return row_bytes(settings.type_k, model.card.key_length or 0) * cells // 4
