"""Bug hints as diagnostics with quick fixes, on the scripted model."""

from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from tests.e2e.conftest import Connect
from tests.support.editor import Editor, model_state, neovim, until_state, vscode
from tests.support.time import until

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

TOTAL = "# 😀\ndef total(items, rate):\n    for item in items:\n        <|>rate += items.price\n    return rate\n"
FIXED = "def total(items, rate):\n    for item in items:\n        rate += item.price\n    return rate\n"
SCRIPT = {"knows": FIXED}
MESSAGE = "Possible bug: `items` here, where `item` would be expected."


async def found(editor: Editor, uri: str, position: lsp.Position) -> lsp.Diagnostic:
    assert await editor.command("findBugs", uri, position) == {"count": 1}
    await until(lambda: editor.client.diagnostics.get(uri))
    (diagnostic,) = editor.client.diagnostics[uri]
    return diagnostic


async def test_from_the_bug_to_its_fix(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT)
    uri, position = editor.open(root / "a.py", TOTAL)
    diagnostic = await found(editor, uri, position)
    assert diagnostic.message == MESSAGE
    assert diagnostic.source == "shardlight"
    assert diagnostic.range == lsp.Range(lsp.Position(3, 16), lsp.Position(3, 21))
    fix = (await editor.actions(uri, position))[0]
    assert (fix.title, fix.kind) == ("Fix: `rate += item.price`", lsp.CodeActionKind.QuickFix)
    assert fix.is_preferred
    assert list(fix.diagnostics or []) == [diagnostic]
    assert fix.edit
    editor.apply(fix.edit)
    assert editor.texts[uri] == "# 😀\n" + FIXED
    await until(lambda: not editor.client.diagnostics[uri])
    assert "Fix" not in " ".join(action.title for action in await editor.actions(uri, position))


async def test_a_hint_moves_with_its_function_and_is_fixed_there(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT, capabilities=neovim())
    uri, position = editor.open(root / "a.py", TOTAL)
    await found(editor, uri, position)
    editor.type(uri, lsp.Position(0, 0), "import os\n\n\n")
    await until(lambda: editor.client.diagnostics[uri][0].range.start.line == 6)
    fix = (await editor.actions(uri, lsp.Position(6, 18), [lsp.CodeActionKind.QuickFix]))[0]
    assert fix.edit
    editor.apply(fix.edit)
    assert editor.texts[uri] == "import os\n\n\n# 😀\n" + FIXED


async def test_a_hint_is_gone_when_its_function_is_edited_or_its_file_closed(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT)
    uri, position = editor.open(root / "a.py", TOTAL)
    await found(editor, uri, position)
    editor.type(uri, position, "other = ")
    await until(lambda: not editor.client.diagnostics[uri])
    other, position = editor.open(root / "b.py", TOTAL)
    await found(editor, other, position)
    editor.close(other)
    await until(lambda: not editor.client.diagnostics[other])


async def test_no_bug_is_said_to_the_user(connect: Connect, root: Path) -> None:
    editor = await connect({"knows": "def f(x):\n    return x\n"})
    uri, position = editor.open(root / "a.py", "def f(x):\n    return <|>x\n")
    assert await editor.command("findBugs", uri, position) == {"count": 0}
    assert editor.messages() == ["No bug was found in f."]
    assert not editor.client.diagnostics.get(uri)


async def test_on_save_only_changed_functions_are_looked_at(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT, options={"settings": {"bug_hints": {"on_save": True}}}, settings=None)
    uri, start = editor.open(root / "a.py", "<|>")
    editor.type(uri, start, "def f(x):\n    return x\n\n\n" + TOTAL.replace("<|>", ""))
    editor.save(uri)
    await until(lambda: editor.client.diagnostics.get(uri))
    # `f` is read; `total` is read, then with its correction.
    await until_state(editor, begun=3, goingOn=0)
    assert editor.client.diagnostics[uri][0].message == MESSAGE
    editor.save(uri)
    editor.type(uri, lsp.Position(0, 5), "_")
    editor.save(uri)
    # One more question, about the function that changed: `f` is now `f_`.
    await until_state(editor, begun=4, goingOn=0)
    assert editor.client.diagnostics[uri][0].message == MESSAGE


async def in_file(editor: Editor, uri: str) -> int:
    params = lsp.ExecuteCommandParams("shardlight.findBugsInFile", arguments=[{"uri": uri}])
    answer = await editor.request(editor.client.workspace_execute_command_async(params))
    return int(answer["count"])


MANY = TOTAL.replace("<|>", "") + "".join(f"\n\ndef f{n}(x):\n    return x\n" for n in range(200))


