from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest

from lsp_server.errors import BackendGoneError, BackendRejectedError, BackendStuckError, BackendUnavailableError
from lsp_server.inference import watchdog
from lsp_server.inference.backend import (
    ChatRequest,
    Chunk,
    InfillRequest,
    Message,
    Priority,
    StopReason,
    Timings,
    collect,
)
from lsp_server.inference.http import HttpBackend
from lsp_server.text.known_names import KnownNames
from lsp_server.text.snippet import Snippet
from tests.support.engine import PATIENCE_S

HOLE = InfillRequest("before", "after", 16)
QUESTION = ChatRequest((Message("user", "Hi"),), 16)
TIMINGS = {"cache_n": 60, "prompt_n": 40, "prompt_ms": 200.0, "predicted_n": 20, "predicted_ms": 1000.0}


class Wire(httpx.AsyncByteStream):
    """A response's body in pieces; it may break off with an error, and knows whether it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def aclose(self) -> None:
        self.closed = True


def event(message: object) -> bytes:
    return b"data: " + json.dumps(message).encode() + b"\n\n"


def delta(text: str | None, finish: str | None = None, **more: object) -> bytes:
    return event({"choices": [{"delta": {"content": text}, "finish_reason": finish}], **more})


Answer = Callable[[httpx.Request], httpx.Response]


def backend(answer: Answer) -> HttpBackend:
    return HttpBackend("http://127.0.0.1:8012", "secret", transport=httpx.MockTransport(answer))


def streaming(*pieces: bytes | Exception) -> HttpBackend:
    """A backend whose server answers everything with this body."""
    return backend(lambda _request: httpx.Response(200, stream=Wire(*pieces)))


async def chunks(answer: AsyncIterator[Chunk]) -> list[Chunk]:
    return [chunk async for chunk in answer]


async def test_infill_is_asked_in_llama_servers_words() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=event({"content": "", "stop": True, "stop_type": "eos"}))

    request = InfillRequest(
        "before",
        "after",
        16,
        path="a.py",
        repository="shop",
        extra=(Snippet("b.py", "B"),),
        stop=("\n\n",),
        document="file",
        time_limit_ms=500,
        temperature=0.8,
        seed=3,
        names=("area",),
        known_names=(KnownNames("self", ("area",), may_be_new=True),),
    )
    await collect(backend(answer).infill(request))
    await collect(backend(answer).infill(HOLE))

    assert str(seen[0].url) == "http://127.0.0.1:8012/infill"
    assert seen[0].headers["authorization"] == "Bearer secret"
    body = json.loads(seen[0].content)
    assert (
        body.items()
        >= {
            "input_prefix": "before",
            "input_suffix": "after",
            "input_extra": [{"filename": "b.py", "text": "B"}],
            "input_path": "a.py",
            "repository": "shop",
            "n_predict": 16,
            "stop": ["\n\n"],
            "temperature": 0.8,
            "seed": 3,
            "t_max_predict_ms": 500,
            "stream": True,
            "priority": "inline",
            "document": "file",
            "names": ["area"],
            "known_names": [{"of": "self", "names": ["area"], "may_be_new": True}],
        }.items()
    )
    greedy = json.loads(seen[1].content)
    assert greedy["temperature"] == 0.0
    assert "seed" not in greedy


async def test_chat_is_asked_in_openais_words() -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/chat/completions"
        seen.append(json.loads(request.content))
        return httpx.Response(200, content=delta(None, "stop"))

    request = ChatRequest(
        (Message("system", "Be brief."), Message("user", "Hi")),
        16,
        stop=("```",),
        temperature=0.5,
        repeat_penalty=1.1,
        seed=7,
        grammar='root ::= "a"',
        priority=Priority.BACKGROUND,
    )
    await collect(backend(answer).chat(request))
    await collect(backend(answer).chat(QUESTION))

    assert (
        seen[0].items()
        >= {
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
            "max_tokens": 16,
            "stop": ["```"],
            "temperature": 0.5,
            "repeat_penalty": 1.1,
            "seed": 7,
            "grammar": 'root ::= "a"',
            "stream": True,
            "priority": "background",
        }.items()
    )
    # Servers that do not know these fields, or not as null, are not bothered with them.
    assert seen[1].keys().isdisjoint({"seed", "grammar"})
    assert seen[1]["priority"] == "action"


async def test_a_text_is_gone_on_with_in_openais_words() -> None:
    seen: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/completions"
        seen.append(json.loads(request.content))
        message = {"choices": [{"text": "1", "finish_reason": "stop"}], "timings": TIMINGS}
        return httpx.Response(200, content=event(message))

    found = await collect(backend(answer).go_on("x = ", max_tokens=8, stop=("\n",), temperature=0.5, seed=3))

    wanted = {"prompt": "x = ", "max_tokens": 8, "stop": ["\n"], "temperature": 0.5, "seed": 3, "stream": True}
    assert wanted.items() <= seen[0].items()
    assert (found.text, found.stop_reason) == ("1", StopReason.EOS)
    assert found.timings.predicted_tokens == 20


async def test_an_infill_answer_comes_in_pieces() -> None:
    last = {"content": "", "stop": True, "stop_type": "word", "timings": {**TIMINGS, "ttft_ms": 210, "total_ms": 1300}}
    answer = await chunks(streaming(event({"content": "on"}), event({"content": "e"}), event(last)).infill(HOLE))

    assert [chunk.text for chunk in answer] == ["on", "e", ""]
    assert [chunk.stop_reason for chunk in answer] == [None, None, StopReason.STOP]
    assert answer[-1].timings == Timings(100, 60, 20, prompt_ms=200, ttft_ms=210, total_ms=1300)


@pytest.mark.parametrize(
    ("stop_type", "reason"),
    [
        ("eos", StopReason.EOS),
        ("word", StopReason.STOP),
        ("limit", StopReason.LENGTH),
        ("none", StopReason.CANCELLED),
        ("news to us", StopReason.CANCELLED),
    ],
)
async def test_infill_stop_reasons(stop_type: str, reason: StopReason) -> None:
    answer = await collect(streaming(event({"content": "x", "stop": True, "stop_type": stop_type})).infill(HOLE))

    assert (answer.text, answer.stop_reason) == ("x", reason)


@pytest.mark.parametrize(("finish", "reason"), [("stop", StopReason.EOS), ("length", StopReason.LENGTH)])
async def test_a_chat_answer_comes_in_pieces(finish: str, reason: StopReason) -> None:
    body = [delta(None), delta("He"), delta("llo"), delta(None, finish, timings=TIMINGS), b"data: [DONE]\n\n"]

    answer = await chunks(streaming(*body).chat(QUESTION))

    assert [chunk.text for chunk in answer] == ["", "He", "llo", ""]
    assert answer[-1].stop_reason is reason
    # A server that tells no more than llama-server does.
    assert answer[-1].timings == Timings(100, 60, 20, prompt_ms=200, ttft_ms=200, total_ms=1200)


async def test_a_server_that_tells_no_timings() -> None:
    answer = await collect(streaming(delta("a", "stop")).chat(QUESTION))

    assert answer.timings == Timings()


async def test_what_is_no_data_is_skipped_and_a_space_after_the_colon_is_optional() -> None:
    body = b": keep-alive\n\nevent: message\n" + delta("a") + delta("b", "stop").replace(b"data: ", b"data:")

    assert (await collect(streaming(body).chat(QUESTION))).text == "ab"


async def test_events_cut_anywhere_give_the_same_answer() -> None:
    whole = delta("€1") + delta(" and €2") + delta(None, "stop")

    for size in (1, 2, 7):
        pieces = [whole[i : i + size] for i in range(0, len(whole), size)]
        assert (await collect(streaming(*pieces).chat(QUESTION))).text == "€1 and €2"


@pytest.mark.parametrize(
    "body",
    [
        (event({"content": "on"}),),
        (event({"content": "on"}), b'data: {"content": "e", "st'),
        (event({"content": "on"}), httpx.ReadError("reset")),
        (event({"content": "on"}), httpx.RemoteProtocolError("incomplete chunked read")),
        (event({"content": "on"}), b"data: [DONE]\n\n"),
    ],
    ids=["between events", "inside an event", "reset", "cut", "done without an end"],
)
async def test_an_answer_that_breaks_off_is_told_from_one_that_ends(body: tuple[bytes | Exception, ...]) -> None:
    answer = streaming(*body).infill(HOLE)

    assert (await anext(answer)).text == "on"
    with pytest.raises(BackendUnavailableError) as broken:
        await anext(answer)

    assert "next request" in broken.value.hint


@pytest.mark.parametrize("body", [b"", b"data: [DONE]\n\n"], ids=["nothing", "done"])
async def test_an_answer_without_events_broke_off(body: bytes) -> None:
    with pytest.raises(BackendUnavailableError, match="broke off"):
        await collect(streaming(body).chat(QUESTION))


@pytest.mark.parametrize("error", [{"message": "llama.cpp could not evaluate."}, "llama.cpp could not evaluate."])
async def test_an_error_inside_the_stream_is_raised_with_its_words(error: object) -> None:
    server = streaming(event({"content": "on"}), event({"error": error}))

    with pytest.raises(BackendUnavailableError, match=r"^llama\.cpp could not evaluate\.$"):
        await collect(server.infill(HOLE))


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, BackendRejectedError),
        (401, BackendRejectedError),
        (404, BackendRejectedError),
        (500, BackendUnavailableError),
        (503, BackendUnavailableError),
    ],
)
async def test_a_no_is_raised_with_its_reason(
    status: int, error: type[BackendRejectedError | BackendUnavailableError]
) -> None:
    server = backend(lambda _request: httpx.Response(status, json={"error": {"message": "stop must be a text."}}))

    with pytest.raises(error, match=r"^stop must be a text\.$"):
        await collect(server.infill(HOLE))


@pytest.mark.parametrize("content", [b"", b"<html>", b"[]", b'{"detail": "text"}'])
async def test_a_no_without_a_reason_names_its_status(content: bytes) -> None:
    with pytest.raises(BackendRejectedError, match="404"):
        await collect(backend(lambda _request: httpx.Response(404, content=content)).chat(QUESTION))


def refusing(error: Exception) -> Answer:
    def answer(_request: httpx.Request) -> httpx.Response:
        raise error

    return answer


@pytest.mark.parametrize("error", [httpx.ConnectError("refused"), httpx.ReadTimeout(""), httpx.PoolTimeout("")])
async def test_nobody_answers(error: Exception) -> None:
    with pytest.raises(BackendUnavailableError, match=type(error).__name__):
        await collect(backend(refusing(error)).infill(HOLE))


@pytest.mark.parametrize("kind", ["infill", "chat"])
async def test_closing_an_answer_early_closes_the_connection_at_once(kind: str) -> None:
    wire = Wire(event({"content": "on"}), event({"content": "e"}))
    if kind == "chat":
        wire = Wire(delta("on"), delta("e"))
    server = backend(lambda _request: httpx.Response(200, stream=wire))
    answer = server.infill(HOLE) if kind == "infill" else server.chat(QUESTION)

    assert (await anext(answer)).text == "on"
    assert not wire.closed
    await answer.aclose()  # type: ignore[attr-defined]

    assert wire.closed


async def test_the_connection_is_closed_at_the_end_of_an_answer() -> None:
    wire = Wire(event({"content": "on", "stop": True, "stop_type": "eos"}), event({"content": "more"}))

    answer = await collect(backend(lambda _request: httpx.Response(200, stream=wire)).infill(HOLE))

    assert answer.text == "on"
    assert wire.closed


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (httpx.Response(200, json={"status": "ok"}), (True, 1.0)),
        (httpx.Response(503, json={"progress": 0.25}), (False, 0.25)),
        (httpx.Response(503, json={"error": {"message": "Loading model"}}), (False, 0.0)),
    ],
)
async def test_health(response: httpx.Response, expected: tuple[bool, float]) -> None:
    assert await backend(lambda _request: response).health() == expected


async def test_health_of_a_failed_load() -> None:
    server = backend(lambda _request: httpx.Response(500, json={"error": {"message": "Not enough memory."}}))

    with pytest.raises(BackendUnavailableError, match="Not enough memory"):
        await server.health()


@pytest.mark.parametrize(
    ("error", "reason"), [(httpx.ConnectError("refused"), "refused"), (httpx.ReadTimeout(""), "ReadTimeout")]
)
async def test_health_when_nobody_answers(error: Exception, reason: str) -> None:
    with pytest.raises(BackendUnavailableError, match=f"does not answer: {reason}"):
        await backend(refusing(error)).health()


@pytest.mark.parametrize(
    "answer",
    [
        lambda _request: httpx.Response(
            503, json={"error": {"message": "Nothing has moved for 130 s."}, "status": "stuck"}
        ),
        refusing(httpx.ReadTimeout("")),
        refusing(httpx.ConnectTimeout("")),
    ],
    ids=["says so", "says nothing", "takes nothing"],
)
async def test_health_of_one_that_is_stuck(answer: Answer) -> None:
    with pytest.raises(BackendStuckError):
        await backend(answer).health()


async def test_one_that_is_stuck_is_ended_and_the_request_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_S", 0.001)
    ended = asyncio.Event()

    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/health":
            raise httpx.ReadTimeout("")
        # The system breaks connections to a process that is ended.
        await asyncio.wait_for(ended.wait(), PATIENCE_S)
        raise httpx.ReadError("")

    transport = httpx.MockTransport(answer)
    server = HttpBackend("http://127.0.0.1:8012", "secret", end=ended.set, transport=transport)
    with pytest.raises(BackendStuckError, match="did nothing any more and was ended"):
        await collect(server.infill(HOLE))


async def test_one_that_reads_for_long_and_is_well_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "LOOK_S", 0.001)
    looked, looks = asyncio.Event(), 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal looks
        if request.url.path == "/health":
            looks += 1
            if looks == 3 * watchdog.MOST_MISSES:
                looked.set()
            return httpx.Response(200, json={"status": "ok"})
        await asyncio.wait_for(looked.wait(), PATIENCE_S)
        return httpx.Response(200, content=event({"content": "one", "stop": True, "stop_type": "eos"}))

    ended: list[bool] = []
    transport = httpx.MockTransport(answer)
    server = HttpBackend("http://127.0.0.1:8012", "", end=lambda: ended.append(True), transport=transport)
    assert (await collect(server.infill(HOLE))).text == "one"
    await server.aclose()
    assert ended == []


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server = HttpBackend("http://127.0.0.1:8012", "secret")

    assert all(transport is None for transport in server._client._mounts.values())
    await server.aclose()


PLAN = {"model": "Large", "steps": [], "verdict": "fits", "predicted": {"decode_tokens_per_s": 0.21}}


@pytest.mark.parametrize(
    ("plan", "notes"),
    [
        (PLAN, []),
        ({**PLAN, "steps": ["There was not enough memory."]}, ["There was not enough memory."]),
        ({**PLAN, "verdict": "from disk"}, ["Large is larger than the memory", "0.21 tokens/s"]),
        (None, []),
    ],
    ids=["as planned", "down the ladder", "from disk", "no plan"],
)
async def test_what_a_user_should_know_of_a_load(plan: object, notes: list[str]) -> None:
    told = await backend(lambda _request: httpx.Response(200, json={"plan": plan})).load_notes()

    assert all(note in " ".join(told) for note in notes)
    assert bool(told) == bool(notes)


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(404), httpx.Response(200, json={"build_info": "b1234"}), httpx.Response(200, json=[1]), None],
    ids=["no such page", "another server", "a list", "nobody"],
)
async def test_a_server_that_does_not_tell_has_no_notes(answer: httpx.Response | None) -> None:
    def respond(_request: httpx.Request) -> httpx.Response:
        if answer is None:
            raise httpx.ConnectError("refused")
        return answer

    server = backend(respond)
    await server.learn()

    assert await server.load_notes() == ()
    assert server.fills_holes, "llama-server says no to a hole itself"


@pytest.mark.parametrize("fim", [True, False])
async def test_whether_the_model_fills_holes_is_asked_once(fim: bool) -> None:
    asked: list[str] = []

    def props(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json={"fim": fim})

    server = backend(props)
    assert server.fills_holes
    await server.learn()

    assert (server.fills_holes, server.fills_holes) == (fim, fim)
    assert asked == ["/props"]


@pytest.mark.parametrize("kind", ["infill", "chat"])
async def test_half_a_character_can_be_sent(kind: str) -> None:
    seen: list[bytes] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200, stream=Wire(delta("x", "stop"), event({"content": "x", "stop": True})))

    async with aclosing(backend(answer)) as client:
        if kind == "infill":
            await collect(client.infill(InfillRequest("a\ud83d", "", 16)))
        else:
            await collect(client.chat(ChatRequest((Message("user", "a\ud83d"),), 16)))
    assert b"a\\ud83d" in seen[0]


async def test_a_server_that_is_not_ready_need_not_say_how_far_it_is() -> None:
    for response in (httpx.Response(503), httpx.Response(503, json=[]), httpx.Response(503, json={"progress": None})):
        assert await backend(lambda _request, response=response: response).health() == (False, 0.0)


async def test_figures_alone_are_no_piece_of_an_answer() -> None:
    stream = Wire(delta("a"), event({"choices": [], "usage": {}}), delta("b", "stop"))
    chunks = [chunk async for chunk in backend(lambda _: httpx.Response(200, stream=stream)).chat(QUESTION)]
    assert [chunk.text for chunk in chunks] == ["a", "b"]


async def test_who_is_gone_is_told_from_who_is_slow() -> None:
    def fails(error: Exception) -> Answer:
        def answer(_request: httpx.Request) -> httpx.Response:
            raise error

        return answer

    with pytest.raises(BackendGoneError):
        await backend(fails(httpx.ConnectError("refused"))).health()
    with pytest.raises(BackendUnavailableError) as slow:
        await backend(fails(httpx.ReadTimeout("slow"))).health()
    assert not isinstance(slow.value, BackendGoneError)
