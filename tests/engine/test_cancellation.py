"""Who goes away, or asks for something newer, does not keep the engine busy.

The generations that are given up here would run for minutes; a test that still had to wait for one would lose its
patience (the client's timeout).
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, collect
from lsp_server.inference.http import HttpBackend
from tests.support.engine import RunningEngine, events

pytestmark = pytest.mark.real_model

# A grammar that never ends, so that no model can end it early.
ENDLESS: dict[str, Any] = {"n_predict": 1900, "max_tokens": 1900, "grammar": "root ::= [a-z ] root"}
HOLE = {"input_prefix": "def add(a, b):\n    return ", "input_suffix": "\n"}
CONVERSATION = {"messages": [{"role": "user", "content": "Hi"}]}
REQUESTS = [
    pytest.param("/infill", HOLE, id="infill"),
    pytest.param("/v1/chat/completions", CONVERSATION, id="chat"),
]


@pytest.mark.parametrize(("path", "body"), REQUESTS)
async def test_a_client_that_leaves_a_stream_ends_it(
    client: httpx.AsyncClient, path: str, body: dict[str, Any]
) -> None:
    async with client.stream("POST", path, json={**body, **ENDLESS, "stream": True}) as response:
        await anext(events(response))

    after = await client.post(path, json={**body, "n_predict": 1, "max_tokens": 1})

    assert after.status_code == 200


@pytest.mark.parametrize(("path", "body"), REQUESTS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_a_client_that_leaves_before_the_answer_ends_it(
    client: httpx.AsyncClient, engine: RunningEngine, path: str, body: dict[str, Any], stream: bool
) -> None:
    await leave_at_once(client, engine, path, {**body, **ENDLESS, "stream": stream})

    after = await client.post(path, json={**body, "n_predict": 1, "max_tokens": 1})

    assert after.status_code == 200


async def test_a_newer_request_of_the_same_document_ends_the_older(client: httpx.AsyncClient) -> None:
    body = {**HOLE, **ENDLESS, "stream": True, "document": "a.py"}
    async with client.stream("POST", "/infill", json=body) as response:
        messages = events(response)
        await anext(messages)

        newer = await client.post("/infill", json={**HOLE, "n_predict": 1, "document": "a.py"})
        rest = [message async for message in messages]

    assert newer.json()["stop_type"] == "limit"
    assert rest[-1]["stop_type"] == "none"


async def test_an_urgent_request_does_not_wait_for_a_conversation(client: httpx.AsyncClient) -> None:
    body = {**CONVERSATION, **ENDLESS, "stream": True}
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        messages = events(response)
        await anext(messages)

        filled = await client.post("/infill", json={**HOLE, "n_predict": 2})
        going_on = await anext(messages)

    assert filled.json()["tokens_predicted"] == 2
    assert going_on["choices"][0]["finish_reason"] is None


async def leave_at_once(client: httpx.AsyncClient, engine: RunningEngine, path: str, body: dict[str, Any]) -> None:
    """Send a request and close the connection."""
    request = client.build_request("POST", path, json=body)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    address = urlsplit(engine.record.url)
    _, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + request.content)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def test_after_a_cancelled_request_the_cache_is_sound(client: httpx.AsyncClient) -> None:
    body = {**HOLE, "n_predict": 8}
    expected = (await client.post("/infill", json=body)).json()["content"]
    async with client.stream("POST", "/infill", json={**HOLE, **ENDLESS, "stream": True}) as response:
        await anext(events(response))

    assert (await client.post("/infill", json=body)).json()["content"] == expected


async def completion(client: httpx.AsyncClient, prompt: str) -> tuple[str, dict[str, Any]]:
    """What a prompt is continued with, and what that cost."""
    response = await client.post("/v1/completions", json={"prompt": prompt, "max_tokens": 16})
    assert response.status_code == 200, response.text
    return response.json()["choices"][0]["text"], response.json()["timings"]


async def test_what_was_there_before_a_cancelled_prompt_is_there_afterwards(
    client: httpx.AsyncClient, engine: RunningEngine
) -> None:
    """How far the cancelled prompt came depends on the machine; that a step can be broken off is proved elsewhere."""
    start = "".join(f"    total_{i} = first_{i} + second_{i}\n" for i in range(20))
    question = start + "    total_20 = "
    long = start + "".join(f"    {i}: 'word number {i}',\n" for i in range(70))
    n_start, n_long = [len(await tokens(client, text)) for text in (start, long)]
    assert n_start > 200
    assert 700 < n_long < engine.spec.n_ctx - 16
    await completion(client, "Something else.")
    expected, alone = await completion(client, question)
    assert alone["cache_n"] < 8

    await leave_at_once(client, engine, "/v1/completions", {"prompt": long, "max_tokens": 16})
    found, after = await completion(client, question)

    assert found == expected
    # All that both prompts begin with, but for a token at the seam.
    assert after["cache_n"] >= n_start - 2


async def test_a_cancelled_prompt_is_taken_up_where_it_was_left(
    client: httpx.AsyncClient, engine: RunningEngine
) -> None:
    prompt = "".join(f"{i}: a line of a long list, number {i}.\n" for i in range(60))
    n_prompt = len(await tokens(client, prompt))
    assert 600 < n_prompt < engine.spec.n_ctx - 16
    await completion(client, "Something else.")
    expected, _ = await completion(client, prompt)
    await completion(client, "Something else.")

    await leave_at_once(client, engine, "/v1/completions", {"prompt": prompt, "max_tokens": 16})
    found, after = await completion(client, prompt)

    assert found == expected
    assert after["cache_n"] + after["prompt_n"] == n_prompt
    # Steps are done or not done; nothing of one that was broken off counts.
    assert after["cache_n"] in {n_prompt - 1, *range(0, n_prompt, 64)}


async def tokens(client: httpx.AsyncClient, text: str) -> list[int]:
    return (await client.post("/tokenize", json={"content": text})).json()["tokens"]


@pytest.mark.parametrize("kind", ["infill", "chat"])
async def test_our_own_client_ends_what_it_closes(engine: RunningEngine, kind: str) -> None:
    backend = HttpBackend(engine.record.url, engine.record.token)
    conversation = ChatRequest((Message("user", "Count to a thousand."),), 1900, grammar=ENDLESS["grammar"])
    # Holes take no grammar from this client; a list of numbers goes on by itself.
    hole = InfillRequest("numbers = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ", "\n", 1900)

    answer = backend.infill(hole) if kind == "infill" else backend.chat(conversation)
    await anext(answer)
    await answer.aclose()  # type: ignore[attr-defined]

    after = collect(
        backend.infill(InfillRequest("a = ", "\n", 1))
        if kind == "infill"
        else backend.chat(ChatRequest((Message("user", "Hi"),), 1))
    )
    assert (await asyncio.wait_for(after, 30)).timings.predicted_tokens == 1
    await backend.aclose()
