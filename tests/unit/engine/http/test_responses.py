from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from lsp_server.engine.generation_types import Finished, StopReason, Timings
from lsp_server.engine.http.responses import LlamaServerShape, OpenAIShape, timings
from lsp_server.engine.native.logprobs import TokenLogprob

COSTS = Timings(
    prompt_tokens=100,
    reused_tokens=60,
    evaluated_tokens=40,
    predicted_tokens=20,
    ttft_ms=210.0,
    total_ms=1300.0,
    prompt_ms=200.0,
    predicted_ms=1000.0,
)


def finished(reason: StopReason = StopReason.EOS, word: str = "") -> Finished:
    return Finished(reason, word, COSTS)


def test_timings_count_what_was_evaluated() -> None:
    assert timings(COSTS) == {
        "cache_n": 60,
        "prompt_n": 40,
        "prompt_ms": 200.0,
        "prompt_per_token_ms": 5.0,
        "prompt_per_second": 200.0,
        "predicted_n": 20,
        "predicted_ms": 1000.0,
        "predicted_per_token_ms": 50.0,
        "predicted_per_second": 20.0,
        "ttft_ms": 210.0,
        "total_ms": 1300.0,
    }


def test_timings_of_nothing_divide_by_nothing() -> None:
    assert set(timings(Timings()).values()) == {0}


def test_timings_with_a_draft() -> None:
    told = timings(replace(COSTS, draft_tokens=15, draft_accepted_tokens=12))

    assert told == {**timings(COSTS), "draft_n": 15, "draft_n_accepted": 12}


@pytest.mark.parametrize(
    ("reason", "stop_type"),
    [
        (StopReason.EOS, "eos"),
        (StopReason.STOP, "word"),
        (StopReason.LENGTH, "limit"),
        (StopReason.CANCELLED, "none"),
    ],
)
def test_infill_in_llama_servers_words(reason: StopReason, stop_type: str) -> None:
    answer = LlamaServerShape("small").whole("text", finished(reason, "\n\n"))

    assert answer == {
        "content": "text",
        "stop": True,
        "model": "small",
        "tokens_predicted": 20,
        "tokens_evaluated": 100,
        "tokens_cached": 60,
        "stop_type": stop_type,
        "stopping_word": "\n\n",
        "truncated": False,
        "timings": timings(COSTS),
    }


def test_infill_streamed() -> None:
    shape = LlamaServerShape("small")

    assert shape.piece("te") == {"content": "te", "stop": False}
    assert shape.last(finished()) == [shape.whole("", finished())]
    assert not shape.done_marker


@pytest.mark.parametrize(
    ("reason", "finish_reason"),
    [(StopReason.EOS, "stop"), (StopReason.STOP, "stop"), (StopReason.LENGTH, "length")],
)
def test_chat_whole(reason: StopReason, finish_reason: str) -> None:
    answer = OpenAIShape("small", chat=True).whole("text", finished(reason))

    assert answer["object"] == "chat.completion"
    assert answer["model"] == "small"
    assert answer["id"].startswith("chatcmpl-")
    assert answer["choices"] == [
        {
            "index": 0,
            "logprobs": None,
            "message": {"role": "assistant", "content": "text"},
            "finish_reason": finish_reason,
        }
    ]
    assert answer["usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 60},
    }


def test_chat_streamed() -> None:
    shape = OpenAIShape("small", chat=True)
    first, second, (last,) = shape.piece("te"), shape.piece("xt"), shape.last(finished())

    assert first["object"] == last["object"] == "chat.completion.chunk"
    assert first["id"] == last["id"]
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "te"}
    assert second["choices"][0]["delta"] == {"content": "xt"}
    assert first["choices"][0]["finish_reason"] is None
    assert last["choices"] == [{"index": 0, "logprobs": None, "delta": {}, "finish_reason": "stop"}]
    assert last["timings"] == timings(COSTS)
    assert not [message for message in (first, second, last) if "usage" in message]
    assert shape.done_marker


def test_a_chat_without_a_word_says_who_is_silent() -> None:
    (last,) = OpenAIShape("small", chat=True).last(finished())

    assert last["choices"][0]["delta"] == {"role": "assistant"}


@pytest.mark.parametrize("chat", [True, False])
def test_a_stream_tells_at_its_end_what_it_cost_if_that_is_asked_for(chat: bool) -> None:
    shape = OpenAIShape("small", chat=chat, include_usage=True)
    piece, (last, usage) = shape.piece("te"), shape.last(finished())

    assert piece["usage"] is last["usage"] is None
    assert usage["choices"] == []
    assert usage["usage"] == shape.whole("te", finished())["usage"]
    assert {piece["id"], last["id"]} == {usage["id"]}
    assert {piece["object"], last["object"]} == {usage["object"]}


def test_text_whole_and_streamed() -> None:
    shape = OpenAIShape("small", chat=False)
    answers = [shape.piece("te"), *shape.last(finished()), shape.whole("text", finished())]

    assert [answer["object"] for answer in answers] == ["text_completion"] * 3
    assert [answer["choices"][0]["text"] for answer in answers] == ["te", "", "text"]
    assert [answer["choices"][0]["finish_reason"] for answer in answers] == [None, "stop", "stop"]


