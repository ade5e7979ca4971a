"""More than one window: one that is not trusted, and what becomes of it once it is."""

from __future__ import annotations

import contextlib
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.editors.vscode.conftest import CodeServer
from tests.editors.vscode.workbench import Workbench, until
from tests.support.adding import ADD, TESTS

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "restricted 😀"


def own_program(folder: Path, program: Path) -> Path:
    """A program that a workspace brings along: it leaves a trace, and is the server all the same."""
    own = folder / "own"
    own.write_text(f'#!/bin/sh\ntouch {shlex.quote(str(folder / "ran"))}\nexec {shlex.quote(str(program))} "$@"\n')
    own.chmod(0o755)
    return own


async def given(window: Workbench) -> dict[str, Any]:
    """The settings that the server was told, once it was."""

    async def told() -> dict[str, Any] | None:
        answers = [one["result"] for one in await window.sent() if isinstance(one.get("result"), list)]
        return next((answer[0] for answer in answers if answer and isinstance(answer[0], dict)), None)

    return await until(told, lambda: "it was told nothing")


async def served_by_own(window: Workbench) -> bool:
    """Whether the server is the one that the workspace's settings name; one may end, and another begin meanwhile."""
    with contextlib.suppress(OSError, ValueError):
        return (window.folder / "ran").exists() and "models" in await given(window)
    return False


async def trusted(window: Workbench) -> bool:
    """Whether the server takes the workspace for trusted."""
    answer = await window.ask("workspace/executeCommand", {"command": "shardlight.status", "arguments": []})
    return bool(answer["trusted"])


async def test_in_restricted_mode_nothing_of_the_workspace_is_run(code_server: CodeServer, program: Path) -> None:
    folder = code_server.base / NAME
    (folder / ".vscode").mkdir(parents=True)
    settings = {
        "shardlight.server.path": str(own_program(folder, program)),
        "shardlight.models.completion": "hf:somebody/else",
        "shardlight.engine.port": 4321,
        "shardlight.completion.max_tokens": 7,
    }
    (folder / ".vscode" / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    # What runs tests in this folder runs this.
    (folder / "conftest.py").write_text(f"open({str(folder / 'ran')!r}, 'w').close()\n", encoding="utf-8")
    (code_server.base / "served" / "script.json").write_text(json.dumps({"chats": [TESTS, ""]}), encoding="utf-8")
    async with code_server.window(NAME, trusted=False) as window:
        assert "Restricted mode: nothing of this workspace is run." in await window.status(contains="Ready")
        assert not await trusted(window)
        assert await given(window) == {"completion": {"max_tokens": 7}}
        await window.open("calc.py", ADD)
        await window.go_to(2, 5)
        await window.command("Shardlight: Write unit tests for the function at the cursor")
        await window.in_view("test_calc.py")
        await window.lines(contains="assert add(1, 2) == 4")
        await window.picture("restricted")
        pid = window.server_pid()
        await window.command("Shardlight: Restart the language server")
        await window.another_server(pid)
        assert not (folder / "ran").exists()

        starts = window.calls().count(["serve"])
        await window.trust()
        await until(lambda: served_by_own(window), lambda: "the workspace's program does not serve")
        assert await trusted(window)
        assert (await given(window))["models"] == {"completion": "hf:somebody/else"}
        assert (folder / "ran").exists()
        # Though the settings have changed, too.
        assert window.calls().count(["serve"]) == starts + 1
        assert "Restricted" not in await window.status(contains="Ready")
        await window.picture("restricted-no-more")
