from __future__ import annotations

import json

import pytest

from lsp_server.engine.generation import Finished, StopReason, Timings
from lsp_server.engine.http.responses import InfillShape, OpenAIShape, timings

COSTS = Timings(
    prompt_tokens=100,
    reused_tokens=60,
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
        "prompt_per_second": 200.0,
        "predicted_n": 20,
        "predicted_ms": 1000.0,
        "predicted_per_second": 20.0,
        "ttft_ms": 210.0,
        "total_ms": 1300.0,
    }


def test_timings_of_nothing_divide_by_nothing() -> None:
    assert set(timings(Timings()).values()) == {0}


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
    answer = InfillShape("small").whole("text", finished(reason, "\n\n"))

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
    shape = InfillShape("small")

    assert shape.piece("te") == {"content": "te", "stop": False}
    assert shape.last(finished()) == shape.whole("", finished())
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
    piece, last = shape.piece("te"), shape.last(finished())

    assert piece["object"] == last["object"] == "chat.completion.chunk"
    assert piece["id"] == last["id"]
    assert piece["choices"][0]["delta"] == {"content": "te"}
    assert piece["choices"][0]["finish_reason"] is None
    assert "usage" not in piece
    assert last["choices"][0] == {"index": 0, "logprobs": None, "delta": {}, "finish_reason": "stop"}
    assert last["usage"]["total_tokens"] == 120
    assert shape.done_marker


def test_text_whole_and_streamed() -> None:
    shape = OpenAIShape("small", chat=False)
    answers = [shape.piece("te"), shape.last(finished()), shape.whole("text", finished())]

    assert [answer["object"] for answer in answers] == ["text_completion"] * 3
    assert [answer["choices"][0]["text"] for answer in answers] == ["te", "", "text"]
    assert [answer["choices"][0]["finish_reason"] for answer in answers] == [None, "stop", "stop"]


@pytest.mark.parametrize("shape", [InfillShape("m"), OpenAIShape("m", chat=True), OpenAIShape("m", chat=False)])
def test_every_answer_is_json(shape: InfillShape | OpenAIShape) -> None:
    for answer in (shape.piece("€"), shape.last(finished()), shape.whole("€", finished())):
        assert json.loads(json.dumps(answer)) == answer
