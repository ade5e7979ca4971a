"""Bug hints as diagnostics with quick fixes, on the scripted model."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from tests.e2e.conftest import Connect
from tests.support.editor import Editor, model_state, neovim, until, until_state

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

LAST = "# 😀\ndef last(items):\n    return <|>items[len(items)]\n"
FIXED = "def last(items):\n    return items[len(items) - 1]\n"
SCRIPT = {"chats": [FIXED, " the index is past the end."]}
MESSAGE = "Possible bug: the index is past the end."


async def found(editor: Editor, uri: str, position: lsp.Position) -> lsp.Diagnostic:
    assert await editor.command("findBugs", uri, position) == {"count": 1}
    await until(lambda: editor.client.diagnostics.get(uri))
    (diagnostic,) = editor.client.diagnostics[uri]
    return diagnostic


async def test_from_the_bug_to_its_fix(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT)
    uri, position = editor.open(root / "a.py", LAST)
    diagnostic = await found(editor, uri, position)
    assert diagnostic.message == MESSAGE
    assert diagnostic.source == "shardlight"
    assert diagnostic.range == lsp.Range(lsp.Position(2, 4), lsp.Position(2, 28))
    fix = (await editor.actions(uri, position))[0]
    assert (fix.title, fix.kind) == ("Fix: `return items[len(items) - 1]`", lsp.CodeActionKind.QuickFix)
    assert fix.is_preferred
    assert list(fix.diagnostics or []) == [diagnostic]
    assert fix.edit
    editor.apply(fix.edit)
    assert editor.texts[uri] == "# 😀\n" + FIXED
    await until(lambda: not editor.client.diagnostics[uri])
    assert "Fix" not in " ".join(action.title for action in await editor.actions(uri, position))


async def test_a_hint_moves_with_its_function_and_is_fixed_there(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT, capabilities=neovim())
    uri, position = editor.open(root / "a.py", LAST)
    await found(editor, uri, position)
    editor.type(uri, lsp.Position(0, 0), "import os\n\n\n")
    await until(lambda: editor.client.diagnostics[uri][0].range.start.line == 5)
    fix = (await editor.actions(uri, lsp.Position(5, 8), [lsp.CodeActionKind.QuickFix]))[0]
    assert fix.edit
    editor.apply(fix.edit)
    assert editor.texts[uri] == "import os\n\n\n# 😀\n" + FIXED


async def test_a_hint_is_gone_when_its_function_is_edited_or_its_file_closed(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [*SCRIPT["chats"], *SCRIPT["chats"]]})
    uri, position = editor.open(root / "a.py", LAST)
    await found(editor, uri, position)
    editor.type(uri, position, "not ")
    await until(lambda: not editor.client.diagnostics[uri])
    other, position = editor.open(root / "b.py", LAST)
    await found(editor, other, position)
    editor.close(other)
    await until(lambda: not editor.client.diagnostics[other])


async def test_no_bug_is_said_to_the_user(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["def f(x):\n    return x\n"]})
    uri, position = editor.open(root / "a.py", "def f(x):\n    return <|>x\n")
    assert await editor.command("findBugs", uri, position) == {"count": 0}
    assert editor.messages() == ["No bug was found in f."]
    assert not editor.client.diagnostics.get(uri)


async def test_on_save_only_changed_functions_are_looked_at(connect: Connect, root: Path) -> None:
    script = {"chats": ["def f(x):\n    return x\n", FIXED, " the index is past the end.", "def f(x):\n    return x\n"]}
    editor = await connect(script, options={"settings": {"bug_hints": {"on_save": True}}}, settings=None)
    uri, start = editor.open(root / "a.py", "<|>")
    editor.type(uri, start, "def f(x):\n    return x\n\n\n" + LAST.replace("<|>", ""))
    editor.save(uri)
    await until(lambda: editor.client.diagnostics.get(uri))
    await until_state(editor, begun=3, goingOn=0)
    assert editor.client.diagnostics[uri][0].message == MESSAGE
    editor.save(uri)
    editor.type(uri, lsp.Position(0, 5), "_")
    editor.save(uri)
    # One more question, about the function that changed: `f` is now `f_`.
    await until_state(editor, begun=4, goingOn=0)
    assert editor.client.diagnostics[uri][0].message == MESSAGE


async def test_what_was_there_before_is_not_looked_at_on_save(connect: Connect, root: Path) -> None:
    """The cost follows the edits, not the size of the file."""
    editor = await connect(SCRIPT, options={"settings": {"bug_hints": {"on_save": True}}}, settings=None)
    uri, position = editor.open(root / "a.py", LAST)
    editor.save(uri)
    # Any answer shows that the save before it was dealt with.
    await editor.actions(uri, position)
    assert (await model_state(editor)).begun == 0


async def test_nothing_happens_on_save_unless_it_is_switched_on(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT)
    uri, position = editor.open(root / "a.py", LAST)
    editor.save(uri)
    # Any answer shows that the save before it was dealt with.
    await editor.actions(uri, position)
    assert (await model_state(editor)).begun == 0


async def test_a_failing_model_on_save_disturbs_nobody(connect: Connect, root: Path) -> None:
    script = {"chats": [{"error": "The engine is gone."}]}
    editor = await connect(script, options={"settings": {"bug_hints": {"on_save": True}}})
    uri, start = editor.open(root / "a.py", "<|>")
    editor.type(uri, start, LAST.replace("<|>", ""))
    editor.save(uri)
    await until(lambda: any(reports for reports in editor.client.progress_reports.values() if len(reports) > 1))
    assert editor.messages() == []
