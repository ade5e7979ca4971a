"""The endpoints. Everything but ``/health`` needs the bearer token; every request needs a loopback ``Host``.

Pages in a browser get nothing (``browsers.py``). What others than our own servers ask is in ``llama_server`` and
``openai``.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from typing import cast

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lsp_server.engine.http.answering import Handler, Handlers, refusal
from lsp_server.engine.http.browsers import NoBrowsers
from lsp_server.engine.http.llama_server import LlamaServer
from lsp_server.engine.http.openai import OpenAI
from lsp_server.engine.http.sharing import Sharing
from lsp_server.engine.leases import Leases
from lsp_server.engine.service import EngineService, Phase
from lsp_server.errors import EngineError, InvalidRequestError


def create_app(
    service: EngineService,
    token: str,
    leases: Leases,
    shut_down: Callable[[], None],
    drain: Callable[[], None],
    client_token: Callable[[], str] = str,
) -> Starlette:
    """The ASGI application.

    Args:
        token: what clients send as ``Authorization: Bearer``.
        shut_down: called by ``POST /shutdown``.
        drain: called by ``POST /drain``.
        client_token: gives another token, which opens what clients of other makers ask for; empty for none.
    """

    async def health(_request: Request) -> Response:
        return _health(service)

    async def shutdown(_request: Request) -> Response:
        shut_down()
        return JSONResponse({"status": "stopping"})

    def guarded(handler: Handler, others: Callable[[], str] = str) -> Handler:
        async def run(request: Request) -> Response:
            given = request.headers.get("authorization", "")
            if not _is(given, token) and not _is(given, others()):
                return refusal(401, "authentication_error", "The bearer token is missing or wrong.")
            try:
                return await handler(request)
            except InvalidRequestError as error:
                return refusal(400, "invalid_request_error", str(error))
            except EngineError as error:
                if service.leaving or service.phase is Phase.LOADING:
                    return refusal(503, "unavailable_error", str(error))
                return refusal(500, "server_error", str(error))
            except ClientDisconnect:
                # In the middle of its request, as a key does that ends a suggestion. Nobody reads this.
                return Response(status_code=499)

        return run

    sharing = Sharing(leases, drain)
    dialects: Handlers = {**LlamaServer(service, leases).handlers, **OpenAI(service).handlers}
    return Starlette(
        routes=[
            Route("/health", health),
            Route("/v1/health", health),
            *(
                Route(path, guarded(handler, client_token), methods=[method])
                for (method, path), handler in dialects.items()
            ),
            Route("/lease", guarded(sharing.lease), methods=["POST"]),
            Route("/drain", guarded(sharing.drain), methods=["POST"]),
            Route("/shutdown", guarded(shutdown), methods=["POST"]),
        ],
        # A page in a browser can reach loopback by a name of its own (DNS rebinding); its Host gives it away.
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]),
            Middleware(NoBrowsers),
        ],
        exception_handlers={HTTPException: _no_such_endpoint, Exception: _defect},
    )


def _is(given: str, token: str) -> bool:
    return bool(token) and hmac.compare_digest(given.encode(), f"Bearer {token}".encode())


def _health(service: EngineService) -> Response:
    if stuck_s := service.stuck_s:
        return refusal(503, "unavailable_error", f"Nothing has moved for {stuck_s:.0f} s.", status="stuck")
    if service.phase is Phase.READY:
        return JSONResponse({"status": "ok"})
    if service.phase is Phase.FAILED:
        return refusal(500, "server_error", service.failure)
    progress = {"status": "loading model", "progress": service.loaded_fraction}
    return refusal(503, "unavailable_error", "Loading model", **progress)


async def _no_such_endpoint(request: Request, error: Exception) -> Response:
    """In the shape of every other error: client libraries read no other."""
    error = cast(HTTPException, error)
    message = f"{request.method} {request.url.path} is not served here."
    kind = "not_found_error" if error.status_code == 404 else "invalid_request_error"
    answered = refusal(error.status_code, kind, message)
    answered.headers.update(error.headers or {})
    return answered


async def _defect(_request: Request, _error: Exception) -> Response:
    return refusal(500, "server_error", "The engine failed at this request; its log says at what.")
