"""The real language server as a process of its own, and an editor that talks to it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types as lsp

from tests.support.editor import REPOSITORY, Editor, quit_editor, start, vscode
from tests.support.engine import PATIENCE_S
from tests.support.wire import Wire

Connect = Callable[..., Awaitable[Editor]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder that the editor has open; its name is one that has to be encoded in a URI."""
    folder = tmp_path / "größe 1"
    folder.mkdir()
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """The cache folder of the test's servers, which none has used."""
    return tmp_path / "cache"


@pytest_asyncio.fixture
async def connect(tmp_path: Path, root: Path, cache: Path) -> AsyncIterator[Connect]:
    """``await connect({"chats": ["..."]}, capabilities=neovim(), options={"trusted": True}, settings={...})``.

    A server over a scripted model, with a folder open.
    """
    editors: list[Editor] = []
    env = {**os.environ, "XDG_CACHE_HOME": str(cache), "XDG_STATE_HOME": str(tmp_path / "state")}

    async def make(
        script: dict[str, Any] | None = None,
        *,
        capabilities: lsp.ClientCapabilities | None = None,
        options: dict[str, Any] | None = None,
        settings: dict[str, Any] | None = None,
    ) -> Editor:
        path = tmp_path / f"script-{len(editors)}.json"
        path.write_text(json.dumps(script or {}), encoding="utf-8")
        editor = await start(["-m", "tests.e2e.scripted_server", str(path)], env)
        editors.append(editor)
        if settings is not None:
            editor.client.set_configuration({"shardlight": settings})
        await editor.initialize(capabilities or vscode(), root, options)
        return editor

    yield make
    for editor in editors:
        await quit_editor(editor)


@pytest_asyncio.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    """A server over pipes that nobody has said anything to."""
    script = tmp_path / "script.json"
    script.write_text(
        json.dumps({"infills": ["0"], "chats": ["Give it back.", "The thing.", "The same."]}), encoding="utf-8"
    )
    env = {**os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "XDG_STATE_HOME": str(tmp_path / "state")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.scripted_server", str(script)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=REPOSITORY,
        env=env,
    )
    assert process.stdin
    assert process.stdout
    client = Wire(process.stdout, process.stdin)
    yield client
    client.ask(999, "shutdown")
    await client.answer(999)
    client.ask(1000, "textDocument/completion", {"textDocument": {"uri": "file:///a.py"}, "position": [0, 0]})
    client.ask(1001, "workspace/symbol", {"query": ""})
    assert (await client.answer(1001))["error"]["code"] == -32600
    client.tell("exit")
    assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
