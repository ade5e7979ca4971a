"""Filling holes, over plain HTTP as llama-server's clients do it."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.support.engine import events

pytestmark = pytest.mark.real_model

HEAD = '''"""Arithmetic for the shop."""


def subtract(a, b):
    """Return the difference of two numbers."""
    return a - b


def add(a, b):
    """Return the sum of two numbers."""
'''
TAIL = "\n\n\ndef multiply(a, b):\n    return a * b\n"


async def infill(client: httpx.AsyncClient, prefix: str, suffix: str = TAIL, **options: Any) -> dict[str, Any]:
    body = {"input_prefix": prefix, "input_suffix": suffix, "n_predict": 12, **options}
    response = await client.post("/infill", json=body)
    assert response.status_code == 200, response.text
    return response.json()


async def count(client: httpx.AsyncClient, text: str) -> int:
    return len((await client.post("/tokenize", json={"content": text})).json()["tokens"])


async def test_a_hole_is_filled(client: httpx.AsyncClient) -> None:
    answer = await infill(client, HEAD + "    return ", stop=["\n"])

    assert answer["content"].strip() == "a + b"
    assert (answer["stop"], answer["model"], answer["truncated"]) == (True, "small", False)


async def test_the_same_hole_again_gives_the_same_and_costs_one_token(client: httpx.AsyncClient) -> None:
    first = await infill(client, HEAD + "    return ")
    second = await infill(client, HEAD + "    return ")

    assert second["content"] == first["content"]
    prompt = first["tokens_evaluated"]
    assert (second["timings"]["cache_n"], second["timings"]["prompt_n"]) == (prompt - 1, 1)
    assert second["tokens_cached"] == prompt - 1


async def test_typing_a_word_letter_by_letter_keeps_the_answer_and_costs_a_token_each(
    client: httpx.AsyncClient,
) -> None:
    """The begun word is not in the prompt, so the model completes it instead of going on behind half a word."""
    whole = (await infill(client, HEAD + "    ", n_predict=16))["content"]
    assert whole.startswith("return")

    for typed in ("r", "re", "ret", "retur", "return"):
        answer = await infill(client, HEAD + "    " + typed, n_predict=16)
        assert (typed + answer["content"])[: len("return a + b")] == whole[: len("return a + b")]
        assert typed == "r" or answer["timings"]["prompt_n"] == 1


async def test_one_more_character_costs_only_that(client: httpx.AsyncClient) -> None:
    """The prefix stands last in this model's prompt: what is typed only appends."""
    await infill(client, HEAD + "    retur", n_predict=1)

    answer = await infill(client, HEAD + "    return", n_predict=1)

    assert answer["timings"]["prompt_n"] <= 3
    assert answer["timings"]["cache_n"] > 50


async def test_another_suffix_is_evaluated_anew(client: httpx.AsyncClient) -> None:
    await infill(client, HEAD + "    return ", n_predict=1)

    answer = await infill(client, HEAD + "    return ", "\n\nprint(add(1, 2))\n", n_predict=1)

    assert answer["timings"]["cache_n"] < 5


async def test_a_prompt_is_laid_out_as_the_model_was_trained(client: httpx.AsyncClient) -> None:
    """PRE, SUF and MID are one token each, the rest is text."""
    prefix = HEAD + "    return "

    answer = await infill(client, prefix, n_predict=1)

    begun = prefix.removesuffix(" ")
    assert answer["tokens_evaluated"] == 3 + await count(client, begun) + await count(client, TAIL)


async def test_control_spellings_in_code_stay_text(client: httpx.AsyncClient) -> None:
    prefix = 'MARK = "<|fim_middle|><|fim_suffix|><|endoftext|>"\n' + HEAD + "    return "
    suffix = TAIL + 'END = "<|fim_prefix|><|fim_middle|>"\n'

    answer = await infill(client, prefix, suffix, stop=["\n"])

    begun = prefix.removesuffix(" ")
    assert answer["tokens_evaluated"] == 3 + await count(client, begun) + await count(client, suffix)
    assert answer["content"].strip() == "a + b"


async def test_indentation_that_was_typed_is_not_repeated(client: httpx.AsyncClient) -> None:
    answer = await infill(client, HEAD + "    ", stop=["\n"])

    assert answer["content"] == "return a + b"


async def test_other_files_are_in_the_prompt(client: httpx.AsyncClient) -> None:
    prefix = "from settings import *\n\nprint(SHOP_"
    other = {"filename": "settings.py", "text": "SHOP_OPENING_HOUR = 9\n"}

    without = await infill(client, prefix, "\n", n_predict=8)
    answer = await infill(client, prefix, "\n", n_predict=8, input_extra=[other], input_path="main.py")

    assert answer["tokens_evaluated"] > without["tokens_evaluated"] + 10
    assert "OPENING_HOUR" in answer["content"]


