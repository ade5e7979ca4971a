"""The endpoints before and beside the generating ones; those are tested on a real engine in tests/engine."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, cast

import httpx
import pytest
from starlette.routing import Route

from lsp_server.engine import templates
from lsp_server.engine.chat import ChatPrompt, Message
from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.config import EngineConfig
from lsp_server.engine.generation_types import Finished, GenerationRequest, Step, StopReason, Timings
from lsp_server.engine.http.app import create_app
from lsp_server.engine.http.openai import UNSERVED
from lsp_server.engine.lanes import Lane, Priority
from lsp_server.engine.layout import Hole
from lsp_server.engine.leases import Leases
from lsp_server.engine.metrics import CONTENT_TYPE
from lsp_server.engine.native.model import FimTokens
from lsp_server.engine.pool import SequencePool
from lsp_server.engine.service import EngineService, Phase
from lsp_server.models.catalog import FimLayout
from tests.support.memory import FakeMemory

TOKEN = "secret"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


class Engine:
    """An app over a service that never loads anything, and a client of it."""

    def __init__(self) -> None:
        self.service = EngineService(
            EngineConfig("small", Path("small.gguf"), 512, 0, 1), lambda _: FimLayout("prefix-first")
        )
        self.stopped = False
        self.leases = Leases()
        self.drained = False
        self.client_token = ""
        self.app = create_app(self.service, TOKEN, self.leases, self._stop, self._drain, lambda: self.client_token)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://127.0.0.1:8012")

    def _stop(self) -> None:
        self.stopped = True

    def _drain(self) -> None:
        self.drained = True


def endpoints() -> Iterator[tuple[str, str]]:
    """Method and path of each; the model's name is filled in."""
    engine = Engine()
    engine.service.close()
    for route in engine.app.routes:
        assert isinstance(route, Route)
        for method in {*(route.methods or ())} - {"HEAD"}:
            yield method, re.sub("{.*}", "small", route.path)


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = Engine()
    async with engine.client:
        yield engine
    engine.service.close()


async def test_health_while_loading_tells_how_far_it_is(engine: Engine) -> None:
    engine.service.loaded_fraction = 0.25

    response = await engine.client.get("/health")

    assert response.status_code == 503
    assert response.json()["progress"] == 0.25
    assert response.json()["error"]["message"] == "Loading model"


async def test_a_client_that_leaves_in_the_middle_of_its_request_is_no_defect(engine: Engine) -> None:
    """It was one, with a traceback in the log, for each suggestion that a key ended as it was asked for."""
    headers = {**AUTHORIZED, "Host": "127.0.0.1"}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/infill",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }
    received = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    sent: list[Any] = []

    async def receive() -> Any:
        return next(received)

    async def send(message: Any) -> None:
        sent.append(message)

    await engine.app(scope, receive, send)

    assert sent[0]["status"] == 499


async def test_health_of_a_failed_load_tells_why(engine: Engine) -> None:
    engine.service.phase, engine.service.failure = Phase.FAILED, "There is not enough memory."

    response = await engine.client.get("/health")

    assert response.status_code == 500
    assert response.json()["error"]["message"] == "There is not enough memory."


async def test_health_of_one_whose_work_has_stopped(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine.service.phase = Phase.READY
    monkeypatch.setattr(EngineService, "stuck_s", 130.4)

    response = await engine.client.get("/health")

    assert response.status_code == 503
    assert response.json()["status"] == "stuck"
    assert response.json()["error"]["message"] == "Nothing has moved for 130 s."


async def test_health_when_ready(engine: Engine) -> None:
    engine.service.phase = Phase.READY

    response = await engine.client.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


PUBLIC = [("GET", "/health"), ("GET", "/v1/health")]
SHARING = ("/lease", "/drain", "/shutdown")
GUARDED = [one for one in endpoints() if one not in PUBLIC]


def test_which_endpoints_there_are() -> None:
    assert set(GUARDED) > {("POST", "/infill"), ("POST", "/shutdown"), ("GET", "/v1/models/small")}


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Bearer secreté".encode()}],
    ids=["none", "wrong", "bare", "not ascii"],
)
async def test_without_the_token_nothing_is_done(
    engine: Engine, method: str, path: str, headers: dict[str, str]
) -> None:
    response = await engine.client.request(method, path, headers=headers, json={})

    assert response.status_code == 401
    assert response.json()["error"]["type"] == "authentication_error"
    assert not engine.stopped


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8012", "127.0.0.1.evil.example", "localhost.evil"])
@pytest.mark.parametrize(("method", "path"), [*PUBLIC, *GUARDED])
async def test_a_host_that_is_not_loopback_is_refused(engine: Engine, method: str, path: str, host: str) -> None:
    response = await engine.client.request(method, path, headers={**AUTHORIZED, "Host": host}, json={})

    assert response.status_code == 400
    assert not engine.stopped


