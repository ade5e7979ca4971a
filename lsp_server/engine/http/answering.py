"""From a generation's events to an answer, for as long as somebody waits for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lsp_server.engine.generation_types import Finished, Step
from lsp_server.engine.http.requests import CommonOptions
from lsp_server.engine.http.responses import Shape, timings
from lsp_server.engine.native.logprobs import TokenLogprob
from lsp_server.errors import ShardlightError

T = TypeVar("T")

Handler = Callable[[Request], Awaitable[Response]]
Handlers = Mapping[tuple[str, str], Handler]
"""What answers, by method and path."""


async def stream(
    first: Step | Finished, events: AsyncIterator[Step | Finished], shape: Shape, options: CommonOptions
) -> AsyncIterator[bytes]:
    """Server-sent events. Starlette cancels this when the client goes away, and with it the generation."""
    async with aclosing(events):  # type: ignore[type-var]
        event: Step | Finished = first
        try:
            while True:
                if isinstance(event, Finished):
                    for message in shape.last(event):
                        yield _sse(message)
                    break
                if event.text or event.thought or event.logprobs:
                    extra = {"timings": timings(event.timings)} if options.timings_per_token else {}
                    yield _sse({**shape.piece(event.text, event.logprobs, event.thought), **extra})
                event = await anext(events)
        except ShardlightError as error:
            yield _sse({"error": {"code": 500, "type": "server_error", "message": str(error)}})
        if shape.done_marker:
            yield b"data: [DONE]\n\n"


async def collect(events: AsyncIterator[Step | Finished], shape: Shape) -> Response:
    text, thought = "", ""
    logprobs: list[TokenLogprob] = []
    async with aclosing(events):  # type: ignore[type-var]
        async for event in events:
            if isinstance(event, Finished):
                return JSONResponse(shape.whole(text, event, tuple(logprobs), thought))
            text += event.text
            thought += event.thought
            logprobs.extend(event.logprobs)
    raise AssertionError("a generation ends with Finished")


async def unless_disconnected(request: Request, answer: Awaitable[T]) -> T | None:
    """Await the answer; None, and the answer cancelled, when the client goes away first."""
    task = asyncio.ensure_future(answer)
    gone = asyncio.ensure_future(disconnected(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        return task.result() if task.done() else None
    finally:
        task.cancel()
        gone.cancel()


async def disconnected(request: Request) -> None:
    """Return when the client has gone; the body must have been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def refusal(code: int, kind: str, message: str, **extra: Any) -> JSONResponse:
    """An error as OpenAI and llama-server write it."""
    return JSONResponse({"error": {"code": code, "type": kind, "message": message}, **extra}, status_code=code)


def _sse(message: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"\n\n"
