"""Probing and talking in each dialect, on servers that are played."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import httpx
import pytest

from lsp_server.errors import (
    BackendError,
    BackendGoneError,
    BackendKeyError,
    BackendRejectedError,
    BackendUnavailableError,
)
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message, ScoreRequest, StopReason, collect
from lsp_server.inference.remote import RemoteBackend, connect
from lsp_server.inference.remote_spec import RemoteSpec
from lsp_server.models.catalog import Role
from lsp_server.text.known_names import KnownNames

URL = "http://gpu.example:8080"
KEY = "sesame-1234"
SPEC = RemoteSpec("completion", URL, key=KEY)
HOLE = InfillRequest(
    "x = (",
    "after",
    16,
    path="a.py",
    stop=("\n",),
    document="file",
    time_limit_ms=500,
    seed=3,
    names=("area",),
    known_names=(KnownNames("self", ("area",)),),
)
BEGUN = ChatRequest(
    (Message("user", "Hi"), Message("assistant", "Good mor")),
    16,
    stop=("\n",),
    repeat_penalty=1.1,
    grammar="root ::= x",
)
QUESTION = ChatRequest((Message("user", "Hi"),), 16)
OURS = {"priority", "document", "names", "known_names", "context", "input_path", "repository"}

Pages = Mapping[str, Any]
LLAMA_SERVER: Pages = {
    "/props": {"default_generation_settings": {}},
    "/v1/models": {"data": [{"id": "/models/qwen2.5-coder-7b.gguf"}]},
    "/infill": {"content": " b"},
    "/v1/chat/completions": {"choices": [{"message": {"content": "1, 2, 3, 4, 5, 6"}}]},
}
VLLM: Pages = {
    "/v1/models": {"data": [{"id": "Qwen/Qwen2.5-Coder-7B"}]},
    "/v1/completions": {"choices": [{"text": " b"}]},
    "/v1/chat/completions": {"choices": [{"message": {"content": "1, 2"}}]},
}
TALKER: Pages = {
    "/v1/models": {"data": [{"id": "gpt-9"}]},
    "/v1/chat/completions": {"choices": [{"message": {"content": " 5, 6, 7"}}]},
}


class Server:
    """Answers probes from its pages, and streams with ``stream``; keeps what was posted."""

    def __init__(self, pages: Pages, *stream: Any) -> None:
        self.pages = dict(pages)
        self.stream: tuple[Any, ...] = stream
        self.answer: Callable[[httpx.Request], httpx.Response | None] = lambda _request: None
        self.posted: list[tuple[str, dict[str, Any]]] = []
        self.keys: set[str | None] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.keys.add(request.headers.get("authorization"))
        if answer := self.answer(request):
            return answer
        body = json.loads(request.content or b"{}")
        self.posted.append((request.url.path, body))
        if body.get("stream"):
            return httpx.Response(200, content=b"".join(b"data: %s\n\n" % json.dumps(m).encode() for m in self.stream))
        page = self.pages.get(request.url.path)
        return httpx.Response(404, json={"detail": "Not Found"}) if page is None else httpx.Response(200, json=page)

    async def attach(self, spec: RemoteSpec = SPEC) -> RemoteBackend:
        backend = await connect(spec, transport=httpx.MockTransport(self))
        self.posted.clear()
        return backend


def text(content: str, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"text": content, "finish_reason": finish}]}


def delta(content: str | None, finish: str | None = None) -> dict[str, Any]:
    return {"choices": [{"delta": {"content": content}, "finish_reason": finish}]}


@pytest.mark.parametrize(
    ("pages", "found"),
    [
        (LLAMA_SERVER, ("llama-server", "infill", "repeated")),
        ({k: v for k, v in LLAMA_SERVER.items() if k != "/infill"}, ("llama-server", "", "repeated")),
        (VLLM, ("openai", "text", "text")),
        (TALKER, ("openai", "", "continued")),
        ({"/props": {"fim": True, "default_generation_settings": {}}}, ("shardlight", "infill", "continued")),
        ({"/props": {"fim": False}}, ("shardlight", "", "continued")),
    ],
    ids=["llama-server", "its model fills no holes", "completions", "chat only", "ours", "ours, no holes"],
)
async def test_what_a_server_can_do_is_found_out(pages: Pages, found: tuple[str, str, str]) -> None:
    server = Server(pages)
    backend = await server.attach()

    assert (backend.can.kind, backend.can.holes, backend.can.begun) == found
    assert backend.fills_holes == bool(found[1])
    assert server.keys == {f"Bearer {KEY}"}
    assert KEY not in backend.name + backend.description


async def test_a_model_of_ones_choice_is_asked_for() -> None:
    server = Server(VLLM, text("b", "stop"))
    backend = await server.attach(RemoteSpec("completion", URL, "starcoder2"))
    await collect(backend.infill(HOLE))

    ((_, body),) = server.posted
    assert body["model"] == "starcoder2"
    assert body["prompt"].startswith("<fim_prefix>")
    assert backend.name == "starcoder2 at gpu.example:8080"


async def test_without_a_key_none_is_sent() -> None:
    server = Server(LLAMA_SERVER)
    await server.attach(RemoteSpec("completion", URL))

    assert server.keys == {None}


async def test_a_hole_for_llama_server() -> None:
    server = Server(LLAMA_SERVER, {"content": "b"}, {"content": "", "stop": True, "stop_type": "limit"})
    answer = await collect((await server.attach()).infill(HOLE))

    ((path, body),) = server.posted
    assert (path, body["input_prefix"], body["input_suffix"], body["n_predict"]) == ("/infill", "x = (", "after", 16)
    assert OURS.isdisjoint(body)
    assert (answer.text, answer.stop_reason) == ("b", StopReason.LENGTH)


async def test_a_hole_as_a_text() -> None:
    server = Server(VLLM, text("b"), {"choices": []}, text("", "stop"))
    answer = await collect((await server.attach()).infill(HOLE))

    ((path, body),) = server.posted
    assert path == "/v1/completions"
    assert body.keys() == {"model", "prompt", "max_tokens", "stop", "temperature", "seed", "stream"}
    assert answer.text == "b"


async def test_reading_ahead_is_left_out_where_0_tokens_may_mean_any_number() -> None:
    server = Server(VLLM)
    answer = await collect((await server.attach()).infill(InfillRequest("x = (", "", 0)))

    assert (answer.text, server.posted) == ("", [])


async def test_a_server_that_says_a_begun_answer_again() -> None:
    server = Server(LLAMA_SERVER, delta(None), delta("Good mor"), delta("ning"), delta(None, "stop"))
    answer = await collect((await server.attach()).chat(BEGUN))

    ((path, body),) = server.posted
    assert (path, answer.text) == ("/v1/chat/completions", "ning")
    assert (body["grammar"], body["repeat_penalty"]) == ("root ::= x", 1.1)
    assert OURS.isdisjoint(body)


async def test_a_begun_answer_as_a_text() -> None:
    server = Server(VLLM, text("ning"), text("", "stop"))
    answer = await collect((await server.attach()).chat(BEGUN))

    ((path, body),) = server.posted
    assert (path, answer.text) == ("/v1/completions", "ning")
    assert body["prompt"] == "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nGood mor"
    assert body["stop"] == ["\n", "<|im_end|>"]


async def test_a_conversation_in_openais_fields() -> None:
    server = Server(TALKER, delta("Hel"), delta("lo", "stop"))
    answer = await collect((await server.attach()).chat(BEGUN))

    ((path, body),) = server.posted
    assert (path, answer.text) == ("/v1/chat/completions", "Hello")
    assert body.keys() == {"model", "messages", "max_tokens", "stop", "temperature", "stream"}


async def test_our_engine_elsewhere_gets_all_that_it_knows() -> None:
    server = Server({"/props": {"fim": True}}, {"content": "b", "stop": True, "stop_type": "eos"})
    backend = await server.attach()
    await collect(backend.infill(HOLE))
    server.stream = (delta("x", "stop"),)
    await collect(backend.chat(QUESTION))
    server.stream = ({"choices": [{"text": "b", "finish_reason": "length"}]},)
    await collect(backend.score(ScoreRequest("a", "b")))

    hole, talk, score = (body for _, body in server.posted)
    assert hole.keys() > {"priority", "document", "names", "known_names"}
    assert talk["priority"] == "action"
    assert score["context"] == "a"


async def test_what_a_server_does_not_tell_is_said_in_a_sentence() -> None:
    backend = await Server(LLAMA_SERVER).attach()

    with pytest.raises(BackendRejectedError, match=f"{URL} does not tell how likely a text is") as refused:
        backend.score(ScoreRequest("a", "b"))

    assert "backend.assistant_url" in refused.value.hint


ANEW = {**TALKER, "/v1/chat/completions": {"choices": [{"message": {"content": "Sure! 1"}}]}}


@pytest.mark.parametrize("role", ["completion", "assistant"])
async def test_a_server_that_begins_each_answer_anew_is_of_no_use(role: Role) -> None:
    with pytest.raises(BackendRejectedError, match=f"{URL} begins each answer anew") as refused:
        await Server(ANEW).attach(RemoteSpec(role, URL))

    assert f"backend.{role}_url" in refused.value.hint


async def test_one_that_fills_holes_completes_all_the_same() -> None:
    pages = {**ANEW, "/v1/completions": VLLM["/v1/completions"]}
    backend = await Server(pages).attach(RemoteSpec("completion", URL, "starcoder2"))

    assert (backend.can.holes, backend.can.goes_on) == ("text", False)
    with pytest.raises(BackendRejectedError, match="begins each answer anew"):
        await Server(pages).attach(RemoteSpec("assistant", URL, "starcoder2"))


async def test_a_server_that_has_to_be_asked_to_go_on() -> None:
    server = Server(ANEW, delta("ning", "stop"))
    going_on = httpx.Response(200, json=TALKER["/v1/chat/completions"])

    def answer(request: httpx.Request) -> httpx.Response | None:
        asked = json.loads(request.content or b"{}")
        return going_on if asked.get("continue_final_message") and not asked["stream"] else None

    server.answer = answer
    backend = await server.attach()
    assert (await collect(backend.chat(BEGUN))).text == "ning"
    await collect(backend.chat(QUESTION))

    (_, begun), (_, question) = server.posted
    assert (begun["continue_final_message"], begun["add_generation_prompt"]) == (True, False)
    assert "continue_final_message" not in question


@pytest.mark.parametrize(
    ("pages", "path"),
    [(TALKER, "/v1/chat/completions"), (VLLM, "/v1/completions")],
    ids=["in a conversation", "as a text"],
)
@pytest.mark.parametrize("field", ["structured_outputs", "guided_grammar", "grammar", ""])
async def test_the_field_in_which_a_server_takes_a_grammar_is_found_out_by_what_comes_of_it(
    pages: Pages, path: str, field: str
) -> None:
    server = Server(pages, text("ning", "stop") if path == "/v1/completions" else delta("ning", "stop"))
    fields = {"structured_outputs", "guided_grammar", "grammar"}

    def answer(request: httpx.Request) -> httpx.Response | None:
        asked = json.loads(request.content or b"{}")
        given = fields & asked.keys()
        if given - {field} and not asked["stream"]:
            # Some refuse what they do not know, others overlook it.
            return httpx.Response(400) if field else None
        if request.url.path == path and given:
            assert asked[field] == {"grammar": 'root ::= "zebra"'} if field == "structured_outputs" else True
            return httpx.Response(200, json={"choices": [{"text": "zebra", "message": {"content": "zebra"}}]})
        return None

    server.answer = answer
    backend = await server.attach()
    server.answer = lambda _request: None
    assert (await collect(backend.chat(BEGUN))).text == "ning"

    ((asked_path, body),) = server.posted
    assert (asked_path, backend.can.grammar) == (path, field)
    assert fields & body.keys() == ({field} if field else set())
    if field:
        assert body[field] == ({"grammar": "root ::= x"} if field == "structured_outputs" else "root ::= x")
    assert ("follows grammars" in backend.description) == bool(field)


async def test_a_model_that_fills_no_holes_refuses_them() -> None:
    backend = await Server(TALKER).attach()

    with pytest.raises(BackendRejectedError, match="does not fill holes"):
        await collect(backend.infill(HOLE))


async def test_a_server_of_something_else() -> None:
    with pytest.raises(BackendRejectedError, match="has neither /infill nor"):
        await Server({}).attach()


@pytest.mark.parametrize(
    ("response", "kind", "words"),
    [
        (httpx.Response(401), BackendKeyError, "refuses the key (401)"),
        (httpx.Response(403, json={"error": f"wrong: {KEY}"}), BackendKeyError, "refuses the key (403)"),
        (httpx.Response(404, json={"error": {"message": "no such model"}}), BackendRejectedError, "no such model"),
        (httpx.Response(429, headers={"retry-after": "20"}), BackendRejectedError, "again in 20 s"),
        (
            httpx.Response(400, json={"message": "too long"}),
            BackendRejectedError,
            "refuses this (400). It says: too long",
        ),
        (httpx.Response(503, json={"error": {"message": "Loading"}}), BackendUnavailableError, "is not ready (503)"),
        (httpx.Response(500, json={"detail": f"bad {KEY}"}), BackendUnavailableError, "failed (500). It says: bad …"),
    ],
    ids=lambda value: str(value.status_code) if isinstance(value, httpx.Response) else "",
)
async def test_each_no_names_the_address_and_never_the_key(
    response: httpx.Response, kind: type[BackendError], words: str
) -> None:
    server = Server(LLAMA_SERVER)
    backend = await server.attach()
    server.answer = lambda _request: response

    with pytest.raises(kind) as refused:
        await collect(backend.infill(HOLE))

    assert URL in refused.value.message
    assert words in refused.value.message
    assert KEY not in str(refused.value)


@pytest.mark.parametrize("status", [401, 429, 503])
async def test_a_no_while_it_is_attached(status: int) -> None:
    server = Server({})
    server.answer = lambda _request: httpx.Response(status)

    with pytest.raises(BackendError, match=f"{URL} .*{status}"):
        await server.attach()


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (httpx.ConnectError("refused"), BackendGoneError, "cannot be reached: refused"),
        (httpx.ConnectTimeout(""), BackendGoneError, "cannot be reached: it takes too long"),
        (httpx.ReadTimeout(""), BackendUnavailableError, "has fallen silent"),
        (httpx.ReadError("reset"), BackendUnavailableError, "ended (ReadError)"),
    ],
)
async def test_a_connection_that_fails(error: httpx.HTTPError, kind: type[BackendError], words: str) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise error

    server = Server(LLAMA_SERVER)
    backend = await server.attach()
    server.answer = fail

    for attempt in (collect(backend.infill(HOLE)), server.attach()):
        with pytest.raises(kind) as failed:
            await attempt
        assert URL in failed.value.message
        assert words in failed.value.message
        assert failed.value.hint


async def test_an_error_and_an_end_within_an_answer() -> None:
    server = Server(LLAMA_SERVER, {"content": "b"}, {"error": {"message": f"evaluation failed {KEY}"}})
    backend = await server.attach()
    with pytest.raises(BackendUnavailableError, match=f"{URL} failed: evaluation failed …"):
        await collect(backend.infill(HOLE))

    server.stream = ({"content": "b"},)
    with pytest.raises(BackendUnavailableError, match=f"The answer of {URL} broke off"):
        await collect(backend.infill(HOLE))


@pytest.mark.parametrize("status", [401, 403, 500])
async def test_a_key_need_not_be_good_for_pages_about_the_server(status: int) -> None:
    server = Server(VLLM)
    server.answer = lambda request: httpx.Response(status) if request.method == "GET" else None
    backend = await server.attach(RemoteSpec("completion", URL, "qwen2.5-coder", KEY))

    assert (backend.can.holes, backend.can.begun) == ("text", "text")


async def test_pages_that_are_no_json_are_none() -> None:
    server = Server(LLAMA_SERVER)
    server.answer = lambda request: httpx.Response(200, content=b"<html>") if request.url.path == "/props" else None

    assert (await server.attach()).can.kind == "openai"


async def test_closing_an_answer_early_closes_its_connection() -> None:
    class Endless(httpx.AsyncByteStream):
        closed = False

        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b'data: {"content": "b"}\n\n'

        async def aclose(self) -> None:
            self.closed = True

    server, stream = Server(LLAMA_SERVER), Endless()
    backend = await server.attach()
    server.answer = lambda _request: httpx.Response(200, stream=stream)
    answer = backend.infill(HOLE)
    assert (await anext(answer)).text == "b"

    await answer.aclose()  # type: ignore[attr-defined]

    assert stream.closed
    await backend.aclose()


@pytest.mark.parametrize(("url", "trusts"), [("http://127.0.0.1:1", False), (URL, True)])
async def test_a_proxy_of_the_environment_is_only_used_on_the_way_out(
    url: str, trusts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[bool] = []
    plain = httpx.AsyncClient

    def client(**options: Any) -> httpx.AsyncClient:
        made.append(options["trust_env"])
        return plain(**options)

    monkeypatch.setattr(httpx, "AsyncClient", client)
    await Server(LLAMA_SERVER).attach(RemoteSpec("completion", url))

    assert made == [trusts]
