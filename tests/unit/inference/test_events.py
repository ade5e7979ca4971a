from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from lsp_server.errors import BackendError, BackendRejectedError, BackendUnavailableError
from lsp_server.inference.events import events

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
ONE = b'data: {"content": "on"}\n\n'


@dataclass
class Words:
    """Somebody who is asked, with few words."""

    silence_s: float | None = 0.3

    def refused(self, response: httpx.Response) -> BackendError:
        return BackendRejectedError(f"no {response.status_code}")

    def unreachable(self, error: httpx.HTTPError) -> BackendError:
        return BackendUnavailableError(type(error).__name__)

    def failed(self, words: str) -> BackendError:
        return BackendUnavailableError(words)

    def broke_off(self) -> BackendError:
        return BackendUnavailableError("broke off")


async def served(talk: Talk) -> AsyncIterator[str]:
    """What becomes of an answer that a server on a real socket gives: its messages, then why it ended."""
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        try:
            async for message in events(client, "/infill", {}, Words()):
                yield message["content"]
        except BackendError as error:
            yield str(error)
        finally:
            server.close()


def answering(*pieces: bytes, end: Callable[[asyncio.StreamWriter], Any]) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        await end(writer)

    return talk


async def hang_up(writer: asyncio.StreamWriter) -> None:
    writer.close()


async def reset(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.01)
    writer.transport.abort()


async def say_nothing(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(2)
    writer.close()


async def drip(writer: asyncio.StreamWriter) -> None:
    for _ in range(100):
        writer.write(b"x")
        await asyncio.sleep(0.02)
    writer.close()


async def stay_alive(writer: asyncio.StreamWriter) -> None:
    for _ in range(20):
        writer.write(b": still here\n")
        await asyncio.sleep(0.02)
    writer.write(b'data: {"content": "e", "stop": true}\n\n')
    writer.close()


@pytest.mark.parametrize(
    ("end", "last"),
    [(hang_up, "broke off"), (say_nothing, "ReadTimeout"), (drip, "ReadTimeout"), (stay_alive, "e")],
    ids=["closed", "half-open", "dripping", "comments"],
)
async def test_how_an_answer_ends(end: Callable[[asyncio.StreamWriter], Any], last: str) -> None:
    assert [part async for part in served(answering(HEAD, ONE, end=end))] == ["on", last]


async def test_a_connection_that_is_reset() -> None:
    *said, last = [part async for part in served(answering(HEAD, ONE, end=reset))]

    assert said == ["on"]
    assert last in ("ReadError", "broke off"), "which of both is the platform's choice"


async def test_what_is_no_event_of_ours_ends_an_answer() -> None:
    assert [part async for part in served(answering(HEAD, ONE, b"data: [1]\n\n", end=hang_up))] == ["on", "broke off"]


async def test_closing_an_answer_closes_the_connection() -> None:
    closed = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"{}")
        writer.write(HEAD + ONE)
        await reader.read()
        closed.set()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        answer = events(client, "/infill", {}, Words(silence_s=None))
        assert (await anext(answer))["content"] == "on"
        waiting = asyncio.create_task(anext(answer))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await asyncio.wait_for(closed.wait(), 10)
    server.close()
