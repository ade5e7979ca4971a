"""What a client may not send, and who may not be one."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.editor import REPOSITORY
from tests.support.engine import PATIENCE_S
from tests.support.wire import OPENING, Wire


async def test_what_comes_before_initialize_is_refused(wire: Wire) -> None:
    wire.tell("textDocument/didOpen", {"textDocument": {"uri": "file:///a.py", "languageId": "python", "version": 1}})
    wire.ask(1, "workspace/symbol", {"query": "a"})
    assert (await wire.answer(1))["error"]["code"] == -32002
    wire.ask(2, "initialize", OPENING)
    assert "capabilities" in (await wire.answer(2))["result"]


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("textDocument/completion", {"textDocument": {"uri": "file:///a.py"}, "position": {"line": "x"}}),
        ("textDocument/completion", None),
        ("textDocument/codeAction", {"range": 5}),
        ("workspace/executeCommand", {}),
        ("textDocument/inlineCompletion", []),
    ],
)
async def test_wrong_parameters_are_answered(wire: Wire, method: str, params: object) -> None:
    wire.ask(1, "initialize", OPENING)
    await wire.answer(1)
    wire.ask(2, method, params)
    assert (await wire.answer(2))["error"]["code"] == -32602
    wire.ask(3, "workspace/symbol", {"query": "a"})
    assert "result" in await wire.answer(3)


async def test_a_client_that_is_silent_about_progress(wire: Wire) -> None:
    """Helix answers nothing while it waits for an action."""
    capabilities = {
        "window": {"workDoneProgress": True},
        "textDocument": {"codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": [""]}}}},
    }
    capabilities["textDocument"]["codeAction"] |= {"resolveSupport": {"properties": ["edit"]}, "dataSupport": True}
    wire.ask(1, "initialize", {**OPENING, "capabilities": capabilities})
    await wire.answer(1)
    document = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": "def f(a):\n    return a\n"}
    wire.tell("textDocument/didOpen", {"textDocument": document})
    span = {"start": {"line": 1, "character": 4}, "end": {"line": 1, "character": 4}}
    at = {"textDocument": {"uri": "file:///a.py"}, "range": span, "context": {"diagnostics": []}}
    wire.ask(2, "textDocument/codeAction", at)
    actions = (await wire.answer(2))["result"]
    documentation = next(action for action in actions if action["kind"] == "refactor.rewrite.docstring")
    wire.ask(3, "codeAction/resolve", documentation)
    assert "result" in await wire.answer(3)


async def test_garbage_is_passed_over(wire: Wire) -> None:
    wire.ask(1, "initialize", OPENING)
    await wire.answer(1)
    for garbage in (
        "",
        "{",
        "[]",
        "5",
        '"\ud83d"',
        "null",
        '{"jsonrpc": "2.0"}',
        '{"jsonrpc": "1.0", "id": 7}',
        "[" * 500,
    ):
        wire.send(garbage)
    wire.tell("no/such/notification", {"a": 1})
    wire.tell("textDocument/didChange", {"textDocument": {}})
    wire.ask(2, "no/such/request")
    assert (await wire.answer(2))["error"]["code"] == -32601
    wire.ask(3, "workspace/symbol", {"query": "a"})
    assert "result" in await wire.answer(3)


@asynccontextmanager
async def listening(tmp_path: Path) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """The real server on a port, and its process; the token is `secret`."""
    home = {name: str(tmp_path / name) for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lsp_server", "serve", "--tcp", "--port", "0"),
        stderr=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
        env={**os.environ, **home, "SHARDLIGHT_TOKEN": "secret"},
    )
    try:
        assert process.stderr
        line = (await asyncio.wait_for(process.stderr.readline(), PATIENCE_S)).decode()
        assert "initializationOptions.token" in line
        yield int(line.partition("127.0.0.1:")[2].partition(".")[0]), process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def connected(port: int) -> Wire:
    return Wire(*await asyncio.open_connection("127.0.0.1", port))


async def test_tcp_serves_who_has_the_token_and_nobody_else(tmp_path: Path) -> None:
    async with listening(tmp_path) as (port, process):
        for options in (None, {}, {"token": "Secret"}, {"token": 5}, "secret"):
            stranger = await connected(port)
            stranger.ask(1, "initialize", {**OPENING, "initializationOptions": options})
            assert await asyncio.wait_for(stranger.reader.read(), PATIENCE_S) == b""
        page = await connected(port)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": OPENING})
        page.writer.write(
            f"POST / HTTP/1.1\r\nOrigin: https://x.example\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        assert await asyncio.wait_for(page.reader.read(), PATIENCE_S) == b""

        editor = await connected(port)
        editor.ask(1, "initialize", {**OPENING, "initializationOptions": {"token": "secret"}})
        assert "capabilities" in (await editor.answer(1))["result"]

        late = await connected(port)
        late.ask(2, "initialize", {**OPENING, "initializationOptions": {"token": "secret"}})
        late.ask(3, "workspace/symbol", {"query": "a"})
        assert await asyncio.wait_for(late.reader.read(), PATIENCE_S) == b""

        editor.ask(4, "shutdown")
        assert "result" in await editor.answer(4)
        editor.tell("exit")
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0


async def test_tcp_ends_with_its_client(tmp_path: Path) -> None:
    async with listening(tmp_path) as (port, process):
        editor = await connected(port)
        editor.ask(1, "initialize", {**OPENING, "initializationOptions": {"token": "secret"}})
        await editor.answer(1)
        editor.writer.close()
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 1
