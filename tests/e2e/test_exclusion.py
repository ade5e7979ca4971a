"""What git or the settings leave out is nowhere to be seen, however early it is opened; on the scripted model."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lsprotocol import types as lsp

from tests.e2e.conftest import Connect
from tests.support.editor import Editor, model_state

LOCAL = 'STRIPE_KEY = "sk_live"\nDATABASE_URL = "postgres"\n\n\ndef connect_to_database(): ...\n'
MAIN = "from local_settings import STRIPE_KEY, DATABASE_URL\n\n\ndef connect():\n    return connect_to_database(<|>)\n"


async def shown(editor: Editor, since: int) -> str:
    """What the model was shown after so many requests."""
    holes = (await model_state(editor)).holes[since:]
    return "\n".join("\n".join((hole.prefix, hole.suffix, *(text for _, text in hole.context))) for hole in holes)


async def is_nowhere(editor: Editor, root: Path) -> None:
    """Suggestions, actions and the search for symbols know nothing of the file that is left out."""
    asked = len((await model_state(editor)).holes)
    uri, position = editor.open(root / "main.py", MAIN)
    assert await editor.complete(uri, position)
    text = await shown(editor, asked)
    assert "connect_to_database(" in text
    assert "sk_live" not in text
    assert "def connect_to_database" not in text
    query = lsp.WorkspaceSymbolParams("connect_to_database")
    assert not await editor.request(editor.client.workspace_symbol_async(query))


async def test_a_file_that_git_ignores_is_opened_at_once(connect: Connect, root: Path) -> None:
    (root / ".gitignore").write_text("local_settings.py\n", encoding="utf-8")
    (root / "local_settings.py").write_text(LOCAL, encoding="utf-8")
    editor = await connect({"infills": ["1"]}, settings={})
    uri, position = editor.open(root / "local_settings.py", LOCAL + "<|>")
    assert await editor.complete(uri, position) == []
    await is_nowhere(editor, root)


async def test_what_is_left_out_no_more_is_known_as_it_is_open(connect: Connect, root: Path) -> None:
    editor = await connect(options={"settings": {"index": {"exclude": ["open.py"]}}})
    query = lsp.WorkspaceSymbolParams("never_saved")
    editor.open(root / "open.py", "def never_saved(): ...<|>")
    assert not await editor.request(editor.client.workspace_symbol_async(query))
    editor.client.set_configuration({"shardlight": {}})
    editor.client.workspace_did_change_configuration(lsp.DidChangeConfigurationParams({}))

    async def known() -> None:
        while not await editor.request(editor.client.workspace_symbol_async(query)):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    await asyncio.wait_for(known(), editor.patience_s)


async def test_the_settings_leave_out_what_was_opened_before_they_were_known(connect: Connect, root: Path) -> None:
    (root / "local_settings.py").write_text(LOCAL, encoding="utf-8")
    editor = await connect({"infills": ["1"]}, settings={"index": {"exclude": ["local_settings.py"]}})
    uri, position = editor.open(root / "local_settings.py", LOCAL + "<|>")

    async def left_out() -> None:
        while await editor.complete(uri, position):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(0.01)

    await asyncio.wait_for(left_out(), editor.patience_s)
    await is_nowhere(editor, root)