@pytest.mark.parametrize("host", ["localhost", "localhost:8012", "127.0.0.1"])
async def test_both_names_of_loopback_are_served(engine: Engine, host: str) -> None:
    response = await engine.client.get("/v1/models", headers={**AUTHORIZED, "Host": host})

    assert response.status_code == 200


ROUTES = [*PUBLIC, *GUARDED]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://localhost:3000"},
        {"Origin": "http://127.0.0.1:8012"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda headers: " ".join(next(iter(headers.items()))),
)
@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_a_page_in_a_browser_is_refused_even_with_the_token(
    engine: Engine, method: str, path: str, headers: dict[str, str]
) -> None:
    response = await engine.client.request(method, path, headers={**AUTHORIZED, **headers}, json={})

    assert response.status_code == 403
    assert not engine.stopped


async def test_an_address_that_a_person_types_is_no_page(engine: Engine) -> None:
    engine.service.phase = Phase.READY

    response = await engine.client.get("/health", headers={"Sec-Fetch-Site": "none"})

    assert response.status_code == 200


@pytest.mark.parametrize("path", [path for _, path in ROUTES])
async def test_asking_beforehand_tells_a_page_nothing(engine: Engine, path: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    page = {"Origin": "https://evil.example", **asked}

    for headers in ({}, AUTHORIZED, asked, page):
        here = await engine.client.options(path, headers=headers)
        nowhere = await engine.client.options("/nowhere", headers=headers)

        assert here.status_code in (403, 405)
        assert (here.status_code, here.headers, here.content) == (nowhere.status_code, nowhere.headers, nowhere.content)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_no_page_is_allowed_to_read_an_answer(engine: Engine, method: str, path: str) -> None:
    # Else a lease would be held for as long as it is wanted.
    engine.leases.closing.set()
    for headers in ({}, AUTHORIZED, {"Origin": "https://evil.example"}, {"Host": "evil.example"}):
        for verb in (method, "OPTIONS", "HEAD", "DELETE"):
            response = await engine.client.request(verb, path, headers=headers)

            assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_models_are_listed_while_loading(engine: Engine) -> None:
    for path in ("/v1/models", "/models"):
        listed = (await engine.client.get(path, headers=AUTHORIZED)).json()
        (entry,) = listed["data"]

        assert listed["object"] == "list"
        assert {**entry, "created": 0} == {"id": "small", "object": "model", "created": 0, "owned_by": "local"}
        assert (await engine.client.get("/v1/models/small", headers=AUTHORIZED)).json() == entry


async def test_another_model_is_not_here(engine: Engine) -> None:
    response = await engine.client.get("/v1/models/org/large", headers=AUTHORIZED)

    assert response.status_code == 404
    assert response.json()["error"]["message"] == "There is no model 'org/large' here."


@pytest.mark.parametrize("path", UNSERVED)
async def test_what_is_not_done_is_said(engine: Engine, path: str) -> None:
    response = await engine.client.post(path, headers=AUTHORIZED, json={"input": "a"})

    assert response.status_code == 501
    assert response.json()["error"] == {"code": 501, "type": "not_supported_error", "message": UNSERVED[path]}


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/infill", 405)])
async def test_what_there_is_not_is_said_as_any_other_error(
    engine: Engine, method: str, path: str, status: int
) -> None:
    response = await engine.client.request(method, path, headers=AUTHORIZED)

    assert response.status_code == status
    assert response.json()["error"]["message"] == f"{method} {path} is not served here."
    assert response.headers.get("allow") == ("POST" if status == 405 else None)


async def test_a_defect_is_said_as_any_other_error(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(engine.service, "slots", broken)
    transport = httpx.ASGITransport(engine.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8012") as client:
        response = await client.get("/slots", headers=AUTHORIZED)

    assert response.status_code == 500
    assert response.json()["error"]["type"] == "server_error"


async def test_the_token_of_other_clients(engine: Engine) -> None:
    other = {"Authorization": "Bearer another"}
    assert (await engine.client.get("/slots", headers=other)).status_code == 401

    engine.client_token = "another"
    for headers in (other, AUTHORIZED):
        assert (await engine.client.get("/slots", headers=headers)).status_code == 200

    engine.client_token = "the next"
    assert (await engine.client.get("/slots", headers=other)).status_code == 401


@pytest.mark.parametrize("path", SHARING)
async def test_other_clients_do_not_end_the_engine(engine: Engine, path: str) -> None:
    engine.client_token = "another"

    response = await engine.client.post(path, headers={"Authorization": "Bearer another"})

    assert response.status_code == 401
    assert not engine.stopped
    assert not engine.drained


@pytest.mark.parametrize("given", ["Bearer ", "Bearer", ""])
async def test_where_there_is_no_such_token_nothing_is_none(engine: Engine, given: str) -> None:
    assert engine.client_token == ""
    assert (await engine.client.get("/slots", headers={"Authorization": given})).status_code == 401


BODIES = [path for method, path in GUARDED if method == "POST" and path not in {*UNSERVED, *SHARING}]


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused(engine: Engine, path: str, body: bytes) -> None:
    response = await engine.client.post(path, headers=AUTHORIZED, content=body)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert "JSON" in response.json()["error"]["message"]


@pytest.mark.parametrize("path", BODIES)
async def test_what_needs_the_model_says_that_it_is_loading(engine: Engine, path: str) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}], "prompt": "Hi", "content": "Hi"}

    response = await engine.client.post(path, headers=AUTHORIZED, json=body)

    assert response.status_code == 503
    assert response.json()["error"]["message"] == "The model is still loading."


