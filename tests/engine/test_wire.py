"""What any program sees of an engine that does not ask it to generate."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lsp_server.engine import runtime
from tests.support.engine import RunningEngine

pytestmark = pytest.mark.real_model


async def test_health_needs_no_token(engine: RunningEngine) -> None:
    async with engine.client(authorized=False) as client:
        response = await client.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/props", "/v1/models"])
async def test_everything_else_does(engine: RunningEngine, path: str) -> None:
    async with engine.client(authorized=False) as client:
        assert (await client.get(path)).status_code == 401
        assert (await client.get(path, headers={"Authorization": "Bearer x"})).status_code == 401


async def test_a_foreign_host_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/health", headers={"Host": "evil.example"})).status_code == 400


async def test_props_describe_the_model(client: httpx.AsyncClient, engine: RunningEngine, small_model: Path) -> None:
    props = (await client.get("/props")).json()

    assert props["model_alias"] == "small"
    assert props["model_path"] == str(small_model)
    assert props["default_generation_settings"]["n_ctx"] == engine.spec.n_ctx
    assert props["fim"] is True
    assert "<|im_start|>" in props["chat_template"]
    plan = props["plan"]
    assert plan["settings"]["n_threads"] >= 1
    assert plan["exact"] is True
    assert plan["steps"] == []
    planned = {
        kind: sum(device[f"{kind}_bytes"] for device in plan["devices"]) for kind in ("weights", "kv", "compute")
    }
    # The plan counts both contexts, the assistant's is not made before it is used.
    assert plan["measured"]["weights"] == pytest.approx(planned["weights"], rel=0.001)
    assert 2 * plan["measured"]["kv"] == planned["kv"]
    assert 2 * plan["measured"]["compute"] == pytest.approx(planned["compute"], rel=0.001)
    assert props["model"]["architecture"] == "qwen2"
    assert props["model"]["n_params"] > 400_000_000
    assert props["model"]["size"] > 300_000_000


async def test_models_lists_the_one(client: httpx.AsyncClient) -> None:
    (entry,) = (await client.get("/v1/models")).json()["data"]

    assert (entry["id"], entry["object"], entry["meta"]["architecture"]) == ("small", "model", "qwen2")


async def tokenize(client: httpx.AsyncClient, **body: Any) -> list[int]:
    response = await client.post("/tokenize", json=body)
    assert response.status_code == 200
    return response.json()["tokens"]


async def test_a_control_token_is_one_only_where_that_is_asked_for(client: httpx.AsyncClient) -> None:
    as_text = await tokenize(client, content="<|fim_middle|>")
    as_token = await tokenize(client, content="<|fim_middle|>", parse_special=True)

    assert len(as_token) == 1
    assert len(as_text) > 1
    assert as_token[0] not in as_text


@pytest.mark.parametrize("text", ["", "x", "a\x00b", "naïve 🦀", "\ud800", "\n\n    \t", "lorem ipsum " * 200])
async def test_any_text_can_be_tokenized(client: httpx.AsyncClient, text: str) -> None:
    response = await client.post("/tokenize", content=b'{"content": ' + _json(text) + b"}")

    assert response.status_code == 200
    assert bool(response.json()["tokens"]) is bool(text)


def _json(text: str) -> bytes:
    """JSON in ASCII: half a surrogate pair can only be sent escaped."""
    return json.dumps(text).encode("ascii")


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/tokenize", {"content": 3}, "content"),
        ("/infill", {"input_prefix": 3}, "input_prefix"),
        ("/infill", {"n_predict": "many"}, "n_predict"),
        ("/infill", {"input_extra": [{"text": 3}]}, "text"),
        ("/v1/completions", {"prompt": ["a", "b"]}, "prompt"),
        ("/v1/completions", {"prompt": "a", "stream": "yes"}, "stream"),
        ("/v1/chat/completions", {"messages": "Hi"}, "messages"),
        ("/v1/chat/completions", {"messages": []}, "messages"),
        ("/v1/chat/completions", {"messages": [{"role": "user"}]}, "messages[0].content"),
        ("/v1/chat/completions", {"messages": [{"content": "a"}], "grammar": "root ::= ["}, "grammar"),
        ("/v1/chat/completions", {"messages": [{"content": "a"}], "grammar": "root ::= [", "stream": True}, "grammar"),
    ],
)
async def test_a_wrong_field_is_answered_with_its_name(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], named: str
) -> None:
    response = await client.post(path, json=body)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert named in response.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/completions", "/v1/chat/completions"])
async def test_a_prompt_that_is_too_long_is_refused_with_both_sizes(
    client: httpx.AsyncClient, engine: RunningEngine, path: str, stream: bool
) -> None:
    text = "word " * (engine.spec.n_ctx + 100)
    size = len(await tokenize(client, content=text))

    response = await client.post(
        path, json={"prompt": text, "messages": [{"role": "user", "content": text}], "stream": stream}
    )

    message = response.json()["error"]["message"]
    assert response.status_code == 400
    assert f"context holds {engine.spec.n_ctx}" in message
    stated = int(message.split(" tokens")[0].split()[-1])
    assert stated >= size


async def test_an_empty_prompt_is_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/completions", json={"prompt": ""})

    assert response.status_code == 400
    assert "empty" in response.json()["error"]["message"]


@pytest.mark.skipif(sys.platform != "linux", reason="where a title can be set differs")
def test_the_process_list_says_what_it_is(engine: RunningEngine) -> None:
    title = " ".join(psutil.Process(engine.record.pid).cmdline())

    assert title.startswith("shardlight engine run --model small")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such permission bits")
def test_only_the_user_can_read_the_token(engine: RunningEngine) -> None:
    path = runtime.runtime_directory() / f"{engine.spec.name}.json"

    assert engine.record.token in path.read_text(encoding="utf-8")
    assert path.stat().st_mode & 0o077 == 0
