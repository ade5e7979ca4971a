"""Changing code as the user says, and mending what other servers complain of, over LSP with a scripted model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from tests.e2e.conftest import Connect
from tests.e2e.test_actions import ADD, BOTH
from tests.support.editor import Editor, minimal, vscode

BETTER = "def add(a, b):\n    return sum((a, b))\n"
CLEAN = ADD.replace("<|>", "")
WORSE = "def add(a, b):\n    return sum((a, b)\n"


async def run(editor: Editor, name: str, argument: dict[str, Any]) -> Any:
    params = lsp.ExecuteCommandParams(f"shardlight.{name}", arguments=[argument])
    return await editor.request(editor.client.workspace_execute_command_async(params))


def at(position: lsp.Position) -> dict[str, Any]:
    place = {"line": position.line, "character": position.character}
    return {"start": place, "end": place}


def problem(position: lsp.Position, source: str = "pyright") -> lsp.Diagnostic:
    return lsp.Diagnostic(lsp.Range(position, position), '"a" is not a number\nat all', source=source)


async def test_the_function_is_changed_as_the_user_says(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [BETTER]})
    uri, position = editor.open(root / "calc.py", ADD)
    answer = await run(editor, "edit", {"uri": uri, "range": at(position), "instruction": "use sum"})
    assert answer == {"title": "use sum", "notes": []}
    assert editor.texts[uri] == CLEAN.replace("return a + b", "return sum((a, b))")


async def test_a_query_is_written_from_its_comment(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["DELETE FROM users"]})
    uri, position = editor.open(root / "a.sql", "-- all<|> users\n", "sql")
    titles = [action.title for action in await editor.actions(uri, position)]
    assert titles == ["Write the query for “all users”"]
    answer = await run(editor, "fromComment", {"uri": uri, "position": at(position)["start"]})
    assert answer == {
        "title": "Write: all users",
        "notes": ["`DELETE FROM users` deletes every row of users."],
    }
    assert editor.texts[uri] == "-- all users\nDELETE FROM users;\n"


async def test_a_client_that_can_shows_the_change_first(connect: Connect, root: Path) -> None:
    capabilities = vscode()
    assert capabilities.workspace
    assert capabilities.workspace.workspace_edit
    assert capabilities.workspace.workspace_edit.change_annotation_support
    editor = await connect({"chats": [BETTER]}, capabilities=capabilities)
    uri, position = editor.open(root / "calc.py", ADD)
    await run(editor, "edit", {"uri": uri, "range": at(position), "instruction": "use sum"})
    (edit,) = editor.applied
    assert edit.change_annotations
    (annotation,) = edit.change_annotations.values()
    assert annotation.needs_confirmation
    assert annotation.label == "use sum"


@BOTH
async def test_what_another_server_complains_of_is_mended(capabilities: Any, connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [WORSE, BETTER]}, capabilities=capabilities())
    uri, position = editor.open(root / "calc.py", ADD)
    (action,) = await editor.actions(uri, position, ["quickfix"], diagnostics=[problem(position)])
    assert action.title == 'Fix with Shardlight: "a" is not a number'
    assert list(action.diagnostics or ()) == [problem(position)]
    assert action.edit is None
    resolved = await editor.request(editor.client.code_action_resolve_async(action))
    editor.apply(resolved.edit)
    assert editor.texts[uri] == CLEAN.replace("return a + b", "return sum((a, b))")


async def test_our_own_hints_are_not_offered_twice(connect: Connect, root: Path) -> None:
    editor = await connect()
    uri, position = editor.open(root / "calc.py", ADD)
    assert await editor.actions(uri, position, ["quickfix"], diagnostics=[problem(position, "shardlight")]) == []


async def test_a_client_that_resolves_nothing_gets_a_command(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [BETTER]}, capabilities=minimal())
    uri, position = editor.open(root / "calc.py", ADD)
    (action, *_) = await editor.actions(uri, position, ["quickfix"], diagnostics=[problem(position)])
    assert action.command
    assert action.command.command == "shardlight.fix"
    assert action.command.arguments
    params = lsp.ExecuteCommandParams(action.command.command, arguments=action.command.arguments)
    await editor.request(editor.client.workspace_execute_command_async(params))
    assert "sum" in editor.texts[uri]


async def test_refusals_say_why(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [WORSE, WORSE]})
    uri, position = editor.open(root / "calc.py", ADD)
    with pytest.raises(JsonRpcException, match="It is no sound Python"):
        await run(editor, "edit", {"uri": uri, "range": at(position), "instruction": "use sum"})
    with pytest.raises(JsonRpcException, match="nothing to do"):
        await run(editor, "edit", {"uri": uri, "range": at(position), "instruction": ""})
    with pytest.raises(JsonRpcInvalidParams, match='"instruction"'):
        await run(editor, "edit", {"uri": uri, "range": at(position)})
    assert editor.texts[uri] == CLEAN


@pytest.mark.parametrize("trusted", [True, False])
async def test_prompts_of_a_workspace_count_if_it_is_trusted(connect: Connect, root: Path, *, trusted: bool) -> None:
    folder = root / ".shardlight" / "prompts" / "edit"
    folder.mkdir(parents=True)
    (folder / "default.md").write_text("[user]\n{{ nothing_of_that_name }}\n", encoding="utf-8")
    editor = await connect({"chats": [BETTER]}, options={"trusted": trusted})
    uri, position = editor.open(root / "calc.py", ADD)
    asking = run(editor, "edit", {"uri": uri, "range": at(position), "instruction": "use sum"})
    if trusted:
        with pytest.raises(JsonRpcException, match="nothing_of_that_name"):
            await asking
    else:
        await asking


async def test_a_problem_and_selected_code_are_explained(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [" a number is needed.", " it is text.", " convert it."]})
    uri, position = editor.open(root / "calc.py", ADD)
    action, *_ = await editor.actions(uri, position, ["shardlight.explain"], diagnostics=[problem(position)])
    assert action.title == 'Explain: "a" is not a number'
    assert action.command
    params = lsp.ExecuteCommandParams(action.command.command, arguments=action.command.arguments)
    answer = await editor.request(editor.client.workspace_execute_command_async(params))
    assert answer["markdown"].startswith('### "a" is not a number\n\nThis means a number is needed.')
    line = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    answer = await run(editor, "explain", {"uri": uri, "range": line})
    assert answer["markdown"].startswith("### Lines 1 to ")


LONG = "def f(items):\n    total = 0\n    for item in items:\n        total += item\n    print(total)\n<|>"


@BOTH
async def test_selected_statements_become_a_function(capabilities: Any, connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["add_up`"]}, capabilities=capabilities())
    uri, _ = editor.open(root / "calc.py", LONG)
    selected = lsp.Range(lsp.Position(1, 4), lsp.Position(3, 21))
    params = lsp.CodeActionParams(
        lsp.TextDocumentIdentifier(uri), selected, lsp.CodeActionContext([], ["refactor.extract"])
    )
    (action,) = await editor.request(editor.client.text_document_code_action_async(params))
    assert action.title == "Extract a function"
    if action.command is None:
        resolved = await editor.request(editor.client.code_action_resolve_async(action))
        editor.apply(resolved.edit)
    else:
        command = lsp.ExecuteCommandParams(action.command.command, arguments=action.command.arguments)
        await editor.request(editor.client.workspace_execute_command_async(command))
    assert editor.texts[uri].startswith(
        "def f(items):\n    total = add_up(items)\n    print(total)\n\n\ndef add_up(items):\n"
    )


async def test_another_language_goes_into_a_new_file(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["function add(a, b) {\n  return a + b;\n}\n"]})
    (root / "calc.py").write_text(CLEAN, encoding="utf-8")
    uri, position = editor.open(root / "calc.py", ADD)
    answer = await run(editor, "port", {"uri": uri, "range": at(position), "language": "javascript"})
    assert answer["title"] == "Write add in JavaScript"
    assert (root / "calc.js").read_text(encoding="utf-8") == "function add(a, b) {\n  return a + b;\n}\n"
    assert editor.texts[uri] == CLEAN
    for language, said in (("python", "This is Python already"), ("js", "is there already")):
        (root / "calc_add.js").touch()
        with pytest.raises(JsonRpcException, match=said):
            await run(editor, "port", {"uri": uri, "range": at(position), "language": language})
    untitled, position = editor.open("untitled:Untitled-1", ADD)
    with pytest.raises(JsonRpcException, match="Save this document first"):
        await run(editor, "port", {"uri": untitled, "range": at(position), "language": "go"})


async def test_a_rewriting_is_tried_out_where_code_may_be_run(connect: Connect, root: Path) -> None:
    source = "def sign(n):\n    if n < 0:\n        return -1\n    else:\n        return 1<|>\n"
    wrong, right = "def sign(n):\n    return 1\n", "def sign(n):\n    return -1 if n < 0 else 1\n"
    calls = ["-5)", "5)", *["a b)"] * 5]
    editor = await connect({"chats": [wrong, *calls, right]}, options={"trusted": True})
    (root / "calc.py").write_text(source.replace("<|>", ""), encoding="utf-8")
    uri, position = editor.open(root / "calc.py", source)
    answer = await run(editor, "simplify", {"uri": uri, "position": at(position)["start"]})
    assert editor.texts[uri] == right
    assert answer["notes"][0].startswith("It does the same in the ")
