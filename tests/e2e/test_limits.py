"""Documents as nobody writes them, and more changes than anybody makes: the server lives, and knows the text."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.wire import OPENING, Wire

URI = "file:///w/a.py"
INLINE = {"capabilities": {"textDocument": {"inlineCompletion": {}}}}


async def opened(wire: Wire, text: str, language: str = "python") -> None:
    wire.ask(1, "initialize", {**OPENING, **INLINE})
    await wire.answer(1)
    wire.tell("initialized", {})
    wire.tell(
        "textDocument/didOpen",
        {"textDocument": {"uri": URI, "languageId": language, "version": 0, "text": text}},
    )


def at(line: int, character: int) -> dict[str, int]:
    return {"line": line, "character": character}


def insert(wire: Wire, version: int, line: int, character: int, text: str) -> None:
    place = {"start": at(line, character), "end": at(line, character)}
    changes = [{"range": place, "text": text}]
    wire.tell("textDocument/didChange", {"textDocument": {"uri": URI, "version": version}, "contentChanges": changes})


async def before_the_hole(wire: Wire, number: int, line: int, character: int) -> list[str]:
    """What the model was shown before a place where a suggestion was asked for, and then before what may come next."""
    place = {"textDocument": {"uri": URI}, "position": at(line, character), "context": {"triggerKind": 1}}
    wire.ask(number, "textDocument/inlineCompletion", place)
    assert "result" in await wire.answer(number)
    wire.ask(number + 1, "test/state", {})
    holes: list[dict[str, Any]] = (await wire.answer(number + 1))["result"]["holes"]
    return [hole["prefix"] for hole in holes]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("def f(a, b):\n    return a + b\n\n\n" * 1_500_000, "python"),
        (f"x = [{'1, ' * 1_700_000}]\n", "python"),
        (f"var a = {{{'b: 1, ' * 800_000}}}\n", "javascript"),
        (f"x = {'(' * 10_000}1{')' * 10_000}\n", "python"),
        (f"x = {'[' * 10_000}\n", "python"),
        (f"x = '{'é漢😀' * 500_000}'\n", "python"),
        ("".join(f"{'    ' * depth}def f{depth}():\n" for depth in range(900)), "python"),
        (f"{'<a>' * 10_000}", "html"),
        ("\ud83d" * 1000, "python"),
    ],
    ids=["50 MB", "5 MB in a line", "5 MB of JavaScript", "nested", "open", "not ASCII", "functions", "HTML", "halves"],
)
async def test_documents_that_are_too_much(wire: Wire, text: str, language: str) -> None:
    await opened(wire, text, language)
    insert(wire, 1, 0, 0, "q")
    insert(wire, 2, 99_999_999, 99_999_999, "\nz = ")
    last = text.count("\n") + 1
    assert any(prefix.endswith("z = ") for prefix in await before_the_hole(wire, 10, last, 4))
    insert(wire, 3, last, 4, "1")
    for number, method in enumerate(("textDocument/codeAction", "textDocument/diagnostic"), 20):
        span = {"start": at(0, 1), "end": at(0, 1)}
        wire.ask(number, method, {"textDocument": {"uri": URI}, "range": span, "context": {"diagnostics": []}})
        assert "result" in await wire.answer(number)


@pytest.mark.parametrize(("opening", "closing"), ["()", "[]", "{}"])
async def test_a_cursor_ten_thousand_brackets_deep(wire: Wire, opening: str, closing: str) -> None:
    """In what is closed, so that the tree is as deep; the way out of it is gone at each key."""
    await opened(wire, f"x = {opening * 10_000}{closing * 10_000}\n")
    for version, letter in enumerate("len(", 1):
        insert(wire, version, 0, 10_003 + version, letter)
    assert (await before_the_hole(wire, 10, 0, 10_008))[0].endswith(f"{opening * 100}len(")
    span = {"start": at(0, 10_004), "end": at(0, 10_006)}
    wire.ask(
        20, "textDocument/codeAction", {"textDocument": {"uri": URI}, "range": span, "context": {"diagnostics": []}}
    )
    assert "result" in await wire.answer(20)


async def test_ten_thousand_changes_at_once(wire: Wire) -> None:
    await opened(wire, "x = \n")
    for version in range(1, 10_001):
        insert(wire, version, 0, 4 + version - 1, str(version % 10))
    first = (await before_the_hole(wire, 10, 0, 10_004))[0]
    text = "x = " + "".join(str(version % 10) for version in range(1, 10_001))
    assert text.endswith(first)
    assert len(first) > 500


async def test_places_that_are_not_there(wire: Wire) -> None:
    await opened(wire, "def f(a):\n    return a\n")
    for number, place in enumerate(((0, 99), (99, 0), (2**31 - 1, 2**31 - 1)), 10):
        params = {"textDocument": {"uri": URI}, "position": at(*place), "context": {"triggerKind": 1}}
        wire.ask(number, "textDocument/inlineCompletion", params)
        assert "result" in await wire.answer(number)
    params = {"textDocument": {"uri": URI}, "position": at(-5, -1), "context": {"triggerKind": 1}}
    wire.ask(20, "textDocument/inlineCompletion", params)
    assert "id" in await wire.answer(20)


async def test_a_client_that_vanishes(wire: Wire) -> None:
    """The fixture says goodbye all the same: to a server that nobody has opened anything in again."""
    await opened(wire, "x = 1\n")
    wire.tell("textDocument/didClose", {"textDocument": {"uri": URI}})
    insert(wire, 5, 0, 0, "too late")
    wire.ask(10, "workspace/symbol", {"query": "a"})
    assert "result" in await wire.answer(10)
