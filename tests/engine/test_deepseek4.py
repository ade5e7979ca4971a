"""The flagship's architecture in a real engine, with random weights: what it says is noise, how it runs is not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lsp_server.models.card import model_card
from lsp_server.models.catalog import Catalog
from lsp_server.models.gguf.shard_set import open_set
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import ModelStore
from tests.support.engine import RunningEngine


@pytest.fixture
async def client(tiny_engine: RunningEngine) -> AsyncIterator[httpx.AsyncClient]:
    async with tiny_engine.client() as client:
        yield client


async def answer(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_its_first_shard_loads_the_set(client: httpx.AsyncClient, tiny_deepseek4: Path) -> None:
    props = (await client.get("/props")).json()
    card = model_card(open_set(tiny_deepseek4))
    facts = props["model"]
    assert (facts["architecture"], facts["n_params"], facts["size"], facts["n_vocab"]) == (
        "deepseek4",
        card.n_params,
        card.tensor_bytes,
        card.n_vocab,
    )
    assert props["fim"] is card.fim is True


async def test_a_text_is_continued(client: httpx.AsyncClient) -> None:
    # Long enough for a block of the layers that compress 128 positions into one.
    done = await answer(client, "/v1/completions", prompt="def add(a, b):\n" * 20, max_tokens=12)
    assert done["usage"]["prompt_tokens"] > 128
    assert done["usage"]["completion_tokens"] == 12
    assert done["choices"][0]["text"]


async def test_a_hole_is_filled(client: httpx.AsyncClient) -> None:
    done = await answer(client, "/infill", input_prefix="def add(a, b):\n    return ", input_suffix="\n", n_predict=8)
    assert done["tokens_predicted"] >= 1


async def test_the_same_prompt_gives_the_same_text(client: httpx.AsyncClient) -> None:
    first, again = [await answer(client, "/v1/completions", prompt="import os\n", max_tokens=8) for _ in range(2)]
    assert first["choices"][0]["text"] == again["choices"][0]["text"]


async def test_a_client_that_leaves_a_long_prompt_does_no_harm(client: httpx.AsyncClient) -> None:
    """Its steps are not broken off, since this memory would not recover."""
    prompt = "def add(a, b):\n    return a + b\n" * 40
    before = await answer(client, "/v1/completions", prompt=prompt, max_tokens=8)

    for _ in range(3):
        async with client.stream("POST", "/v1/completions", json={"prompt": "x" + prompt, "stream": True}) as response:
            assert response.status_code == 200
    after = await answer(client, "/v1/completions", prompt=prompt, max_tokens=8)

    assert after["usage"]["prompt_tokens"] > 512
    assert after["choices"][0]["text"] == before["choices"][0]["text"]


@pytest.mark.parametrize("number", [1, 2])
def test_it_is_found_from_either_shard(tiny_deepseek4: Path, tmp_path: Path, number: int) -> None:
    store = ModelStore(tmp_path, Catalog.load(), [])
    member = tiny_deepseek4.with_name(f"tiny-deepseek4-0000{number}-of-00002.gguf")
    found = store.locate(parse_ref(str(member), store.catalog))
    assert found.path == tiny_deepseek4
    assert found.ref_id == str(tiny_deepseek4)


def test_its_card_tells_what_the_metadata_say(tiny_deepseek4: Path) -> None:
    card = model_card(open_set(tiny_deepseek4))
    assert (card.expert_used_count, card.expert_count, card.expert_shared_count) == (2, 8, 1)
    assert card.kv_heads == (1,) * 4
    assert (card.key_length, card.value_length) == (128, 128)
    assert card.n_active_params < card.n_params
    assert {group.name for group in card.groups} >= {"experts", "shared experts", "attention"}
