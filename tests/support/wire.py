"""A client of the language server that sends bytes, also such as no client should."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.support.engine import PATIENCE_S

OPENING = {"processId": None, "rootUri": None, "capabilities": {}}


class Wire:
    """A client of bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, body: str) -> None:
        data = body.encode("utf-8", "surrogatepass")
        self.writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(data), data))

    def ask(self, number: int, method: str, params: object = None) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))

    def tell(self, method: str, params: object = None) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    def reply(self, number: int | str, result: object) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "id": number, "result": result}))

    async def message(self) -> dict[str, Any]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        size = next(
            int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        )
        found: dict[str, Any] = json.loads(await asyncio.wait_for(self.reader.readexactly(size), PATIENCE_S))
        return found

    async def answer(self, number: int) -> dict[str, Any]:
        while True:
            message = await self.message()
            if message.get("id") == number and "method" not in message:
                return message
            assert message.get("method") != "window/showMessage", message
