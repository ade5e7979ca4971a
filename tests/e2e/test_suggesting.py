"""The course of a suggestion, on the scripted model: what asks it, and what does not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from tests.e2e.conftest import Connect
from tests.support.editor import Editor, model_state, release, until_state

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

ALONE = {"settings": {"completion": {"look_ahead": False}}}


async def shown(editor: Editor, uri: str, position: lsp.Position) -> str | None:
    """The suggestion while typing."""
    items = await editor.complete(uri, position, invoked=False)
    return items[0].insert_text if items else None  # type: ignore[return-value]


async def asked(editor: Editor) -> int:
    return len((await model_state(editor)).requests)


async def test_typing_as_suggested_asks_no_model(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["foo(a, b)"]}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\ny = 1\n")
    assert await shown(editor, uri, position) == "foo(a, b)"
    for typed, rest in (("f", "oo(a, b)"), ("oo", "(a, b)"), ("(a, ", "b)")):
        position = editor.type(uri, position, typed)
        assert await shown(editor, uri, position) == rest
    assert await asked(editor) == 1


async def test_a_closing_bracket_of_the_editor_gives_way(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["foo(a)"]}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\ny = 1\n")
    await shown(editor, uri, position)
    behind = editor.type(uri, position, "foo()")
    within = lsp.Position(behind.line, behind.character - 1)
    (item,) = await editor.complete(uri, within, invoked=False)
    assert (item.insert_text, item.range) == ("a)", lsp.Range(within, behind))
    assert await asked(editor) == 1


async def test_other_text_asks_anew_and_going_back_does_not(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["foo", "1 + 1"]}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\ny = 1\n")
    assert await shown(editor, uri, position) == "foo"
    behind = editor.type(uri, position, "2 * ")
    assert await shown(editor, uri, behind) == "1 + 1"
    editor.change(uri, [lsp.TextEdit(lsp.Range(position, behind), "")])
    assert await shown(editor, uri, position) == "foo"
    assert await asked(editor) == 2


async def test_what_is_being_written_is_waited_for_if_it_is_typed(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["foo and bar"], "hold": True}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\ny = 1\n")
    first = asyncio.create_task(shown(editor, uri, position))
    await until_state(editor, begun=1, goingOn=1)
    behind = editor.type(uri, position, "fo")
    second = asyncio.create_task(shown(editor, uri, behind))
    # Answered in order, so the second request has arrived.
    await model_state(editor)
    release(editor)
    assert await second == "o and bar"
    assert await first is None
    assert await asked(editor) == 1


async def test_what_is_being_written_is_given_up_if_something_else_is_typed(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["foo and bar", "1"], "hold": True}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\ny = 1\n")
    first = asyncio.create_task(shown(editor, uri, position))
    await until_state(editor, begun=1, goingOn=1)
    second = asyncio.create_task(shown(editor, uri, editor.type(uri, position, "2 * ")))
    await until_state(editor, begun=2, goingOn=1)
    release(editor)
    assert (await first, await second) == (None, "1")


async def test_a_request_that_the_editor_takes_back_may_be_taken_up(connect: Connect, root: Path) -> None:
    """VS Code cancels at each key, and asks anew."""
    editor = await connect({"infills": ["foo and bar"], "hold": True}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\ny = 1\n")
    context = lsp.InlineCompletionContext(lsp.InlineCompletionTriggerKind.Automatic)
    params = lsp.InlineCompletionParams(context, lsp.TextDocumentIdentifier(uri), position)
    first: Any = editor.client.protocol.send_request_async(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, params, msg_id="first")
    waiting = asyncio.ensure_future(first)
    await until_state(editor, begun=1, goingOn=1)
    editor.client.cancel_request(lsp.CancelParams("first"))
    second = asyncio.create_task(shown(editor, uri, editor.type(uri, position, "fo")))
    await asyncio.wait({waiting})
    waiting.exception()
    release(editor)
    assert await second == "o and bar"
    assert await asked(editor) == 1


async def test_the_line_after_a_suggestion_is_there_when_enter_is_pressed(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["y = x", "z = y"]})
    uri, position = editor.open(root / "a.py", "def f(x):\n    <|>\n    return z\n")
    assert await shown(editor, uri, position) == "y = x"
    await until_state(editor, begun=2, goingOn=0)
    position = editor.type(uri, position, "y = x\n    ")
    assert await shown(editor, uri, position) == "z = y"
    # That was known; but what may follow it is looked for in its turn.
    assert (await model_state(editor)).holes[1].prefix == "def f(x):\n    y = x\n    "


async def test_asked_for_by_key_there_are_alternatives(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["foo", "bar", "foo"]}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = <|>\n")
    assert [item.insert_text for item in await editor.complete(uri, position)] == ["foo", "bar"]
    # They are remembered as well.
    position = editor.type(uri, position, "b")
    assert await shown(editor, uri, position) == "ar"
    assert await asked(editor) == 3


async def test_in_strings_and_comments_only_by_key_or_by_setting(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["bc"]}, options=ALONE)
    uri, position = editor.open(root / "a.py", "x = 1  # a<|>\n")
    assert await shown(editor, uri, position) is None
    assert await editor.complete(uri, position, invoked=True)
    wanted = await connect({"infills": ["bc"]}, options={"settings": {"completion": {"in_text": True}}})
    assert await shown(wanted, *wanted.open(root / "a.py", "x = 1  # a<|>\n")) == "bc"