async def test_what_needs_the_model_says_why_there_is_none(engine: Engine) -> None:
    engine.service.phase, engine.service.failure = Phase.FAILED, "There is not enough memory."

    response = await engine.client.post("/infill", headers=AUTHORIZED, json={})

    assert response.status_code == 500
    assert response.json()["error"]["message"] == "There is not enough memory."


async def test_slots_are_listed(engine: Engine) -> None:
    loaded(engine)

    response = await engine.client.get("/slots", headers=AUTHORIZED)

    assert response.status_code == 200
    assert [(slot["lane"], slot["is_processing"], slot["n_prompt_tokens_cache"]) for slot in response.json()] == [
        ("completion", False, 0),
        ("completion", False, 0),
    ]


async def test_without_a_model_there_are_none(engine: Engine) -> None:
    response = await engine.client.get("/slots", headers=AUTHORIZED)
    assert (response.status_code, response.json()) == (200, [])


async def test_metrics_are_what_prometheus_reads(engine: Engine) -> None:
    response = await engine.client.get("/metrics", headers=AUTHORIZED)

    assert response.status_code == 200
    assert response.headers["content-type"] == CONTENT_TYPE
    assert "llamacpp:requests_processing 0.0" in response.text.splitlines()


class FakeModel:
    """A vocabulary of characters."""

    architecture = "any"
    fim: FimTokens | None = FimTokens(-1, -2, -3, None, None)
    bos: ClassVar[list[int]] = [-9]
    special_texts: ClassVar[frozenset[str]] = frozenset()

    n_vocab = 256

    def tokenize(self, text: str, *, parse_special: bool = False) -> list[int]:
        """``<>`` is a control token."""
        return [-9 if c == "<>" else ord(c) for c in re.findall("<>|." if parse_special else ".", text)]

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        return bytes(tokens)

    def piece(self, token: int, *, special: bool) -> bytes:
        return bytes([token]) if token >= 0 else b""

    def close(self) -> None:
        pass


def loaded(engine: Engine) -> None:
    """As if a model were there, with two sequences."""
    service, memory = engine.service, FakeMemory(n_ctx=2000, n_sequences=2)
    service._pools[Lane.COMPLETION] = cast(Any, SequencePool(memory, 2, CheckpointStore(1000)))
    service._model = cast(Any, FakeModel())
    service.phase = Phase.READY


Asked = list[tuple[GenerationRequest, Lane, Priority, str]]


@pytest.fixture
def asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """The generations that the endpoints ask the service for, which answers "Hi" in two pieces."""
    loaded(engine)
    found: Asked = []

    async def run(
        request: GenerationRequest, lane: Lane, priority: Priority, document: str = ""
    ) -> AsyncIterator[Step | Finished]:
        found.append((request, lane, priority, document))
        yield Step("H")
        yield Step()
        yield Step("i")
        yield Finished(StopReason.EOS, "", Timings(prompt_tokens=5, predicted_tokens=2))

    def chat(messages: Sequence[Message]) -> ChatPrompt:
        return ChatPrompt([1, 2, 3, 4], 2, thinks=True, begun=False)

    monkeypatch.setattr(engine.service, "run", run)
    monkeypatch.setattr(engine.service, "chat", chat)
    return found


