"""The endpoints before and beside the generating ones; those are tested on a real engine in tests/engine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from lsp_server.engine.http.app import create_app
from lsp_server.engine.service import EngineConfig, EngineService, Phase

TOKEN = "secret"
AUTHORIZED = {"Authorization": f"Bearer {TOKEN}"}


class Engine:
    """An app over a service that never loads anything, and a client of it."""

    def __init__(self) -> None:
        self.service = EngineService(EngineConfig("small", Path("small.gguf"), 512, 0, 1), lambda _: "prefix-first")
        self.stopped = False
        app = create_app(self.service, TOKEN, self._stop)
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8012")

    def _stop(self) -> None:
        self.stopped = True


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


async def test_health_of_a_failed_load_tells_why(engine: Engine) -> None:
    engine.service.phase, engine.service.failure = Phase.FAILED, "There is not enough memory."

    response = await engine.client.get("/health")

    assert response.status_code == 500
    assert response.json()["error"]["message"] == "There is not enough memory."


async def test_health_when_ready(engine: Engine) -> None:
    engine.service.phase = Phase.READY

    response = await engine.client.get("/health")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


GUARDED = [
    ("GET", "/props"),
    ("GET", "/v1/models"),
    ("POST", "/tokenize"),
    ("POST", "/infill"),
    ("POST", "/v1/completions"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/shutdown"),
]


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
@pytest.mark.parametrize(("method", "path"), [("GET", "/health"), *GUARDED])
async def test_a_host_that_is_not_loopback_is_refused(engine: Engine, method: str, path: str, host: str) -> None:
    response = await engine.client.request(method, path, headers={**AUTHORIZED, "Host": host}, json={})

    assert response.status_code == 400
    assert not engine.stopped


@pytest.mark.parametrize("host", ["localhost", "localhost:8012", "127.0.0.1"])
async def test_both_names_of_loopback_are_served(engine: Engine, host: str) -> None:
    response = await engine.client.get("/v1/models", headers={**AUTHORIZED, "Host": host})

    assert response.status_code == 200


async def test_models_are_listed_while_loading(engine: Engine) -> None:
    response = await engine.client.get("/v1/models", headers=AUTHORIZED)

    assert response.json() == {"object": "list", "data": [{"id": "small", "object": "model", "owned_by": "local"}]}


@pytest.mark.parametrize("path", ["/infill", "/v1/completions", "/v1/chat/completions", "/tokenize"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"3", b"\xff"])
async def test_a_body_that_is_no_json_object_is_refused(engine: Engine, path: str, body: bytes) -> None:
    response = await engine.client.post(path, headers=AUTHORIZED, content=body)

    assert response.status_code == 400
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert "JSON" in response.json()["error"]["message"]


@pytest.mark.parametrize("path", ["/infill", "/v1/completions", "/v1/chat/completions", "/tokenize"])
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


async def test_shutdown(engine: Engine) -> None:
    response = await engine.client.post("/shutdown", headers=AUTHORIZED)

    assert response.status_code == 200
    assert engine.stopped
