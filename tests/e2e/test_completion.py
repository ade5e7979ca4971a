"""Completion while typing, on the scripted model."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcRequestCancelled

from tests.e2e.conftest import Connect
from tests.support.editor import Editor, minimal, model_state, neovim, release, until_state, vscode

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")


def encoded(encoding: str) -> lsp.ClientCapabilities:
    """The editor that speaks an encoding; no editor of ours speaks UTF-32, but the protocol does."""
    if encoding == "utf-8":
        return neovim()
    capabilities = vscode()
    if encoding == "utf-32":
        capabilities.general = lsp.GeneralClientCapabilities(position_encodings=[lsp.PositionEncodingKind.Utf32])
    return capabilities


# What may follow a suggestion is not worked out then, and each request is one to the model.
ALONE = {"settings": {"completion": {"look_ahead": False}}}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_wide_characters_before_the_cursor(encoding: str, connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["'🎉')"]}, capabilities=encoded(encoding), options=ALONE)
    assert editor.encoding.value == encoding
    uri, position = editor.open(root / "größe.py", "größe = 1\n\tprint('👩‍👩‍👧 漢字', <|>)\n".replace("\t", ""))
    (item,) = await editor.complete(uri, position)
    # The bracket that the editor has closed gives way to the one in the answer.
    assert item.insert_text == "'🎉')"
    assert item.range == lsp.Range(position, lsp.Position(position.line, position.character + 1))
    # What is typed behind those characters arrives where it was typed.
    position = editor.type(uri, position, "'🎉', ")
    (item,) = await editor.complete(uri, position)
    assert item.range == lsp.Range(position, lsp.Position(position.line, position.character + 1))
    hole = (await model_state(editor)).holes[-1]
    assert hole.prefix.endswith("漢字', '🎉', ")


async def test_a_block_in_a_crlf_file(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["\n    y = x\n    return y\n\n\ndef g(): pass"]})
    uri, position = editor.open(root / "a.py", "def f(x):<|>\r\n\r\n\r\nz = 1\r\n")
    (item,) = await editor.complete(uri, position)
    assert item.insert_text == "\r\n    y = x\r\n    return y"
    assert item.range
    assert item.range.start.line == item.range.end.line


async def test_documents_of_every_kind(connect: Connect) -> None:
    editor = await connect({"infills": ["1"]})
    for uri in (
        "untitled:Untitled-1",
        "vscode-vfs://github/org/repo/a.py",
        "file:///nowhere/a%20b.py",
        "file:///a.py",
    ):
        assert await editor.complete(*editor.open(uri, "from . import b\nx = <|>\n"))


async def test_a_language_that_nobody_knows(connect: Connect) -> None:
    editor = await connect({"infills": ["[->+<]"]})
    (item,) = await editor.complete(*editor.open("untitled:a.bf", "+++ <|>\n", "brainfuck"))
    assert item.insert_text == "[->+<]"


async def test_while_typing_a_loading_model_is_waited_for(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"], "loading": True})
    uri, position = editor.open(root / "a.py", "x = <|>\n")
    asked = asyncio.create_task(editor.complete(uri, position, invoked=False))
    await until_state(editor, begun=0)
    release(editor)
    assert [item.insert_text for item in await asked] == ["1"]


async def test_a_superseded_request_is_answered_with_nothing(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["first is long", "2"], "hold": True})
    uri, position = editor.open(root / "a.py", "x = <|>\n")
    first = asyncio.create_task(editor.complete(uri, position))
    await until_state(editor, begun=1, goingOn=1)
    second = asyncio.create_task(editor.complete(uri, position))
    assert await first == []
    await until_state(editor, begun=2, goingOn=1)
    release(editor)
    (item,) = await second
    assert item.insert_text == "2"


async def test_documents_do_not_supersede_each_other(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"], "hold": True})
    both = [asyncio.create_task(editor.complete(*editor.open(root / name, "x = <|>\n"))) for name in ("a.py", "b.py")]
    await until_state(editor, begun=2, goingOn=2)
    release(editor)
    assert all(len(items) == 1 for items in await asyncio.gather(*both))


async def test_a_suggestion_for_an_older_text_is_dropped(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"], "hold": True})
    uri, position = editor.open(root / "a.py", "x = <|>\n")
    answer = asyncio.create_task(editor.complete(uri, position))
    await until_state(editor, begun=1)
    editor.type(uri, position, "2")
    release(editor)
    assert await answer == []


async def test_cancelling_stops_the_model(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["a and more"], "hold": True})
    uri, position = editor.open(root / "a.py", "x = <|>\n")
    await cancelled(
        editor, editor.client.protocol.send_request_async(*inline_request(uri, position), msg_id="one"), "one"
    )
    # The server goes on working.
    release(editor)
    assert await editor.complete(uri, position)


def inline_request(uri: str, position: lsp.Position) -> tuple[str, lsp.InlineCompletionParams]:
    context = lsp.InlineCompletionContext(lsp.InlineCompletionTriggerKind.Invoked)
    params = lsp.InlineCompletionParams(context, lsp.TextDocumentIdentifier(uri), position)
    return lsp.TEXT_DOCUMENT_INLINE_COMPLETION, params


async def cancelled(editor: Editor, request: object, identifier: str) -> None:
    """Cancel a request that the model is working on; it must stop, and the request must be answered as cancelled."""
    task = asyncio.ensure_future(request)  # type: ignore[call-overload]
    await until_state(editor, begun=1, goingOn=1)
    editor.client.cancel_request(lsp.CancelParams(identifier))
    with pytest.raises(JsonRpcRequestCancelled):
        await editor.request(task)
    await until_state(editor, goingOn=0)


async def test_cancelling_a_command_stops_the_model(connect: Connect, root: Path) -> None:
    editor = await connect({"chats": ["Many words."], "hold": True})
    uri, position = editor.open(root / "a.py", "def f():\n    <|>pass\n")
    argument = {"uri": uri, "position": {"line": position.line, "character": position.character}}
    params = lsp.ExecuteCommandParams("shardlight.docstring", arguments=[argument])
    request = editor.client.protocol.send_request_async(lsp.WORKSPACE_EXECUTE_COMMAND, params, msg_id="one")
    await cancelled(editor, request, "one")
    assert editor.applied == []


async def test_a_failing_model_is_silent_while_typing_and_logged_once(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": [{"error": "The engine is gone."}]})
    uri, position = editor.open(root / "a.py", "x = <|>\n")
    for _ in range(3):
        assert await editor.complete(uri, position) == []
    assert editor.messages() == []
    assert [message.message for message in editor.client.log_messages] == ["The engine is gone."]


async def test_a_position_outside_the_document(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]})
    uri, _ = editor.open(root / "a.py", "x =<|>\n")
    for outside, inside in (((0, 999), (0, 3)), ((999, 0), (1, 0)), ((999, 999), (1, 0))):
        (item,) = await editor.complete(uri, lsp.Position(*outside))
        assert item.range == lsp.Range(lsp.Position(*inside), lsp.Position(*inside))


async def test_a_document_that_is_not_open(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]})
    assert await editor.complete((root / "closed.py").as_uri(), lsp.Position(0, 0)) == []
    uri, position = editor.open(root / "a.py", "x = <|>\n")
    editor.close(uri)
    assert await editor.complete(uri, position) == []


async def test_secrets_get_nothing_and_nobody_sees_them(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"], "chats": ["1"]})
    for name in (".env", "id_rsa", "secrets.yaml"):
        uri, position = editor.open(root / name, "TOKEN=<|>\n", "shellscript")
        assert await editor.complete(uri, position) == []
        assert await editor.actions(uri, position) == []
    assert (await model_state(editor)).begun == 0


async def test_a_neighbour_that_is_not_utf8(connect: Connect, root: Path) -> None:
    (root / "latin1.py").write_bytes("def größe(): ...\n".encode("latin-1"))
    editor = await connect({"infills": ["größe()"]})
    uri, position = editor.open(root / "a.py", "from latin1 import größe\nx = <|>\n")
    (item,) = await editor.complete(uri, position)
    assert item.insert_text == "größe()"


async def completions(editor: Editor, uri: str, position: lsp.Position) -> lsp.CompletionList:
    params = lsp.CompletionParams(lsp.TextDocumentIdentifier(uri), position)
    answer = await editor.request(editor.client.text_document_completion_async(params))
    assert isinstance(answer, lsp.CompletionList)
    return answer


async def listed(editor: Editor, uri: str, position: lsp.Position) -> list[lsp.CompletionItem]:
    """The items, asked for until the model's answer is among them."""

    async def poll() -> lsp.CompletionList:
        while True:
            answer = await completions(editor, uri, position)
            if answer.items or not answer.is_incomplete:
                return answer

    return list((await editor.request(poll())).items)


