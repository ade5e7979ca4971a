"""What a real server process writes to stderr: nothing of documents, unless it is asked for everything."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.editor import REPOSITORY
from tests.support.engine import PATIENCE_S
from tests.support.wire import OPENING, Wire

MARKER = "zebra_crossing"
TEXT = f'def {MARKER}(a):\n    """{MARKER}"""\n    return a + {MARKER}\n\n\nx = {MARKER}.\n'
URI = "file:///a.py"
# Of a model that quotes what it was given.
QUOTING = {"error": f"not {MARKER}"}


class Program:
    """A server's process, and its client."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        assert process.stdin
        assert process.stdout
        self.wire = Wire(process.stdout, process.stdin)
        self._process = process
        self._log = log

    async def stderr(self) -> str:
        """What it has written, once it has gone."""
        self.wire.ask(99, "shutdown")
        await answers(self.wire, 99)
        self.wire.tell("exit")
        await asyncio.wait_for(self._process.wait(), PATIENCE_S)
        return self._log.read_text(encoding="utf-8")


async def started(tmp_path: Path, *command: str) -> Program:
    names = ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
    log = tmp_path / "log"
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            cwd=REPOSITORY,
            env={**os.environ, **{name: str(tmp_path / name) for name in names}},
        )
    return Program(process, log)


async def serving(tmp_path: Path, level: str | None) -> Program:
    """The server that editors start; there is no model."""
    return await started(tmp_path, "lsp_server", *(("--log-level", level) if level else ()), "serve")


async def scripted(tmp_path: Path, level: str | None, script: dict[str, Any]) -> Program:
    """The same with a model that answers."""
    path = tmp_path / "script.json"
    path.write_text(json.dumps({**script, "log": (level or "warning").upper()}), encoding="utf-8")
    return await started(tmp_path, "tests.e2e.scripted_server", str(path))


async def session(wire: Wire) -> None:
    """What an editor does, rightly and wrongly, with a document that has the marker in it."""
    place = {"textDocument": {"uri": URI}, "position": {"line": 5, "character": 4 + len(MARKER)}}
    span = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 4}}
    wire.ask(1, "initialize", OPENING)
    await wire.answer(1)
    wire.tell("initialized", {})
    document = {"uri": URI, "languageId": "python", "version": 1, "text": TEXT}
    wire.tell("textDocument/didOpen", {"textDocument": document})
    change = {"range": span, "text": f"{MARKER}_"}
    wire.tell("textDocument/didChange", {"textDocument": {"uri": URI, "version": 2}, "contentChanges": [change]})
    wire.ask(2, "textDocument/completion", place)
    wire.ask(3, "textDocument/inlineCompletion", {**place, "context": {"triggerKind": 1}})
    wire.ask(
        4, "textDocument/codeAction", {"textDocument": {"uri": URI}, "range": span, "context": {"diagnostics": []}}
    )
    wire.ask(5, "workspace/symbol", {"query": MARKER})
    wire.ask(6, "workspace/executeCommand", {"command": "shardlight.docstring", "arguments": [place]})
    await answers(wire, 2, 3, 4, 5, 6)
    # Ours is a request of a wrong version, of a wrong form, and no JSON at all.
    for garbage in (
        json.dumps({"jsonrpc": "1.0", "method": "textDocument/didOpen", "params": {"textDocument": document}}),
        json.dumps({"jsonrpc": "1.0", "id": 7, "method": "x", "params": TEXT}),
        json.dumps({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": TEXT}}),
        json.dumps({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": TEXT}),
        json.dumps({"jsonrpc": "2.0", "method": f"$/{MARKER} {MARKER}", "params": TEXT}),
        json.dumps({"jsonrpc": "2.0", "id": TEXT, "result": TEXT}),
        json.dumps({"jsonrpc": "2.0", "id": TEXT, "error": TEXT}),
        json.dumps({"text": TEXT}),
        json.dumps(TEXT),
        TEXT,
        '{"text": "' + MARKER,
    ):
        wire.send(garbage)
    wrong = {"textDocument": {"uri": URI, "version": 3}, "contentChanges": [{"range": {"start": TEXT}, "text": TEXT}]}
    wire.tell("textDocument/didChange", wrong)
    wire.tell("textDocument/didChange", {"textDocument": {"uri": MARKER, "version": 3}, "contentChanges": [change]})
    wire.ask(8, "workspace/executeCommand", {"command": "shardlight.docstring", "arguments": [TEXT]})
    await answers(wire, 8)
    wire.tell("textDocument/didClose", {"textDocument": {"uri": URI}})
    wire.ask(9, "workspace/symbol", {"query": "a"})
    await answers(wire, 9)


async def answers(wire: Wire, *numbers: int) -> None:
    """Wait for answers, whatever they are; nothing is told to what the server asks meanwhile."""
    missing = set(numbers)
    while missing:
        message = await wire.message()
        if "method" not in message:
            missing.discard(message.get("id", 0))
        elif "id" in message:
            wire.reply(message["id"], None)


@pytest.mark.parametrize("level", [None, "info"])
async def test_no_text_of_a_document_is_in_the_log(tmp_path: Path, level: str | None) -> None:
    program = await serving(tmp_path, level)
    await session(program.wire)
    log = await program.stderr()

    assert MARKER not in log
    assert "Unknown message" in log


@pytest.mark.parametrize("level", [None, "info"])
async def test_no_suggestion_and_no_failure_is_in_the_log(tmp_path: Path, level: str | None) -> None:
    program = await scripted(tmp_path, level, {"infills": [f"{MARKER}()"] * 9, "chats": [f"{MARKER}\n\n", QUOTING] * 9})
    await session(program.wire)

    assert MARKER not in await program.stderr()


async def test_who_asks_for_everything_gets_it(tmp_path: Path) -> None:
    program = await serving(tmp_path, "debug")
    await session(program.wire)

    assert MARKER in await program.stderr()