async def test_a_hole_becomes_a_completion_with_its_boundaries(engine: Engine, asked: Asked) -> None:
    body = {"input_prefix": "x = 1\nret", "input_suffix": "\n", "n_predict": 7, "n_indent": 4, "stop": ["#"]}

    response = await engine.client.post("/infill", headers=AUTHORIZED, json=body)

    assert response.json()["content"] == "Hi"
    ((request, lane, priority, _),) = asked
    assert (lane, priority) == (Lane.COMPLETION, Priority.INLINE)
    assert (request.max_tokens, request.n_indent, request.stop, request.begun_word) == (7, 4, ("#",), "ret")
    prompt = engine.service.infill(Hole("x = 1\nret", "\n"), 7)
    assert (list(request.prompt), tuple(request.boundaries)) == (prompt.tokens, tuple(prompt.boundaries))
    assert not request.thinks
    # What a completion writes is seldom there already.
    assert request.max_draft == 0


@pytest.mark.parametrize("path", ["/completion", "/completions"])
async def test_a_text_that_was_laid_out_is_taken_as_it_is(engine: Engine, asked: Asked, path: str) -> None:
    response = await engine.client.post(path, headers=AUTHORIZED, json={"prompt": "<>ab", "n_predict": 3, "n_probs": 2})

    assert (response.json()["content"], response.json()["stop"]) == ("Hi", True)
    ((request, lane, priority, _),) = asked
    assert (lane, priority) == (Lane.ASSISTANT, Priority.ACTION)
    # It begins with BOS already.
    assert (list(request.prompt), request.max_tokens, request.n_probs) == ([-9, 97, 98], 3, 2)
    assert request.begun_word == ""


@pytest.mark.parametrize(
    ("path", "body", "prompt"),
    [
        ("/completion", {"prompt": "<>", "parse_special": False}, [-9, 60, 62]),
        ("/completion", {"prompt": ["a"]}, [-9, 97]),
        ("/completion", {"prompt": [97, 98]}, [97, 98]),
        ("/v1/completions", {"prompt": "<>"}, [-9, 60, 62]),
        ("/v1/completions", {"prompt": "<>", "parse_special": True}, [-9]),
        ("/v1/completions", {"prompt": [[97, 98]]}, [97, 98]),
        ("/v1/completions", {"prompt": [98], "context": "a"}, [97, 98]),
    ],
)
async def test_forms_of_a_prompt(
    engine: Engine, asked: Asked, path: str, body: dict[str, Any], prompt: list[int]
) -> None:
    response = await engine.client.post(path, headers=AUTHORIZED, json=body)

    assert response.status_code == 200
    assert list(asked[0][0].prompt) == prompt


async def test_a_completion_goes_on_until_it_ends(engine: Engine, asked: Asked) -> None:
    for path in ("/completion", "/v1/completions"):
        await engine.client.post(path, headers=AUTHORIZED, json={"prompt": "a"})

    assert [request.max_tokens for request, *_ in asked] == [4096, 128]


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("/completion", {"prompt": [256]}, "prompt[0]"),
        ("/completion", {"prompt": ["a", "b"]}, "prompt"),
        ("/v1/completions", {"prompt": [97], "suffix": "b"}, "prompt"),
        ("/detokenize", {"tokens": [97, 300]}, "tokens[1]"),
        ("/detokenize", {"tokens": "a"}, "tokens"),
        ("/apply-template", {"messages": [], "tools": [{}]}, "tools"),
        ("/v1/chat/completions", {"messages": [{"content": "a"}], "n": 2}, "n"),
        ("/infill", {"n_cmpl": 2}, "n_cmpl"),
    ],
)
async def test_what_cannot_be_done_is_named(
    engine: Engine, asked: Asked, path: str, body: dict[str, Any], named: str
) -> None:
    response = await engine.client.post(path, headers=AUTHORIZED, json=body)

    assert response.status_code == 400
    assert response.json()["error"]["message"].split()[0] == named
    assert not asked


async def test_tokens_become_a_text_again(engine: Engine) -> None:
    loaded(engine)

    response = await engine.client.post("/detokenize", headers=AUTHORIZED, json={"tokens": [72, 105]})
    assert response.json() == {"content": "Hi"}


