"""The server-sent events of an answer, and what is said where they do not come, or not to their end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from typing import Any, Protocol, TypeVar

import httpx

from lsp_server.errors import BackendError

T = TypeVar("T")
LifeSign = Callable[[], Awaitable[None]]

_JSON = {"Content-Type": "application/json"}
# A server that has said nothing for so long is asked for a sign of life.
_PATIENCE_S = 5.0


class Asked(Protocol):
    """Who is asked: its words for what goes wrong, and how long it may say nothing."""

    @property
    def silence_s(self) -> float | None:
        """Longest time between two lines of an answer that has begun; None for as long as the connection lasts."""
        ...

    def refused(self, response: httpx.Response) -> BackendError:
        """It answered with another status than 200."""
        ...

    def unreachable(self, error: httpx.HTTPError) -> BackendError:
        """The connection did not come about, or ended, or nothing came through it for too long."""
        ...

    def failed(self, words: str) -> BackendError:
        """It said within an answer that it failed."""
        ...

    def broke_off(self) -> BackendError:
        """Its answer ended in the middle."""
        ...


async def events(
    client: httpx.AsyncClient, path: str, body: dict[str, Any], asked: Asked, life_sign: LifeSign | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """The messages of an answer, up to and including the last one. Closing it closes the connection.

    Args:
        life_sign: raises BackendError if there is none; waited for now and then while no answer comes, which may be
            for a long prompt, or because nobody is there any more.

    Raises:
        BackendError: see ``Asked``.
    """
    try:
        async with AsyncExitStack() as stack:
            # In ASCII: half a character, which an editor may have in its text, cannot be sent in any other way.
            asking = client.stream("POST", path, content=json.dumps(body), headers=_JSON)
            response = await _in_time(stack.enter_async_context(asking), life_sign)
            if response.status_code != 200:
                await response.aread()
                raise asked.refused(response)
            async with aclosing(_lines(response, asked, life_sign)) as lines:
                async for line in lines:
                    name, _, data = line.partition(":")
                    if name != "data" or data.strip() == "[DONE]":
                        continue
                    try:
                        message = json.loads(data)
                    except ValueError:
                        break
                    if not isinstance(message, dict):
                        break
                    if "error" in message:
                        raise asked.failed(words(message["error"]))
                    yield message
                    if message.get("stop") is True or (message.get("choices") or [{}])[0].get("finish_reason"):
                        return
    except httpx.HTTPError as error:
        raise asked.unreachable(error) from error
    raise asked.broke_off()


async def _lines(response: httpx.Response, asked: Asked, life_sign: LifeSign | None) -> AsyncGenerator[str, None]:
    lines: AsyncIterator[str] = response.aiter_lines()
    try:
        # Until the first one the server may be reading, which the client's own limits allow for.
        yield await _in_time(anext(lines), life_sign)
        while True:
            yield await asyncio.wait_for(anext(lines), asked.silence_s)
    except StopAsyncIteration:
        return
    except asyncio.TimeoutError:
        raise httpx.ReadTimeout("") from None


async def _in_time(work: Awaitable[T], life_sign: LifeSign | None) -> T:
    """Wait for something as long as there are signs of life."""
    if life_sign is None:
        return await work
    task = asyncio.ensure_future(work)
    try:
        while not (await asyncio.wait({task}, timeout=_PATIENCE_S))[0]:
            await life_sign()
        return task.result()
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task})


def reason_of(response: httpx.Response, field: str = "error") -> str:
    """Why a server said no; empty if it does not say."""
    try:
        return words(response.json()[field])
    except (ValueError, KeyError, TypeError):
        return ""


def words(error: Any) -> str:
    """What an error object says; some servers send a bare text."""
    return str(error.get("message", error) if isinstance(error, dict) else error)
