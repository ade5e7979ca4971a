"""A server on a real socket that speaks llama-server's dialect, and whose model says always the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

# What a probe of our client is answered with; see ``inference/probing.py``.
_PAGES: dict[str, Any] = {
    "/health": {"status": "ok"},
    "/props": {"default_generation_settings": {}},
    "/v1/models": {"data": [{"id": "small"}]},
    "/infill": {"content": " b"},
    "/v1/chat/completions": {"choices": [{"message": {"content": "1, 2, 3, 4, 5"}}]},
}


@dataclass
class SmallServer:
    """What it does; may be changed at any time.

    Attributes:
        says: the words of each of its answers.
        status: of each of its answers; 200: a good one.
        reads: cleared, it says nothing until it is set again, as over a long prompt.
        pause_s: between two words.
        asked: how many answers were begun.
    """

    says: tuple[str, ...] = ("one ", "two ", "three")
    status: int = 200
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    pause_s: float = 0.0
    asked: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1]
            length = next((int(line[15:]) for line in head.split("\r\n") if line.lower()[:15] == "content-length:"), 0)
            body = json.loads(await reader.readexactly(length) or b"{}")
            if body.get("stream"):
                await self._stream(path, writer)
            else:
                _head(writer, self.status if path != "/health" else 200)
                writer.write(json.dumps(_PAGES.get(path, {})).encode())
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _stream(self, path: str, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        await self.reads.wait()
        _head(writer, self.status)
        for word in self.says:
            _say(writer, path, word)
            await writer.drain()
            await asyncio.sleep(self.pause_s)
        _say(writer, path, "", ended=True)


def _head(writer: asyncio.StreamWriter, status: int) -> None:
    writer.write(b"HTTP/1.1 %d X\r\nConnection: close\r\n\r\n" % status)


def _say(writer: asyncio.StreamWriter, path: str, word: str, *, ended: bool = False) -> None:
    if path == "/infill":
        message: dict[str, Any] = {"content": word, "stop": ended, "stop_type": "eos"}
    else:
        message = {"choices": [{"delta": {"content": word}, "finish_reason": "stop" if ended else None}]}
    writer.write(b"data: %s\n\n" % json.dumps(message).encode())


@asynccontextmanager
async def small_server(*says: str) -> AsyncIterator[SmallServer]:
    """A server that listens on a port of this machine."""
    server = SmallServer(says or SmallServer.says)
    server.reads.set()
    listening = await asyncio.start_server(server._answer, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