async def test_tokens_with_their_pieces(engine: Engine) -> None:
    loaded(engine)

    response = await engine.client.post("/tokenize", headers=AUTHORIZED, json={"content": "aÿ", "with_pieces": True})
    assert response.json() == {"tokens": [{"id": 97, "piece": "a"}, {"id": 255, "piece": [255]}]}


async def test_a_conversation_as_a_text(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(engine)
    monkeypatch.setattr(engine.service, "chat_text", lambda messages: f"<user>{messages[0].content}")
    body = {"messages": [{"role": "user", "content": "Hi"}]}

    response = await engine.client.post("/apply-template", headers=AUTHORIZED, json=body)
    assert response.json() == {"prompt": "<user>Hi"}


async def test_a_stream_ends_with_its_costs_if_that_is_asked_for(engine: Engine, asked: Asked) -> None:
    body = {"prompt": "a", "stream": True, "stream_options": {"include_usage": True}}

    response = await engine.client.post("/v1/completions", headers=AUTHORIZED, json=body)

    *_, usage, done = [line.removeprefix("data: ") for line in response.text.splitlines() if line]
    assert done == "[DONE]"
    assert json.loads(usage)["usage"]["total_tokens"] == 7


async def test_under_a_grammar_no_word_is_left_to_the_answer(engine: Engine, asked: Asked) -> None:
    body = {"input_prefix": "ret", "input_suffix": "", "grammar": 'root ::= "a"'}
    await engine.client.post("/infill", headers=AUTHORIZED, json=body)
    assert asked[0][0].begun_word == ""


async def test_a_conversation_goes_to_the_assistant_with_what_others_begin_with(engine: Engine, asked: Asked) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}]}

    response = await engine.client.post("/v1/chat/completions", headers=AUTHORIZED, json=body)

    assert response.json()["choices"][0]["message"]["content"] == "Hi"
    ((request, lane, priority, _),) = asked
    assert (lane, priority) == (Lane.ASSISTANT, Priority.ACTION)
    assert (request.prompt, request.shared, tuple(request.boundaries)) == ([1, 2, 3, 4], 2, (2,))
    assert request.thinks
    # An edit repeats its input.
    assert request.max_draft > 0


async def test_a_client_may_say_how_much_is_guessed_ahead(engine: Engine, asked: Asked) -> None:
    body = {"messages": [{"role": "user", "content": "Hi"}], "speculative.n_max": 0}
    await engine.client.post("/v1/chat/completions", headers=AUTHORIZED, json=body)
    assert asked[0][0].max_draft == 0


@pytest.mark.parametrize(
    ("path", "body", "ends_with"),
    [
        ("/infill", {"input_prefix": "a", "input_suffix": ""}, '"stop": true'),
        ("/v1/completions", {"prompt": "a"}, "[DONE]"),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}]}, "[DONE]"),
    ],
)
async def test_a_stream_has_a_piece_for_each_step_that_shows_something(
    engine: Engine, asked: Asked, path: str, body: dict[str, object], ends_with: str
) -> None:
    response = await engine.client.post(path, headers=AUTHORIZED, json={**body, "stream": True})

    assert response.headers["content-type"].startswith("text/event-stream")
    lines = [line for line in response.text.splitlines() if line]
    assert all(line.startswith("data: ") for line in lines)
    # Two pieces and the end; the step between shows nothing.
    assert len(lines) == 3 + (ends_with == "[DONE]")
    assert ends_with in lines[-1]
    assert len(asked) == 1


async def test_shutdown(engine: Engine) -> None:
    response = await engine.client.post("/shutdown", headers=AUTHORIZED)

    assert response.status_code == 200
    assert engine.stopped


async def test_a_template_without_end_holds_nobody_up(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded(engine)
    template = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    for name, value in (("chat_template", template), ("bos_text", ""), ("eos_text", "")):
        monkeypatch.setattr(FakeModel, name, value, raising=False)
    monkeypatch.setattr(templates, "LIMIT_S", 2.0)
    body = {"messages": [{"role": "user", "content": "Hi"}]}

    refused = asyncio.create_task(engine.client.post("/v1/chat/completions", headers=AUTHORIZED, json=body))
    meanwhile = 0
    while not refused.done():
        assert (await engine.client.get("/health")).status_code == 200
        meanwhile += 1
        await asyncio.sleep(0.05)

    assert meanwhile > 10
    assert (await refused).status_code == 400
    assert "takes too long" in (await refused).json()["error"]["message"]
