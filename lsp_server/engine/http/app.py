"""The endpoints. Everything but ``/health`` needs the bearer token; every request needs a loopback ``Host``.

Pages in a browser get nothing (``browsers.py``).
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from lsp_server import __version__
from lsp_server.engine import metrics
from lsp_server.engine.generation import GenerationRequest
from lsp_server.engine.http import requests as parse
from lsp_server.engine.http.answering import collect, stream, unless_disconnected
from lsp_server.engine.http.browsers import NoBrowsers
from lsp_server.engine.http.responses import InfillShape, OpenAIShape, Shape
from lsp_server.engine.layout import Hole, line_before, names_behind
from lsp_server.engine.native import library
from lsp_server.engine.scheduler import Lane
from lsp_server.engine.service import EngineService, Phase
from lsp_server.errors import EngineError, InvalidRequestError
from lsp_server.models.planning.settings import MOST_OUTPUTS
from lsp_server.text.known_names import KnownNames

Handler = Callable[[Request], Awaitable[Response]]


def create_app(service: EngineService, token: str, shut_down: Callable[[], None]) -> Starlette:
    """The ASGI application.

    Args:
        token: what clients send as ``Authorization: Bearer``.
        shut_down: called by ``POST /shutdown``.
    """
    api = _Api(service, shut_down)

    def guarded(handler: Handler) -> Handler:
        async def run(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
                return _error(401, "authentication_error", "The bearer token is missing or wrong.")
            try:
                return await handler(request)
            except InvalidRequestError as error:
                return _error(400, "invalid_request_error", str(error))
            except EngineError as error:
                if service.phase is Phase.LOADING:
                    return _error(503, "unavailable_error", str(error))
                return _error(500, "server_error", str(error))

        return run

    def post(path: str, handler: Handler) -> Route:
        return Route(path, guarded(handler), methods=["POST"])

    return Starlette(
        routes=[
            Route("/health", api.health),
            Route("/props", guarded(api.props)),
            Route("/v1/models", guarded(api.models)),
            Route("/slots", guarded(api.slots)),
            Route("/metrics", guarded(api.metrics)),
            post("/tokenize", api.tokenize),
            post("/infill", api.infill),
            post("/v1/completions", api.completions),
            post("/v1/chat/completions", api.chat_completions),
            post("/shutdown", api.shutdown),
        ],
        # A page in a browser can reach loopback by a name of its own (DNS rebinding); its Host gives it away.
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(NoBrowsers),
        ],
    )


class _Api:
    def __init__(self, service: EngineService, shut_down: Callable[[], None]) -> None:
        self._service = service
        self._shut_down = shut_down

    async def health(self, _request: Request) -> Response:
        service = self._service
        if service.phase is Phase.READY:
            return JSONResponse({"status": "ok"})
        if service.phase is Phase.FAILED:
            return _error(500, "server_error", service.failure)
        progress = {"status": "loading model", "progress": service.loaded_fraction}
        return _error(503, "unavailable_error", "Loading model", **progress)

    async def props(self, _request: Request) -> Response:
        service = self._service
        model = service.model
        return JSONResponse(
            {
                "model_alias": service.config.model_id,
                "model_path": str(service.config.path),
                "total_slots": len(service.slots()),
                "default_generation_settings": {"n_ctx": service.n_ctx},
                "chat_template": model.chat_template or "",
                "bos_token": model.bos_text,
                "eos_token": model.eos_text,
                "build_info": f"shardlight {__version__}, {library.system_info()}",
                "fim": model.fim is not None,
                "plan": service.load.as_json() if service.load else None,
                "model": self._model_facts(),
            }
        )

    def _model_facts(self) -> dict[str, Any]:
        model = self._service.model
        return {
            "description": model.description,
            "architecture": model.architecture,
            "n_params": model.n_params,
            "n_ctx_train": model.n_ctx_train,
            "size": model.size_bytes,
            "n_vocab": model.n_vocab,
        }

    async def models(self, _request: Request) -> Response:
        entry = {"id": self._service.config.model_id, "object": "model", "owned_by": "local"}
        if self._service.phase is Phase.READY:
            entry["meta"] = self._model_facts()  # type: ignore[assignment]
        return JSONResponse({"object": "list", "data": [entry]})

    async def slots(self, _request: Request) -> Response:
        return JSONResponse(self._service.slots())

    async def metrics(self, _request: Request) -> Response:
        return Response(self._service.metrics_page(), media_type=metrics.CONTENT_TYPE)

    async def tokenize(self, request: Request) -> Response:
        body = await _body(request)
        text = parse.field(body, "content", str, "")
        special = parse.field(body, "parse_special", bool, False)
        tokens = self._service.model.tokenize(text, parse_special=special)
        if parse.field(body, "add_special", bool, False):
            tokens = self._service.model.bos + tokens
        return JSONResponse({"tokens": tokens})

    async def infill(self, request: Request) -> Response:
        body = await _body(request)
        options = parse.common_options(body, priority="inline")
        prompt = self._fill(parse.hole(body), options, parse.names(body), parse.known_names(body))
        shape = InfillShape(self._service.config.model_id, options.response_fields)
        return await self._answer(request, shape, options, Lane.COMPLETION, prompt)

    async def completions(self, request: Request) -> Response:
        body = await _body(request)
        options = parse.common_options(body, priority="action")
        shape = OpenAIShape(self._service.config.model_id, chat=False)
        text = parse.field(body, "prompt", str, "")
        suffix = parse.field(body, "suffix", str, "")
        if suffix:
            prompt = self._fill(Hole(prefix=text, suffix=suffix), options)
            return await self._answer(request, shape, options, Lane.COMPLETION, prompt)
        # A text may go on for long: it must not have the sequences that suggestions need.
        model = self._service.model
        tokens = model.tokenize(text)
        before = model.bos + model.tokenize(parse.field(body, "context", str, ""))
        n_echoed = len(tokens) if parse.field(body, "echo", bool, False) else 0
        generation = replace(_generation(options), prompt=before + tokens, n_echoed=n_echoed)
        return await self._answer(request, shape, options, Lane.ASSISTANT, generation)

    async def chat_completions(self, request: Request) -> Response:
        body = await _body(request)
        options = parse.common_options(body, priority="action", max_tokens=1024)
        prompt = await asyncio.to_thread(self._service.chat, parse.messages(body))
        shape = OpenAIShape(self._service.config.model_id, chat=True)
        generation = replace(
            # An edit repeats its input, a completion seldom does.
            _generation(options, guesses=MOST_OUTPUTS),
            prompt=prompt.tokens,
            boundaries=(prompt.shared,),
            shared=prompt.shared,
            thinks=prompt.thinks,
            begun_thought=prompt.begun,
        )
        return await self._answer(request, shape, options, Lane.ASSISTANT, generation)

    async def shutdown(self, _request: Request) -> Response:
        self._shut_down()
        return JSONResponse({"status": "stopping"})

    def _fill(
        self,
        hole: Hole,
        options: parse.CommonOptions,
        names: tuple[str, ...] = (),
        known_names: tuple[KnownNames, ...] = (),
    ) -> GenerationRequest:
        # A grammar knows nothing of a word that is begun outside of the answer.
        free = options.sampling.grammar is None
        prompt = self._service.infill(hole, options.max_tokens, options.document, complete_word=free)
        return replace(
            _generation(options),
            prompt=prompt.tokens,
            boundaries=prompt.boundaries,
            shared=prompt.shared,
            drop_prefix=prompt.indentation,
            begun_word=prompt.begun_word,
            line=line_before(hole.prefix, prompt.begun_word),
            names=names_behind(hole.prefix, prompt.begun_word, names) if free else (),
            known_names=known_names if free else (),
        )

    async def _answer(
        self,
        request: Request,
        shape: Shape,
        options: parse.CommonOptions,
        lane: Lane,
        generation: GenerationRequest,
    ) -> Response:
        events = self._service.run(generation, lane, options.priority, options.document)
        if options.stream:
            # The first event is awaited here, so that a bad request is still answered with its status code.
            first = await unless_disconnected(request, anext(events))
            if first is not None:
                return StreamingResponse(stream(first, events, shape, options), media_type="text/event-stream")
        elif (whole := await unless_disconnected(request, collect(events, shape))) is not None:
            return whole
        return Response(status_code=499)


def _generation(options: parse.CommonOptions, guesses: int = 0) -> GenerationRequest:
    """What was asked for, still without its prompt; ``guesses`` if the client leaves these to us."""
    return GenerationRequest(
        prompt=(),
        max_tokens=options.max_tokens,
        sampling=options.sampling,
        stop=options.stop,
        n_indent=options.n_indent,
        n_probs=options.n_probs,
        max_draft=guesses if options.speculative_n_max is None else options.speculative_n_max,
        time_limit_ms=options.time_limit_ms,
    )


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return body


def _error(code: int, kind: str, message: str, **extra: Any) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "type": kind, "message": message}, **extra}, status_code=code)
