"""Stands between an editor and the language server: writes down what goes by, and lets a test say something.

``python -m tests.editors.vscode.wire FOLDER COMMAND...`` serves over standard input and output what the command serves.
Once the server has told its status, ``FOLDER/wire NAME.json``, after the folder that is open, names a socket, which
takes JSON objects, one a line, and answers so:

* ``{"do": "sent"}``: the messages of the client so far
* ``{"do": "ask", "method": ..., "params": ...}``: what the server answers
* ``{"do": "tell", "method": ..., "params": ...}``: a notification that the client takes for one of the server
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any


class Wire:
    """One connection of an editor and a server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sent: list[dict[str, Any]] = []
        self._ids = itertools.count(1)
        self._asked: dict[str, asyncio.Future[Any]] = {}
        self._workspace = ""
        self._server: asyncio.subprocess.Process

    async def run(self, command: list[str]) -> None:
        """Until one of the two ends."""
        pipe = asyncio.subprocess.PIPE
        self._server = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 26)
        reader = asyncio.StreamReader(limit=1 << 26)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        assert self._server.stdout
        both = [asyncio.create_task(self._from_client(reader)), asyncio.create_task(self._from_server())]
        done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if both[0] in done:
            # The server ends as it would without us between.
            self._stdin.close()
            await self._server.wait()

    @property
    def _stdin(self) -> asyncio.StreamWriter:
        assert self._server.stdin
        return self._server.stdin

    async def _from_client(self, reader: asyncio.StreamReader) -> None:
        while (body := await _message(reader)) is not None:
            message = json.loads(body)
            self._sent.append(message)
            self._stdin.write(_framed(body))
            if message.get("method") == "initialize":
                self._workspace = message["params"]["workspaceFolders"][0]["name"]

    async def _from_server(self) -> None:
        assert self._server.stdout
        ready = False
        while (body := await _message(self._server.stdout)) is not None:
            message = json.loads(body)
            if "method" not in message and (asked := self._asked.pop(str(message.get("id")), None)):
                asked.set_result(message.get("result"))
            else:
                _to_client(body)
            if message.get("method") == "shardlight/status" and not ready:
                ready = True
                await self._listen()

    async def _listen(self) -> None:
        path = self._folder / f"{os.getpid()}.sock"
        await asyncio.start_unix_server(self._serve, str(path), limit=1 << 26)
        named = {"socket": str(path), "pid": self._server.pid}
        aside = self._folder / f"{os.getpid()}.json"
        aside.write_text(json.dumps(named), encoding="utf-8")
        aside.replace(self._folder / f"wire {self._workspace}.json")

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(json.dumps(await self._do(json.loads(line))).encode() + b"\n")
        writer.close()

    async def _do(self, wish: dict[str, Any]) -> Any:
        if wish["do"] == "sent":
            return self._sent
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": wish["method"], "params": wish.get("params")}
        if wish["do"] == "tell":
            _to_client(json.dumps(message).encode())
            return None
        message["id"] = f"wire-{next(self._ids)}"
        self._asked[message["id"]] = answer = asyncio.get_running_loop().create_future()
        self._stdin.write(_framed(json.dumps(message).encode()))
        return await answer


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """The next message's body; None at the end."""
    length = 0
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while line := (await reader.readuntil(b"\n")).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return await reader.readexactly(length)
    return None


def _framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _to_client(body: bytes) -> None:
    sys.stdout.buffer.write(_framed(body))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(Wire(Path(sys.argv[1])).run(sys.argv[2:]))
