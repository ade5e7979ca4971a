"""The card of a real model, held against what llama.cpp says of the same file."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from lsp_server.models.card import ModelCard, model_card
from lsp_server.models.gguf.shard_set import open_set

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def card(small_model: Path) -> ModelCard:
    return model_card(open_set(small_model))


def test_what_is_known_of_it(card: ModelCard, small_model: Path) -> None:
    assert (card.architecture, card.n_layers, card.n_heads, card.context_length) == ("qwen2", 24, 14, 32768)
    assert card.kv_heads == (2,) * 24
    assert (card.key_length, card.value_length, card.embedding_length) == (64, 64, 896)
    assert (card.fim, card.chat_template) == (True, True)
    assert (card.expert_count, card.n_active_params) == (None, card.n_params)
    assert (card.n_shards, card.file_bytes) == (1, small_model.stat().st_size)
    assert sum(group.n_bytes for group in card.groups) == card.tensor_bytes


async def test_it_agrees_with_llama_cpp(card: ModelCard, client: httpx.AsyncClient) -> None:
    props = (await client.get("/props")).json()
    facts = props["model"]
    assert card.n_params == facts["n_params"]
    assert card.tensor_bytes == facts["size"]
    assert card.n_vocab == facts["n_vocab"]
    assert card.context_length == facts["n_ctx_train"]
    assert card.architecture == facts["architecture"]
    assert card.fim == props["fim"]
