"""Actions on a function: listed, resolved, run as commands; on the scripted model."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from tests.e2e.conftest import Connect
from tests.support.adding import DOCUMENTED, TESTS, WORDS
from tests.support.editor import Editor, minimal, model_state, neovim, release, until_state, vscode
from tests.support.time import until

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

ADD = "def add(a, b):\n    return <|>a + b\n"
REQUEST_FAILED, CONTENT_MODIFIED = -32803, -32801

BOTH = pytest.mark.parametrize("capabilities", [vscode, neovim])


def titles(actions: list[lsp.CodeAction]) -> list[str]:
    return [action.title for action in actions]


async def resolved(editor: Editor, uri: str, position: lsp.Position, title: str) -> lsp.CodeAction:
    """Choose an action of the list, as an editor does that resolves lazily."""
    action = next(a for a in await editor.actions(uri, position) if a.title.startswith(title))
    answer = await editor.request(editor.client.code_action_resolve_async(action))
    assert isinstance(answer, lsp.CodeAction)
    return answer


@BOTH
async def test_listing_is_cheap_and_complete(capabilities: Any, connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["x"]}, capabilities=capabilities())
    uri, position = editor.open(root / "calc.py", ADD)
    actions = await editor.actions(uri, position)
    assert titles(actions) == [
        "Write documentation of add",
        "Add types to add",
        "Write unit tests for add",
        "Simplify add",
        "Optimise add",
        "Make add async",
        "Write unit tests for calc.py",
        "Write all missing documentation of calc.py",
        "Explain add",
        "Find bugs in add",
    ]
    assert all(action.edit is None for action in actions)
    assert all((action.data is None) is (action.command is not None) for action in actions)
    assert (await model_state(editor)).begun == 0


async def test_only_what_is_wanted_is_listed(connect: Connect, root: Path) -> None:
    editor = await connect()
    uri, position = editor.open(root / "calc.py", ADD)
    for only, kinds in {
        "refactor": [
            "refactor.rewrite.docstring",
            "refactor.rewrite.types",
            "refactor.unitTests",
            "refactor.rewrite.simplify",
            "refactor.rewrite.optimise",
            "refactor.rewrite.async",
        ],
        "refactor.rewrite.docstring": ["refactor.rewrite.docstring"],
        "shardlight": ["shardlight.explain", "shardlight.findBugs"],
        "refactor.extract": [],
        "quickfix": [],
        "source": ["source.shardlight.tests", "source.shardlight.docstrings"],
        "source.organizeImports": [],
    }.items():
        assert [action.kind for action in await editor.actions(uri, position, [only])] == kinds


async def test_nothing_is_listed_where_there_is_no_function(connect: Connect, root: Path) -> None:
    editor = await connect()
    assert await editor.actions(*editor.open(root / "a.py", "x = 1<|>\n")) == []
    assert await editor.actions(*editor.open(root / "a.bf", "+++<|>", "brainfuck")) == []
    assert await editor.actions((root / "closed.py").as_uri(), lsp.Position(0, 0)) == []


@BOTH
async def test_a_docstring_when_the_action_is_chosen(capabilities: Any, connect: Connect, root: Path) -> None:
    editor = await connect({"chats": WORDS}, capabilities=capabilities())
    uri, position = editor.open(root / "calc.py", ADD)
    action = await resolved(editor, uri, position, "Write documentation")
    assert action.edit
    editor.apply(action.edit)
    assert editor.texts[uri] == DOCUMENTED


async def test_a_docstring_in_an_untitled_document_behind_wide_characters(connect: Connect) -> None:
    editor = await connect({"chats": WORDS})
    uri, position = editor.open("untitled:Untitled-1", "名前 = '😀'; " + "x = 1\r\n" + ADD.replace("\n", "\r\n"))
    await editor.command("docstring", uri, position)
    assert editor.texts[uri] == "名前 = '😀'; x = 1\r\n" + DOCUMENTED.replace("\n", "\r\n")


async def test_a_docstring_by_command(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": WORDS})
    uri, position = editor.open(root / "calc.py", ADD)
    assert await editor.command("docstring", uri, position) == {"title": "Document add", "notes": []}
    assert editor.texts[uri] == DOCUMENTED
    assert len(editor.applied) == 1


async def test_an_action_offered_for_an_older_text_is_not_run(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": WORDS})
    uri, position = editor.open(root / "calc.py", ADD)
    action = (await editor.actions(uri, position))[0]
    editor.type(uri, lsp.Position(0, 0), "# new\n")
    with pytest.raises(JsonRpcException, match="changed in the meantime") as caught:
        await editor.request(editor.client.code_action_resolve_async(action))
    assert caught.value.code == CONTENT_MODIFIED
    assert (await model_state(editor)).begun == 0


async def test_a_result_for_an_older_text_is_dropped(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": WORDS, "hold": True})
    uri, position = editor.open(root / "calc.py", ADD)
    running = asyncio.create_task(editor.command("docstring", uri, position))
    await until_state(editor, begun=1)
    editor.type(uri, lsp.Position(0, 0), "# new\n")
    release(editor)
    with pytest.raises(JsonRpcException) as caught:
        await running
    assert caught.value.code == CONTENT_MODIFIED
    assert editor.applied == []


async def test_an_editor_that_refuses_the_edit_is_told_as_a_failure(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": WORDS})
    editor.refuses = True
    with pytest.raises(JsonRpcException, match="did not apply the change: read-only") as caught:
        await editor.command("docstring", *editor.open(root / "calc.py", ADD))
    assert caught.value.data == {"failureReason": "read-only"}


async def test_a_minimal_client_gets_commands_and_plain_edits(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": WORDS}, capabilities=minimal())
    uri, position = editor.open(root / "calc.py", ADD)
    actions = await editor.actions(uri, position)
    assert all(action.command is not None and action.data is None for action in actions)
    command = actions[0].command
    assert command
    params = lsp.ExecuteCommandParams(command.command, arguments=command.arguments)
    await editor.request(editor.client.workspace_execute_command_async(params))
    assert editor.texts[uri] == DOCUMENTED
    (edit,) = editor.applied
    assert edit.document_changes is None


async def test_unit_tests_are_run_and_those_that_pass_go_into_a_new_file(connect: Connect, root: Path) -> None:
    (root / "calc.py").write_text(ADD.replace("<|>", ""), encoding="utf-8")
    editor = await connect({"chats": [TESTS, ""]}, options={"trusted": True})
    uri, position = editor.open(root / "calc.py", ADD)
    answer = await editor.command("unitTests", uri, position)
    assert answer["title"] == "Add 1 test for add"
    expected = "from calc import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
    assert (root / "test_calc.py").read_text(encoding="utf-8") == expected
    said = "2 written, 1 passes, 1 dropped (1 failed). They notice 2 of 2 small changes to it."
    assert editor.messages() == [f"Add 1 test for add: {said}"]
    (edit,) = editor.applied
    assert edit.document_changes
    assert [type(change) for change in edit.document_changes] == [lsp.CreateFile, lsp.TextDocumentEdit]
    assert [shown.uri for shown in editor.client.shown_documents] == [(root / "test_calc.py").as_uri()]


async def test_unit_tests_extend_the_file_that_is_open(connect: Connect, root: Path) -> None:
    (root / "calc.py").write_text(ADD.replace("<|>", ""), encoding="utf-8")
    (root / "test_calc.py").write_text("saved\n", encoding="utf-8")
    editor = await connect({"chats": [TESTS, ""]}, options={"trusted": True})
    open_tests, _ = editor.open(root / "test_calc.py", "from calc import add\n\n\ndef test_add():\n    pass\n<|>")
    uri, position = editor.open(root / "calc.py", ADD)
    action = await resolved(editor, uri, position, "Write unit tests")
    assert action.edit
    editor.apply(action.edit)
    assert action.command
    show = lsp.ExecuteCommandParams(action.command.command, arguments=action.command.arguments)
    await editor.request(editor.client.workspace_execute_command_async(show))
    assert [shown.uri for shown in editor.client.shown_documents] == [open_tests]
    assert "    pass\n\n\ndef test_add_2():\n    assert add(1, 2) == 3\n" in editor.texts[open_tests]
    assert (root / "test_calc.py").read_text(encoding="utf-8") == "saved\n"


async def test_a_test_file_that_changed_meanwhile_is_left_alone(connect: Connect, root: Path) -> None:
    (root / "calc.py").write_text(ADD.replace("<|>", ""), encoding="utf-8")
    editor = await connect({"chats": [TESTS], "hold": True})
    tests, end = editor.open(root / "test_calc.py", "from calc import add\n<|>")
    (root / "test_calc.py").touch()
    running = asyncio.create_task(editor.command("unitTests", *editor.open(root / "calc.py", ADD)))
    await until_state(editor, begun=1)
    editor.type(tests, end, "x = 1\n")
    release(editor)
    with pytest.raises(JsonRpcException) as caught:
        await running
    assert caught.value.code == CONTENT_MODIFIED
    assert editor.applied == []


async def test_in_an_untrusted_workspace_nothing_is_run(connect: Connect, root: Path) -> None:
    (root / "calc.py").write_text("open('ran', 'w')\n", encoding="utf-8")
    editor = await connect({"chats": [TESTS]})
    answer = await editor.command("unitTests", *editor.open(root / "calc.py", ADD))
    assert answer["title"] == "Add 2 tests for add"
    assert answer["notes"] == ["not run, the workspace is not trusted."]
    assert not (root / "ran").exists()


async def test_tests_of_an_untitled_document_have_no_place(connect: Connect) -> None:
    editor = await connect({"chats": [TESTS]})
    with pytest.raises(JsonRpcException, match="Save this document first"):
        await editor.command("unitTests", *editor.open("untitled:Untitled-1", ADD))


async def test_a_test_file_that_is_not_utf8_is_left_alone(connect: Connect, root: Path) -> None:
    (root / "test_calc.py").write_bytes(b"# \xe9\n")
    editor = await connect({"chats": [TESTS, ""]}, options={"trusted": True})
    with pytest.raises(JsonRpcException, match="cannot be read as UTF-8"):
        await editor.command("unitTests", *editor.open(root / "calc.py", ADD))
    assert (root / "test_calc.py").read_bytes() == b"# \xe9\n"


async def test_simplify(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["def f(x):\n    return x > 0\n"]})
    uri, position = editor.open(root / "a.py", "def f(x):\n    if x > 0:\n        return True<|>\n    return False\n")
    action = await resolved(editor, uri, position, "Simplify f")
    assert action.edit
    editor.apply(action.edit)
    assert editor.texts[uri] == "def f(x):\n    return x > 0\n"


async def test_explain(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [" adds.", " uses `+`."]})
    answer = await editor.command("explain", *editor.open(root / "calc.py", ADD))
    assert answer == {"markdown": "### `def add(a, b)`\n\n`add` adds.\n\n**How it works:** It uses `+`.\n"}


async def test_actions_say_what_they_need(connect: Connect, root: Path) -> None:
    editor = await connect()
    unknown = editor.open(root / "a.bf", "+++<|>", "brainfuck")
    nowhere = editor.open(root / "a.py", "x = 1<|>\n")
    secret = editor.open(root / ".env", "f() {<|> :; }\n", "shellscript")
    closed = ((root / "closed.py").as_uri(), lsp.Position(0, 0))
    for command in ("docstring", "unitTests", "simplify", "explain", "findBugs"):
        for place, reason in (
            (unknown, "does not know the functions of brainfuck yet"),
            (nowhere, "There is no function at the cursor. Put the cursor into one."),
            (secret, "must not be read"),
            (closed, "is not open"),
        ):
            with pytest.raises(JsonRpcException, match=reason) as caught:
                await editor.command(command, *place)
            assert caught.value.code == REQUEST_FAILED


async def test_commands_with_wrong_arguments(connect: Connect) -> None:
    editor = await connect()
    for name, arguments in (("shardlight.docstring", []), ("shardlight.explain", ["x"]), ("shardlight.dance", [])):
        params = lsp.ExecuteCommandParams(name, arguments=arguments)
        with pytest.raises(JsonRpcInvalidParams):
            await editor.request(editor.client.workspace_execute_command_async(params))


async def test_a_refusal_is_an_answer_with_its_reason(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [""]})
    with pytest.raises(JsonRpcException, match="nothing to say about add") as caught:
        await editor.command("docstring", *editor.open(root / "calc.py", ADD))
    assert caught.value.code == REQUEST_FAILED
    assert editor.messages() == []


async def test_a_failing_model_is_an_answer_with_its_reason(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [{"error": "The engine is gone."}, *WORDS]})
    uri, position = editor.open(root / "calc.py", ADD)
    with pytest.raises(JsonRpcException, match=r"The engine is gone\."):
        await editor.command("docstring", uri, position)
    await editor.command("docstring", uri, position)
    assert editor.texts[uri] == DOCUMENTED


@BOTH
async def test_progress_begins_reports_and_ends(capabilities: Any, connect: Connect, root: Path) -> None:
    editor = await connect({"chats": WORDS}, capabilities=capabilities())
    await editor.command("docstring", *editor.open(root / "calc.py", ADD))
    (reports,) = editor.client.progress_reports.values()
    begin, *middle, end = reports
    assert isinstance(begin, lsp.WorkDoneProgressBegin)
    assert begin.title == "Write documentation of add"
    assert begin.cancellable
    assert isinstance(end, lsp.WorkDoneProgressEnd)
    assert middle
    assert all(isinstance(report, lsp.WorkDoneProgressReport) for report in middle)
    assert middle[-1].message.startswith("Documenting add, ")


async def test_progress_ends_when_the_work_fails(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": [{"error": "The engine is gone."}]})
    with pytest.raises(JsonRpcException):
        await editor.command("docstring", *editor.open(root / "calc.py", ADD))
    (reports,) = editor.client.progress_reports.values()
    assert isinstance(reports[-1], lsp.WorkDoneProgressEnd)


async def test_cancelling_the_progress_stops_the_work(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["Many words."], "hold": True})
    running = asyncio.create_task(editor.command("docstring", *editor.open(root / "calc.py", ADD)))
    await until_state(editor, begun=1, goingOn=1)
    (token,) = editor.client.progress_reports
    editor.client.window_work_done_progress_cancel(lsp.WorkDoneProgressCancelParams(token))
    with pytest.raises(JsonRpcException):
        await running
    await until_state(editor, goingOn=0)
    await until(lambda: isinstance(editor.client.progress_reports[token][-1], lsp.WorkDoneProgressEnd))


async def test_a_minimal_client_sees_no_progress(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": WORDS}, capabilities=minimal())
    await editor.command("docstring", *editor.open(root / "calc.py", ADD))
    assert editor.client.progress_reports == {}


@BOTH
async def test_selected_statements_become_a_function(capabilities: Any, connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["count_up`"]}, capabilities=capabilities())
    text = "def f(n):\n    total = n + 1\n    return total\n"
    uri, _ = editor.open(root / "a.py", text + "<|>")
    selected = lsp.Range(lsp.Position(1, 4), lsp.Position(1, 17))
    params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), selected, lsp.CodeActionContext([]))
    listed = await editor.request(editor.client.text_document_code_action_async(params))
    action = next(a for a in listed or [] if isinstance(a, lsp.CodeAction) and a.title == "Extract a function")
    assert action.kind == lsp.CodeActionKind.RefactorExtract
    if action.command:
        given = lsp.ExecuteCommandParams(action.command.command, arguments=action.command.arguments)
        await editor.request(editor.client.workspace_execute_command_async(given))
    else:
        action = await editor.request(editor.client.code_action_resolve_async(action))
        assert action.edit
        editor.apply(action.edit)
    assert editor.texts[uri] == (
        "def f(n):\n    total = count_up(n)\n    return total\n\n\n"
        "def count_up(n):\n    total = n + 1\n    return total\n"
    )