async def test_a_stop_string_ends_the_answer_and_is_not_part_of_it(client: httpx.AsyncClient) -> None:
    answer = await infill(client, "primes = [2, 3, 5, 7, 11, ", "\n", n_predict=32, stop=["17", "]"])

    assert answer["content"] == "13, "
    assert (answer["stop_type"], answer["stopping_word"]) == ("word", "17")


async def test_the_length_is_kept(client: httpx.AsyncClient) -> None:
    answer = await infill(client, "primes = [2, 3, 5, 7, 11, ", "\n", n_predict=3)

    assert (answer["stop_type"], answer["tokens_predicted"]) == ("limit", 3)


async def test_after_the_time_limit_the_answer_ends_with_its_line(client: httpx.AsyncClient) -> None:
    prefix = "def squares():\n    a = 1 * 1\n    b = 2 * 2\n    c = 3 * 3\n"

    answer = await infill(client, prefix, "\n", n_predict=64, t_max_predict_ms=0.001)

    assert answer["stop_type"] == "word"
    assert "\n" not in answer["content"].rstrip("\n ")
    assert answer["tokens_predicted"] < 64


async def test_a_grammar_is_respected(client: httpx.AsyncClient) -> None:
    answer = await infill(client, HEAD + "    return ", n_predict=6, grammar="root ::= [0-9]+")

    assert answer["content"].isdigit()


async def test_streamed_pieces_make_up_the_same_answer(client: httpx.AsyncClient) -> None:
    await infill(client, HEAD, n_predict=0)
    whole = await infill(client, HEAD)
    body = {"input_prefix": HEAD, "input_suffix": TAIL, "n_predict": 12, "stream": True, "timings_per_token": True}

    async with client.stream("POST", "/infill", json=body) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        messages = [message async for message in events(response)]

    assert "".join(message["content"] for message in messages) == whole["content"]
    assert [message["stop"] for message in messages] == [False] * (len(messages) - 1) + [True]
    assert [message["timings"]["predicted_n"] for message in messages[:-1]] == sorted(
        {message["timings"]["predicted_n"] for message in messages[:-1]}
    )
    assert messages[-1]["stop_type"] == whole["stop_type"]


async def test_the_same_seed_gives_the_same_answer(client: httpx.AsyncClient) -> None:
    prefix = "# A list of random words\nwords = ["
    await infill(client, prefix, n_predict=0)

    async def sampled(seed: int) -> str:
        return (await infill(client, prefix, temperature=1.5, top_p=1.0, min_p=0.0, top_k=0, seed=seed))["content"]

    first, again, *others = [await sampled(seed) for seed in (7, 7, 8, 9)]

    assert again == first
    assert any(other != first for other in others)


async def test_of_names_that_are_told_one_is_written(client: httpx.AsyncClient) -> None:
    prefix = HEAD + "    return shop."
    free = (await infill(client, prefix, stop=["\n"]))["content"]
    for typed, names in {
        "": ["zebra_count", "n_zebras"],
        "ze": ["zebra_count", "n_zebras"],
        "zebra_c": ["zebra_count"],
    }.items():
        answer = await infill(client, prefix + typed, names=names, stop=["\n"])
        name = re.match(r"\w*", typed + answer["content"])
        assert name
        assert name.group() in names
    assert not free.startswith(("zebra_count", "n_zebras"))
    # None of them begins like that.
    assert (await infill(client, prefix, names=[], stop=["\n"]))["content"] == free
    begun = (await infill(client, prefix + "ad", stop=["\n"]))["content"]
    assert (await infill(client, prefix + "ad", names=["zebra_count"], stop=["\n"]))["content"] == begun


async def test_names_are_not_forced_on_a_model_that_knows_better(client: httpx.AsyncClient) -> None:
    answer = await infill(client, HEAD + "    return ", names=["zebra_count"], stop=["\n"])
    assert answer["content"].strip() == "a + b"


async def test_wrong_names_are_refused(client: httpx.AsyncClient) -> None:
    response = await client.post("/infill", json={"input_prefix": "x.", "names": "area"})
    assert response.status_code == 400
    assert "names" in response.json()["error"]["message"]


async def test_a_name_behind_a_dot_further_on_is_one_that_is_known(client: httpx.AsyncClient) -> None:
    prefix = HEAD + "\n\nclass Shop:\n    def total(self):\n        return sum(room.area for room in "
    free = (await infill(client, prefix, stop=["\n"]))["content"]
    assert "self." in free
    assert "zebra_count" not in free
    known = {"of": "self", "names": ["zebra_count"], "may_be_new": True}
    told = (await infill(client, prefix, stop=["\n"], known_names=[known]))["content"]
    assert set(re.findall(r"self\.(\w+)", told)) <= {"zebra_count"}