async def test_a_client_without_inline_completion_gets_an_item(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["al + 1"]}, capabilities=minimal())
    uri, position = editor.open(root / "a.py", "total = 1\nx = 😀 + tot<|>\n".replace("😀 + ", "'😀' + "))
    (item,) = await listed(editor, uri, position)
    assert item.label == "total + 1"
    assert item.filter_text == "tot"
    assert isinstance(item.text_edit, lsp.TextEdit)
    start = lsp.Position(position.line, position.character - 3)
    assert item.text_edit == lsp.TextEdit(lsp.Range(start, position), "total + 1")


async def test_a_long_item_has_a_short_label(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["\n    return " + "x" * 60 + "\n"]}, capabilities=minimal())
    (item,) = await listed(editor, *editor.open(root / "a.py", "def f(x):<|>\n"))
    assert item.label == "return " + "x" * 33 + "…"
    assert isinstance(item.text_edit, lsp.TextEdit)
    assert item.text_edit.new_text == "\n    return " + "x" * 60


async def test_an_item_of_a_crlf_file_is_called_by_its_first_line(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["(\n    1,\n)"]}, capabilities=minimal())
    (item,) = await listed(editor, *editor.open(root / "a.py", "x = f<|>\r\ny = 1\r\n"))
    assert (item.label, item.filter_text) == ("f(", "f")
    (item,) = await listed(editor, *editor.open(root / "b.py", "x = <|>\r\ny = 1\r\n"))
    assert (item.label, item.filter_text) == ("(", "(")


