"""Bytes of the key/value cache, layer by layer, as llama.cpp allocates it.

Sources: llama.cpp's ``src/llama-kv-cache.cpp`` (cells x width, one stream a sequence), ``llama-kv-cache-iswa.cpp`` (the
window's cells), ``llama-kv-cache-dsv4.cpp`` (DeepSeek-V4: a raw window, keys compressed 4 and 128 times, the indexer's
keys, and the compressors' states in single precision).
"""

from __future__ import annotations

from lsp_server.models.gguf.tensor_types import TENSOR_TYPES
from lsp_server.models.planning.anatomy import Anatomy
from lsp_server.models.planning.settings import LoadSettings

# llama.cpp rounds cells up to this.
_PAD = 256
_F32_BYTES = 4
_BY_NAME = {kind.name: kind for kind in TENSOR_TYPES.values()}


def padded(n: int, multiple: int = _PAD) -> int:
    """Rounded up to a multiple."""
    return -(-n // multiple) * multiple


def row_bytes(kind: str, width: int) -> int:
    """Bytes of ``width`` elements of a tensor type."""
    shape = _BY_NAME[kind]
    return -(-width // shape.block_size) * shape.block_bytes


def kv_bytes(model: Anatomy, settings: LoadSettings) -> tuple[int, ...]:
    """For each layer the bytes of one context's cache, all sequences together."""
    per_sequence = (_deepseek4 if model.compress_ratios else _attention)(model, settings)
    return tuple(size * settings.n_seq_max for size in per_sequence)


def _attention(model: Anatomy, settings: LoadSettings) -> list[int]:
    card, cells = model.card, padded(settings.n_ctx)
    window = cells if settings.swa_full else _window_cells(model, settings)
    sizes = []
    for il in range(model.n_layers):
        heads = card.kv_heads[il] if il < len(card.kv_heads) else 0
        if model.kv_lora_rank:
            # Multi-head latent attention keeps one compressed row, from which keys and values are made.
            width = model.kv_lora_rank + model.rope_dimensions
            row = row_bytes(settings.type_k, width)
        else:
            row = row_bytes(settings.type_k, heads * (card.key_length or 0))
            row += row_bytes(settings.type_v, heads * (card.value_length or 0))
        sizes.append(row * (window if model.windowed[il] else cells))
    return sizes


def _window_cells(model: Anatomy, settings: LoadSettings) -> int:
    return padded(min(padded(settings.n_ctx), model.window + settings.n_ubatch))


def _deepseek4(model: Anatomy, settings: LoadSettings) -> list[int]:
    cells, head = padded(settings.n_ctx), model.card.key_length or 0
    key, index_key = row_bytes(settings.type_k, head), row_bytes(settings.type_k, model.indexer_key_length)
    raw = key * (cells if settings.swa_full else _window_cells(model, settings))
    sizes = []
    for ratio in model.compress_ratios:
        size = raw
        if ratio:
            compressed = padded(-(-cells // ratio))
            size += key * compressed
            # Two states (values, scores); the four-fold compressor overlaps its windows, and so has twice the width.
            size += 2 * _F32_BYTES * (2 * head * 2 * ratio if ratio == 4 else head * ratio)
            if ratio == 4:
                size += index_key * compressed
                size += 2 * _F32_BYTES * 2 * model.indexer_key_length * 2 * ratio
        sizes.append(size)
    return sizes
