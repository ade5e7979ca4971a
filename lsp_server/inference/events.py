"""The server-sent events of an answer, and what is said where they do not come, or not to their end."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Protocol

import httpx

from lsp_server.errors import BackendError

_JSON = {"Content-Type": "application/json"}


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
    client: httpx.AsyncClient, path: str, body: dict[str, Any], asked: Asked
) -> AsyncGenerator[dict[str, Any], None]:
    """The messages of an answer, up to and including the last one. Closing it closes the connection.

    Raises:
        BackendError: see ``Asked``.
    """
    try:
        # In ASCII: half a character, which an editor may have in its text, cannot be sent in any other way.
        async with client.stream("POST", path, content=json.dumps(body), headers=_JSON) as response:
            if response.status_code != 200:
                await response.aread()
                raise asked.refused(response)
            async with aclosing(_lines(response, asked)) as lines:
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


async def _lines(response: httpx.Response, asked: Asked) -> AsyncGenerator[str, None]:
    lines: AsyncIterator[str] = response.aiter_lines()
    # Until the first one the server may be reading, which the client's own limits allow for.
    limit = None
    while True:
        try:
            line = await asyncio.wait_for(anext(lines), limit)
        except StopAsyncIteration:
            return
        except asyncio.TimeoutError:
            raise httpx.ReadTimeout("") from None
        yield line
        limit = asked.silence_s


def reason_of(response: httpx.Response, field: str = "error") -> str:
    """Why a server said no; empty if it does not say."""
    try:
        return words(response.json()[field])
    except (ValueError, KeyError, TypeError):
        return ""


def words(error: Any) -> str:
    """What an error object says; some servers send a bare text."""
    return str(error.get("message", error) if isinstance(error, dict) else error)