async def test_a_list_does_not_wait_for_a_slow_model(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["foo and bar"], "hold": True}, capabilities=minimal(), options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\ny = 1\n")
    answer = await completions(editor, uri, position)
    assert (answer.is_incomplete, list(answer.items)) == (True, [])
    # Nobody waits any more, but the editor will ask again.
    await until_state(editor, begun=1, goingOn=1)
    release(editor)
    await until_state(editor, goingOn=0)
    (item,) = await listed(editor, uri, editor.type(uri, position, "f"))
    assert item.label == "foo and bar"
    assert (await model_state(editor)).begun == 1


async def test_a_client_with_inline_completion_gets_no_second_copy(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]})
    assert await listed(editor, *editor.open(root / "a.py", "x = <|>\n")) == []
    assert (await model_state(editor)).begun == 0


AUTOMATIC = lsp.CodeActionTriggerKind.Automatic


async def test_where_the_cursor_rests_is_read_ahead(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\n\n\ny = 2\n")
    await editor.complete(uri, position, invoked=False)

    await editor.actions(uri, lsp.Position(2, 0), trigger=AUTOMATIC)

    await until_state(editor, begun=2, goingOn=0)
    assert (await model_state(editor)).requests == ["InfillRequest"] * 2


async def test_who_only_reads_code_or_asks_for_actions_has_nothing_read_ahead(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\n\n\ny = 2\n")
    await editor.actions(uri, lsp.Position(2, 0), trigger=AUTOMATIC)
    await editor.complete(uri, position, invoked=False)
    await editor.actions(uri, lsp.Position(2, 0), trigger=lsp.CodeActionTriggerKind.Invoked)
    await editor.complete(uri, lsp.Position(1, 0), invoked=False)

    # The first would have been asked before these two.
    assert (await model_state(editor)).requests == ["InfillRequest"] * 2


async def test_a_suggestion_ends_what_is_read_ahead(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"], "hold": True}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\n\n\ny = 2\n")
    asked = asyncio.ensure_future(editor.complete(uri, position, invoked=False))
    await until_state(editor, begun=1)
    release(editor)
    await asked
    await editor.actions(uri, lsp.Position(2, 0), trigger=AUTOMATIC)
    await until_state(editor, begun=2)

    await editor.complete(uri, lsp.Position(1, 0), invoked=False)

    await until_state(editor, begun=3, goingOn=0)