async def test_what_was_looked_at_is_not_asked_again_not_even_by_another_session(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT)
    uri, _ = editor.open(root / "a.py", MANY + "<|>")
    assert await in_file(editor, uri) == 1
    asked = (await model_state(editor)).begun
    assert asked == 2 + 200
    assert await in_file(editor, uri) == 1
    assert (await model_state(editor)).begun == asked
    other = await connect(SCRIPT)
    uri, _ = other.open(root / "a.py", "import_me = 1\n\n\n" + MANY + "<|>")
    assert await in_file(other, uri) == 1
    assert (await model_state(other)).begun == 0
    assert other.client.diagnostics[uri][0].range.start.line == 6


async def test_what_is_dismissed_is_never_said_again(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT)
    uri, position = editor.open(root / "a.py", TOTAL)
    await found(editor, uri, position)
    action = next(a for a in await editor.actions(uri, position) if a.title.startswith("Not a bug"))
    assert action.command
    await editor.request(
        editor.client.workspace_execute_command_async(
            lsp.ExecuteCommandParams(action.command.command, action.command.arguments)
        )
    )
    await until(lambda: not editor.client.diagnostics[uri])
    assert await editor.command("findBugs", uri, position) == {"count": 0}
    other = await connect(SCRIPT)
    # The function is another one now, and its line the same.
    uri, position = other.open(root / "b.py", TOTAL.replace("return rate", "return 2 * rate"))
    assert await other.command("findBugs", uri, position) == {"count": 0}


async def test_a_client_that_asks_for_diagnostics_is_told_when(connect: Connect, root: Path) -> None:
    capabilities = vscode()
    assert capabilities.text_document
    assert capabilities.workspace
    capabilities.text_document.diagnostic = lsp.DiagnosticClientCapabilities()
    capabilities.workspace.diagnostics = lsp.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    editor = await connect(SCRIPT, capabilities=capabilities)
    refreshed = []

    editor.client.protocol.fm.features[lsp.WORKSPACE_DIAGNOSTIC_REFRESH] = lambda _params: refreshed.append(True)
    uri, position = editor.open(root / "a.py", TOTAL)
    assert await editor.command("findBugs", uri, position) == {"count": 1}
    await until(lambda: refreshed)
    report = await editor.request(
        editor.client.text_document_diagnostic_async(lsp.DocumentDiagnosticParams(lsp.TextDocumentIdentifier(uri)))
    )
    assert [item.message for item in report.items] == [MESSAGE]
    assert not editor.client.diagnostics.get(uri), "nobody has it twice"


async def test_where_another_tool_has_spoken_we_are_silent(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT)
    uri, position = editor.open(root / "a.py", TOTAL)
    await found(editor, uri, position)
    other = lsp.Diagnostic(lsp.Range(position, position), "list has no price", source="pyright")
    titles = [action.title for action in await editor.actions(uri, position, diagnostics=[other])]
    assert "Fix with Shardlight: list has no price" in titles
    assert "Fix: `rate += item.price`" not in titles
    await until(lambda: not editor.client.diagnostics[uri])


async def test_a_hint_is_explained(connect: Connect, root: Path) -> None:
    editor = await connect({**SCRIPT, "chats": [" it is a list.", " of a typo.", " rename it."]})
    uri, position = editor.open(root / "a.py", TOTAL)
    await found(editor, uri, position)
    action = next(a for a in await editor.actions(uri, position) if a.title == "Explain the possible bug")
    assert action.command
    answer = await editor.request(
        editor.client.workspace_execute_command_async(
            lsp.ExecuteCommandParams(action.command.command, action.command.arguments)
        )
    )
    assert answer["markdown"].startswith("### Possible bug: ")


async def test_what_was_there_before_is_not_looked_at_on_save(connect: Connect, root: Path) -> None:
    """The cost follows the edits, not the size of the file."""
    editor = await connect(SCRIPT, options={"settings": {"bug_hints": {"on_save": True}}}, settings=None)
    uri, position = editor.open(root / "a.py", TOTAL)
    editor.save(uri)
    # Any answer shows that the save before it was dealt with.
    await editor.actions(uri, position)
    assert (await model_state(editor)).begun == 0


async def test_nothing_happens_on_save_unless_it_is_switched_on(connect: Connect, root: Path) -> None:
    editor = await connect(SCRIPT)
    uri, position = editor.open(root / "a.py", TOTAL)
    editor.save(uri)
    # Any answer shows that the save before it was dealt with.
    await editor.actions(uri, position)
    assert (await model_state(editor)).begun == 0


async def test_a_failing_model_on_save_disturbs_nobody(connect: Connect, root: Path) -> None:
    # It tells of no token how likely that is.
    script = {"chats": []}
    editor = await connect(script, options={"settings": {"bug_hints": {"on_save": True}}})
    uri, start = editor.open(root / "a.py", "<|>")
    editor.type(uri, start, TOTAL.replace("<|>", ""))
    editor.save(uri)
    await until(lambda: any(reports for reports in editor.client.progress_reports.values() if len(reports) > 1))
    assert editor.messages() == []
