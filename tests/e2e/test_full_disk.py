"""A disk that is really full: a small file system in memory, mounted for the server and its processes alone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from lsprotocol import types as lsp

from tests.support.editor import Editor, quit_editor, start, vscode
from tests.support.time import until

# Mounts it, fills it up, and becomes the server.
FULL = """
mount -t tmpfs -o size=64k tmpfs "$1" || exit 1
cat /dev/zero > "$1/filler" 2> /dev/null
shift
exec "$@"
"""


def may_mount() -> bool:
    unshare = shutil.which("unshare")
    return bool(unshare) and not subprocess.run([unshare, "-m", "true"], capture_output=True).returncode  # type: ignore[list-item]


pytestmark = pytest.mark.skipif(not may_mount(), reason="this takes Linux, and the right to mount a file system")


@pytest.fixture
async def editor(tmp_path: Path, root: Path) -> AsyncIterator[Editor]:
    """An editor whose server can write nothing of its own."""
    disk, script = tmp_path / "disk", tmp_path / "script.json"
    disk.mkdir()
    script.write_text(json.dumps({"infills": ["1", "2", "3"]}), encoding="utf-8")
    (root / "shapes.py").write_text("def area(radius):\n    return radius\n", encoding="utf-8")
    server = [sys.executable, "-m", "tests.e2e.scripted_server", str(script)]
    command = ["unshare", "-m", "sh", "-c", FULL, "sh", str(disk), *server]
    env = {**os.environ, **{f"XDG_{kind}_HOME": str(disk / kind) for kind in ("CACHE", "STATE", "DATA")}}
    editor = await start(["-c", f"import os; os.execvp('unshare', {command!r})"], env)
    await editor.initialize(vscode(), root, None)
    yield editor
    await quit_editor(editor)


def logged(editor: Editor, word: str) -> list[str]:
    """What the editor's log says of something."""
    return [one.message for one in editor.client.log_messages if word in one.message]


async def test_nothing_can_be_written_and_suggestions_come(editor: Editor, root: Path) -> None:
    uri, position = editor.open(root / "a.py", "import shapes\nx = <|>")
    for _ in range(3):
        assert await editor.complete(uri, position)
    await until(lambda: bool(logged(editor, "index")))
    query = lsp.WorkspaceSymbolParams("area")
    assert not await editor.request(editor.client.workspace_symbol_async(query))
    (said,) = logged(editor, "index")
    assert "full" in said
    assert editor.messages() == []
