"""What requests cost a real engine, told by itself: tokens evaluated, reused, guessed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lsp_server.engine import scheduler
from tests.support.engine import RunningEngine, events

SOURCE = Path(scheduler.__file__).read_text("utf-8")
CURSOR = SOURCE.index("        self._thread.join(timeout=10)")


async def fill(client: httpx.AsyncClient, prefix: str, suffix: str, document: str = "", **fields: Any) -> Any:
    body = {"input_prefix": prefix, "input_suffix": suffix, "n_predict": 4, "document": document, **fields}
    response = await client.post("/infill", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def cost(client: httpx.AsyncClient, prefix: str, suffix: str, document: str = "", **fields: Any) -> int:
    """Prompt tokens evaluated."""
    return int((await fill(client, prefix, suffix, document, **fields))["timings"]["prompt_n"])


@pytest.mark.real_model
async def test_a_keystroke_costs_what_was_typed(client: httpx.AsyncClient) -> None:
    head, tail = SOURCE[CURSOR - 2000 : CURSOR], SOURCE[CURSOR + 40 : CURSOR + 1000]
    cold = await cost(client, head, tail, "keys")
    typed = "        self._steps = list(reversed(order))\n        return self._steps[0]\n"

    costs = [await cost(client, head + typed[:n], tail, "keys") for n in range(1, len(typed) + 1)]

    assert cold > 300
    assert sorted(costs)[len(costs) // 2] <= 2
    assert max(costs) <= 12


@pytest.mark.real_model
async def test_brackets_that_an_editor_closes_cost_no_new_prompt(client: httpx.AsyncClient) -> None:
    head, tail = SOURCE[CURSOR - 2000 : CURSOR], "\n" + SOURCE[CURSOR + 40 : CURSOR + 1000]
    await cost(client, head + "        call", tail, "pairs")

    opened = await cost(client, head + "        call(", ")" + tail, "pairs")
    written = await cost(client, head + "        call(x, {", "})" + tail, "pairs")
    typed_over = await cost(client, head + "        call(x, {})", tail, "pairs")

    assert max(opened, written, typed_over) <= 8


@pytest.mark.real_model
async def test_places_in_a_file_do_not_throw_each_other_out(client: httpx.AsyncClient) -> None:
    places = [(SOURCE[at - 1500 : at], SOURCE[at : at + 600]) for at in (2000, 5000, 8000)]
    for prefix, suffix in places:
        assert await cost(client, prefix, suffix, "places") > 100

    assert [await cost(client, prefix, suffix, "places") for prefix, suffix in places] == [1, 1, 1]


@pytest.mark.real_model
async def test_what_was_read_ahead_is_there(client: httpx.AsyncClient) -> None:
    prefix, suffix = SOURCE[3000:4500], SOURCE[4500:5200]
    ahead = await fill(client, prefix, suffix, "ahead", n_predict=0, priority="background")
    assert (ahead["content"], ahead["tokens_predicted"]) == ("", 0)
    assert ahead["timings"]["prompt_n"] > 100

    assert await cost(client, prefix + "\n    x = ", suffix, "ahead") <= 8


@pytest.mark.real_model
async def test_other_files_are_evaluated_once_for_several_places(client: httpx.AsyncClient) -> None:
    extra = [{"filename": "context.py", "text": SOURCE[:3500]}]
    hole = {"input_extra": extra}
    first = await cost(client, SOURCE[6000:6600], SOURCE[6600:6900], "one", **hole)
    second = await cost(client, SOURCE[7000:7600], SOURCE[7600:7900], "one", **hole)

    assert first > 700
    assert second < 400
    # And the first place still stands where it was.
    assert await cost(client, SOURCE[6000:6600], SOURCE[6600:6900], "one", **hole) == 1


EDIT = (
    "Rename the parameter `job` to `task` in this function. Answer with the whole function only.\n"
    "```python\n" + SOURCE[SOURCE.index("    def submit(") : SOURCE.index("    def _notify(")] + "```"
)


async def edit(client: httpx.AsyncClient, **fields: Any) -> tuple[str, Any]:
    body = {"messages": [{"role": "user", "content": EDIT}], "max_tokens": 200, **fields}
    answer = (await client.post("/v1/chat/completions", json=body)).json()
    return answer["choices"][0]["message"]["content"], answer["timings"]


@pytest.mark.real_model
async def test_an_edit_is_guessed_ahead_and_comes_out_the_same(client: httpx.AsyncClient) -> None:
    plain, alone = await edit(client, **{"speculative.n_max": 0})
    guessed, timings = await edit(client)

    assert "draft_n" not in alone
    assert timings["draft_n_accepted"] > 40
    assert timings["draft_n_accepted"] > 0.5 * timings["draft_n"]
    # Steps of other sizes round differently, and a tie may fall otherwise: nearly all of it is the same.
    same = sum(a == b for a, b in zip(plain.split(), guessed.split(), strict=False))
    assert same >= 0.9 * len(plain.split())


@pytest.mark.real_model
async def test_a_long_action_is_interrupted_and_loses_nothing(client: httpx.AsyncClient) -> None:
    undisturbed, _ = await edit(client)
    body = {"messages": [{"role": "user", "content": EDIT}], "max_tokens": 200, "stream": True}
    text = ""
    last: Any = None
    async with client.stream("POST", "/v1/chat/completions", json=body) as response:
        async for message in events(response):
            if message == "[DONE]":
                break
            text += message["choices"][0].get("delta", {}).get("content") or ""
            last = message
            if len(text) % 5 == 0:
                await fill(client, "def add(a, b):\n    return ", "\n", "between", n_predict=1)

    assert text == undisturbed
    assert last["timings"]["prompt_n"] == 1


@pytest.mark.real_model
async def test_two_windows_write_at_the_same_time(client: httpx.AsyncClient) -> None:
    holes = [(SOURCE[at - 800 : at], SOURCE[at : at + 300]) for at in (3000, 7000)]
    alone = [await fill(client, *hole, f"w{i}", n_predict=1, ignore_eos=True) for i, hole in enumerate(holes)]
    both = await asyncio.gather(
        *(fill(client, *hole, f"w{i}", n_predict=32, ignore_eos=True) for i, hole in enumerate(holes))
    )

    assert [answer["tokens_predicted"] for answer in both] == [32, 32]
    for one, other in zip(alone, both, strict=True):
        # The first token, which is read off the prompt: two in a step are rounded otherwise.
        assert other["content"].startswith(one["content"])


@pytest.mark.real_model
async def test_the_engine_counts_and_shows_its_sequences(client: httpx.AsyncClient) -> None:
    before = await counted(client)
    await fill(client, "def add(a, b):\n    return ", "\n", "counted", n_predict=3, ignore_eos=True)
    after = await counted(client)

    assert after["llamacpp:tokens_predicted_total"] - before["llamacpp:tokens_predicted_total"] == 3
    ended = 'shardlight:requests_total{lane="completion",reason="length"}'
    assert after[ended] - before.get(ended, 0) == 1
    slots = (await client.get("/slots")).json()
    assert {slot["lane"] for slot in slots} >= {"completion"}
    assert not any(slot["is_processing"] for slot in slots)
    assert max(slot["n_prompt_tokens_cache"] for slot in slots) > 10


async def counted(client: httpx.AsyncClient) -> dict[str, float]:
    response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    rows = re.findall(r"^([^# ].*) (\S+)$", response.text, re.MULTILINE)
    return {name: float(value) for name, value in rows}


@pytest.fixture
async def tiny(tiny_engine: RunningEngine) -> AsyncIterator[httpx.AsyncClient]:
    async with tiny_engine.client() as client:
        yield client


async def test_on_deepseek_v4_a_keystroke_costs_the_suffix_and_what_was_typed(tiny: httpx.AsyncClient) -> None:
    head, tail = SOURCE[CURSOR - 700 : CURSOR], SOURCE[CURSOR + 40 : CURSOR + 140]
    cold = await cost(tiny, head, tail, "keys")
    typed = "        self._steps = list(order)\n        return [1, 2, 3]\n"
    n_suffix = len((await tiny.post("/tokenize", json={"content": tail})).json()["tokens"])

    costs = [await cost(tiny, head + typed[:n], tail, "keys") for n in range(1, len(typed) + 1)]

    assert cold > 300
    assert n_suffix > 50
    assert sorted(costs)[len(costs) // 2] <= n_suffix + 8
    assert max(costs) <= n_suffix + 40


async def test_on_deepseek_v4_a_correction_goes_back_a_little_way(tiny: httpx.AsyncClient) -> None:
    head, tail = SOURCE[CURSOR - 700 : CURSOR], SOURCE[CURSOR + 40 : CURSOR + 140]
    for n in range(20):
        whole = await cost(tiny, head + "x = first + second + "[:n], tail, "back")
    assert whole < 200

    back = await cost(tiny, head + "x = first", tail, "back")

    assert back < 200
