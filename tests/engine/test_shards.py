"""A real model in several files is the same model."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from lsp_server.inference import launcher
from lsp_server.models.card import model_card
from lsp_server.models.catalog import Catalog
from lsp_server.models.gguf.shard_set import open_set
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import ModelStore
from tests.support.engine import RunningEngine, engine_spec, launch, shut_down
from tests.support.gguf_split import split_gguf

pytestmark = pytest.mark.real_model

HOLE = {"input_prefix": "def greatest(numbers):\n    ", "input_suffix": "\n", "n_predict": 24}


@pytest.fixture(scope="module")
def shards(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """The small model in three files."""
    folder = tmp_path_factory.mktemp("shards")
    yield split_gguf(small_model, folder, 3)
    shutil.rmtree(folder)


@pytest.fixture(scope="module", params=[0, 2], ids=["first", "third"])
def split_engine(shards: list[Path], request: pytest.FixtureRequest) -> Iterator[RunningEngine]:
    """An engine that was started with the name of the first file, or of the third."""
    spawn = launcher._spawn
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launcher, "_spawn", lambda spec: spawn(replace(spec, model_path=shards[request.param])))
        running = asyncio.run(launch(engine_spec(shards[0])))
    yield running
    asyncio.run(shut_down(running))


async def answer(engine: RunningEngine, path: str, **body: Any) -> dict[str, Any]:
    async with engine.client() as client:
        response: httpx.Response = await client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def test_the_answer_is_that_of_the_single_file(split_engine: RunningEngine, engine: RunningEngine) -> None:
    whole, split = [await answer(running, "/infill", **HOLE) for running in (engine, split_engine)]
    assert split["content"] == whole["content"]
    assert split["tokens_predicted"] == whole["tokens_predicted"]

    chat = {"messages": [{"role": "user", "content": "Name three colours."}], "max_tokens": 16}
    whole, split = [await answer(running, "/v1/chat/completions", **chat) for running in (engine, split_engine)]
    assert split["choices"] == whole["choices"]


async def test_so_is_what_it_takes(
    split_engine: RunningEngine, engine: RunningEngine, shards: list[Path], small_model: Path
) -> None:
    async with split_engine.client() as client:
        split = (await client.get("/props")).json()
    async with engine.client() as client:
        whole = (await client.get("/props")).json()
    assert split["model_path"] == str(shards[0])
    assert split["model"] == whole["model"]
    planned, measured = split["plan"]["devices"][0], split["plan"]["measured"]
    assert measured["weights"] == pytest.approx(planned["weights_bytes"], rel=0.02)
    assert measured["kv"] == whole["plan"]["measured"]["kv"]


@pytest.mark.parametrize("number", [0, 1, 2])
def test_any_of_its_files_leads_to_the_first(shards: list[Path], tmp_path: Path, number: int) -> None:
    store = ModelStore(tmp_path, Catalog.load(), [])
    assert store.locate(parse_ref(str(shards[number]), store.catalog)).path == shards[0]


def test_its_card_is_that_of_the_single_file(shards: list[Path], small_model: Path) -> None:
    whole, split = model_card(open_set(small_model)), model_card(open_set(shards[1]))
    assert (split.n_shards, whole.n_shards) == (3, 1)
    assert replace(split, n_shards=1, file_bytes=whole.file_bytes, name=whole.name) == whole
