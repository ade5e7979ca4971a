"""From a pasted traceback to an explanation and a fix, over LSP with a scripted model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from tests.e2e.conftest import Connect
from tests.support.editor import Editor
from tests.support.time import until

STATS = "def last(items):\n    return items[len(items)]\n"
MAIN = "from stats import last\n\nprint(last([]))\n"
WORDS = [" there is no such item.", " the index is the length.", " subtract one."]
FIXED = "def last(items):\n    return items[len(items) - 1]\n"


def said(folder: str) -> str:
    return (
        "Traceback (most recent call last):\n"
        f'  File "{folder}/main.py", line 3, in <module>\n    print(last([]))\n'
        f'  File "{folder}/stats.py", line 2, in last\n    return items[len(items)]\n'
        '  File "/usr/lib/python3.11/somewhere.py", line 9, in inside\n    raise IndexError\n'
        "IndexError: list index out of range\n"
    )


async def debug(editor: Editor, text: str) -> Any:
    params = lsp.ExecuteCommandParams("shardlight.debug", arguments=[{"text": text}])
    return await editor.request(editor.client.workspace_execute_command_async(params))


@pytest.fixture
def project(root: Path) -> Path:
    (root / "stats.py").write_text(STATS)
    (root / "main.py").write_text(MAIN)
    return root


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_from_the_traceback_to_the_cause(connect: Connect, project: Path, elsewhere: bool) -> None:
    editor = await connect({"chats": WORDS})
    answer = await debug(editor, said("/app" if elsewhere else str(project)))
    uri = (project / "stats.py").as_uri()
    main = (project / "main.py").as_uri()
    assert answer["markdown"] == (
        "### IndexError: list index out of range\n\n"
        f"At [stats.py, line 2]({uri}#L2) in [`last`]({uri}#L1)\n\n"
        "This means there is no such item.\n\n"
        "**Why here:** It happens because the index is the length.\n\n"
        "**To mend it:** You can subtract one.\n\n"
        f"**It came from:**\n- [main.py, line 3]({main}#L3)\n"
    )
    assert (answer["uri"], answer["range"]["start"]) == (uri, {"line": 1, "character": 4})


async def test_the_place_is_shown(connect: Connect, project: Path) -> None:
    editor = await connect({"chats": WORDS})
    await debug(editor, said(str(project)))
    await until(lambda: editor.client.shown_documents)
    shown = editor.client.shown_documents[-1]
    assert shown.uri == (project / "stats.py").as_uri()
    assert shown.selection
    assert shown.selection.start == lsp.Position(1, 4)


async def test_what_it_returns_is_what_the_fix_takes(connect: Connect, project: Path) -> None:
    editor = await connect({"chats": [*WORDS, FIXED]})
    answer = await debug(editor, said(str(project)))
    uri, _ = editor.open(project / "stats.py", f"<|>{STATS}")
    argument = {name: answer[name] for name in ("uri", "range", "problem")}
    params = lsp.ExecuteCommandParams("shardlight.fix", arguments=[argument])
    await editor.request(editor.client.workspace_execute_command_async(params))
    assert editor.texts[uri] == FIXED


async def test_the_document_counts_as_it_is_open(connect: Connect, project: Path) -> None:
    editor = await connect({"chats": WORDS})
    uri, _ = editor.open(project / "stats.py", "def other():\n    return <|>1\n")
    answer = await debug(editor, said(str(project)))
    assert answer["uri"] == uri
    assert answer["range"]["end"] == {"line": 1, "character": 12}


async def test_secrets_and_what_is_outside_are_not_read(connect: Connect, project: Path) -> None:
    (project / "secrets.json").write_text("{}")
    (project.parent / "outside.py").write_text(STATS)
    editor = await connect({"chats": WORDS})
    for path in (project / "secrets.json", project.parent / "outside.py", "../outside.py"):
        with pytest.raises(JsonRpcException, match="None of these files is in the workspace"):
            await debug(editor, f'  File "{path}", line 1, in f\nError: x\n')


async def test_a_text_without_places(connect: Connect, project: Path) -> None:
    editor = await connect()
    with pytest.raises(JsonRpcException, match="no file with a line"):
        await debug(editor, "it does not work")