def test_infill_with_the_fields_that_llama_vim_asks_for() -> None:
    fields = ["content", "timings/prompt_n", "timings/predicted_per_token_ms", "truncated", "no", "model/no", ""]
    shape = LlamaServerShape("small", fields)
    expected = {"content": "te", "timings/prompt_n": 40, "timings/predicted_per_token_ms": 50.0, "truncated": False}

    assert shape.whole("te", finished()) == expected
    assert shape.last(finished()) == [{**expected, "content": ""}]
    assert shape.piece("te") == {"content": "te", "stop": False}
    assert LlamaServerShape("small", [""]).whole("te", finished()) == {}


# The second and third are the halves of a character.
TOKENS = (
    TokenLogprob(5, b"ab", -0.5, ((5, b"ab", -0.5), (7, b"c", -1.5))),
    TokenLogprob(8, b"\xe2\x82", -0.25, ()),
    TokenLogprob(9, b"\xac", -math.inf, ((9, b"\xac", -math.inf),)),
    TokenLogprob(3, b"d", -1.0, ()),
)
ENTRIES = [
    {
        "id": 5,
        "token": "ab",
        "bytes": [97, 98],
        "logprob": -0.5,
        "top_logprobs": [
            {"id": 5, "token": "ab", "bytes": [97, 98], "logprob": -0.5},
            {"id": 7, "token": "c", "bytes": [99], "logprob": -1.5},
        ],
    },
    {"id": 8, "token": "\ufffd", "bytes": [0xE2, 0x82], "logprob": -0.25, "top_logprobs": []},
    {
        "id": 9,
        "token": "\ufffd",
        "bytes": [0xAC],
        "logprob": -9999.0,
        "top_logprobs": [{"id": 9, "token": "\ufffd", "bytes": [0xAC], "logprob": -9999.0}],
    },
    {"id": 3, "token": "d", "bytes": [100], "logprob": -1.0, "top_logprobs": []},
]


def test_probabilities_in_llama_servers_words() -> None:
    shape = LlamaServerShape("small")

    assert shape.whole("ab€d", finished(), TOKENS)["completion_probabilities"] == ENTRIES
    assert shape.piece("ab", TOKENS[:1])["completion_probabilities"] == ENTRIES[:1]


def test_probabilities_in_a_chat() -> None:
    shape = OpenAIShape("small", chat=True)

    assert shape.whole("ab€d", finished(), TOKENS)["choices"][0]["logprobs"] == {"content": ENTRIES}
    assert shape.piece("ab", TOKENS[:1])["choices"][0]["logprobs"] == {"content": ENTRIES[:1]}


def test_probabilities_of_a_text() -> None:
    expected = {
        "tokens": ["ab", "\ufffd", "\ufffd", "d"],
        "token_logprobs": [-0.5, -0.25, -9999.0, -1.0],
        "top_logprobs": [{"ab": -0.5, "c": -1.5}, {}, {"\ufffd": -9999.0}, {}],
        "text_offset": [0, 2, 2, 3],
    }

    assert OpenAIShape("small", chat=False).whole("ab€d", finished(), TOKENS)["choices"][0]["logprobs"] == expected

    streamed = OpenAIShape("small", chat=False)
    parts = [streamed.piece("", (token,))["choices"][0]["logprobs"] for token in TOKENS]
    assert {key: [value for part in parts for value in part[key]] for key in expected} == expected


def test_of_top_tokens_that_look_the_same_the_likelier_is_told() -> None:
    top = ((1, b"\xe2", -1.0), (2, b"\xe3", -2.0))
    answer = OpenAIShape("small", chat=False).piece("", (TokenLogprob(1, b"\xe2", -1.0, top),))

    assert answer["choices"][0]["logprobs"]["top_logprobs"] == [{"\ufffd": -1.0}]


def test_thoughts_are_told_apart_from_the_answer() -> None:
    shape = OpenAIShape("small", chat=True)
    message = {"role": "assistant", "content": "Yes.", "reasoning_content": "Well."}

    assert shape.whole("Yes.", finished(), thought="Well.\n")["choices"][0]["message"] == message
    first = shape.piece("", thought="Well.\n")["choices"][0]["delta"]
    assert first == {"role": "assistant", "reasoning_content": "Well.\n"}
    assert shape.piece("Yes", thought=".")["choices"][0]["delta"] == {"content": "Yes", "reasoning_content": "."}
    assert shape.piece("")["choices"][0]["delta"] == {"content": ""}


@pytest.mark.parametrize("shape", [LlamaServerShape("m"), OpenAIShape("m", chat=True), OpenAIShape("m", chat=False)])
def test_every_answer_is_json(shape: LlamaServerShape | OpenAIShape) -> None:
    for answer in (
        shape.piece("€", TOKENS, "hm"),
        *shape.last(finished()),
        shape.whole("€", finished(), TOKENS, "hm"),
    ):
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer
