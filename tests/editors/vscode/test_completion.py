"""Suggestions in VS Code: shown, taken whole and in part, others of them, asked for, paused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.editors.vscode.workbench import Workbench

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADD = "def add(a, b):\n    \n\n\ndef other():\n    pass\n"
WHOLE = ADD.replace("    \n", "    return a + b\n")
LONG = "a\n    b = 2\n    return a + b"
ASKED = "textDocument/inlineCompletion"


async def suggested(workbench: Workbench, name: str, *infills: str, shown: str = "") -> None:
    """A suggestion is shown behind `return `, or whatever is typed."""
    await workbench.serve({"infills": list(infills)})
    await workbench.open(name, ADD)
    await workbench.go_to(2, 5)
    await workbench.page.type("return ")
    await workbench.ghost_text(contains=shown or infills[0].split("\n")[0])


async def test_a_suggestion_is_taken_whole(workbench: Workbench) -> None:
    await suggested(workbench, "whole.py", "a + b")
    await workbench.picture("completion")
    await workbench.page.press("Tab")
    await workbench.no_ghost_text()
    await workbench.save(workbench.folder / "whole.py", WHOLE.encode())


async def test_a_suggestion_is_taken_by_word(workbench: Workbench) -> None:
    await suggested(workbench, "word.py", "a + b")
    await workbench.page.press("Control+ArrowRight")
    await workbench.rest_of_ghost_text(" + b")
    await workbench.page.press("Tab")
    await workbench.no_ghost_text()
    await workbench.save(workbench.folder / "word.py", WHOLE.encode())


async def test_a_suggestion_is_taken_by_line(workbench: Workbench) -> None:
    await workbench.serve({"infills": ["\n    sum = a + b\n    return sum"]})
    path = await workbench.open("line.py", "def add(a, b):\n")
    await workbench.go_to(1, 1)
    await workbench.page.press("End")
    await workbench.page.press("Backspace")
    await workbench.page.type(":")
    await workbench.ghost_text(contains="return sum")
    await workbench.picture("completion-lines")
    # The first line is what is left of the one that the cursor is in.
    for line in (2, 3):
        await workbench.page.press("Control+Alt+ArrowRight")
        await workbench.cursor(f"Ln {line}")
    await workbench.page.press("Escape")
    await workbench.no_ghost_text()
    assert b"return" not in await workbench.save(path)


async def test_one_is_asked_for_and_there_are_others(workbench: Workbench) -> None:
    await workbench.serve({"infills": ["a + b", "a - b", "a * b"]})
    path = await workbench.open("others.py", ADD.replace("    \n", "    return \n"))
    await workbench.go_to(2, 12)
    await workbench.page.press("Alt+\\")
    await workbench.ghost_text(contains="a + b")
    await workbench.page.press("Alt+]")
    await workbench.ghost_text(contains="a - b")
    await workbench.page.press("Alt+]")
    await workbench.ghost_text(contains="a * b")
    await workbench.page.press("Alt+[")
    await workbench.ghost_text(contains="a - b")
    await workbench.page.press("Tab")
    await workbench.save(path, WHOLE.replace("+", "-").encode())


async def test_a_file_stays_what_it_is_besides_what_is_taken(workbench: Workbench) -> None:
    before = "# 😀 größe\r\nnames = {\r\n\t'a': '名前',\r\n}\r\ntotal = \r\nlast = '🎉'\t# end"
    await workbench.serve({"infills": ["len('😀')"]})
    path = await workbench.open("wide.py", before)
    await workbench.go_to(5, 9)
    await workbench.page.press("Alt+\\")
    await workbench.ghost_text(contains="len('😀')")
    await workbench.page.press("Tab")
    await workbench.save(path, before.replace("total = ", "total = len('😀')").encode())


async def test_a_document_without_a_file_has_suggestions_too(workbench: Workbench) -> None:
    await workbench.serve({"infills": ["a + b"]})
    await workbench.command("Create: New File...")
    await workbench.choose("Text File")
    await workbench.in_view("Untitled-1")
    await workbench.page.type("return ")
    # VS Code finds out the language meanwhile, and what was asked for before is nothing any more.
    await workbench.press_until("Alt+\\", "!!document.querySelector('.ghost-text-decoration')")
    await workbench.ghost_text(contains="a + b")
    await workbench.page.press("Tab")
    await workbench.lines(contains="return a + b")


async def test_cells_of_a_notebook_have_suggestions(workbench: Workbench) -> None:
    await workbench.serve({"infills": ["a + b"]})
    cell: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "source": ["total = "],
        "outputs": [],
        "execution_count": None,
    }
    kernel = {"language_info": {"name": "python"}}
    book = {"cells": [cell], "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path = workbench.folder / "book.ipynb"
    path.write_text(json.dumps(book), encoding="utf-8")
    await workbench.quick_input("Control+P", str(path), path.name)
    await workbench.click_on(".notebookOverlay .view-line", "total")
    await workbench.page.press("End")
    await workbench.page.press("Alt+\\")
    await workbench.ghost_text(contains="a + b")
    await workbench.picture("notebook")
    await workbench.page.press("Tab")
    await workbench.lines(contains="total = a + b")


async def test_while_paused_nothing_is_asked(workbench: Workbench) -> None:
    await workbench.serve({"infills": ["a + b"]})
    await workbench.open("paused.py", ADD)
    await workbench.open_menu()
    await workbench.picture("menu")
    await workbench.choose("Pause suggestions")
    assert await workbench.status(contains="paused") == "Shardlight: paused. Suggestions are paused."
    await workbench.go_to(2, 5)
    await workbench.page.type("return ")
    await workbench.page.press("Alt+\\")
    # What VS Code would have asked for it would have asked before this.
    await workbench.command("Shardlight: Write documentation of the function at the cursor")
    await workbench.message("add")
    assert await workbench.requests(ASKED) == []
    assert (await workbench.ask("test/state"))["holes"] == []
    await workbench.command("Shardlight: Pause or resume suggestions")
    await workbench.status(contains="Ready")
    await workbench.page.press("Alt+\\")
    await workbench.ghost_text(contains="a + b")
    await workbench.clear()


async def test_a_language_is_paused_alone(workbench: Workbench) -> None:
    await workbench.serve({"infills": ["a + b"]})
    await workbench.open("language.py", ADD)
    await workbench.open_menu()
    await workbench.choose("Pause suggestions for python")
    assert "paused for python" in await workbench.status(contains="paused")
    await workbench.open("language.js", "function add(a, b) {\n  \n}\n")
    await workbench.status(contains="Ready")
    await workbench.go_to(2, 3)
    await workbench.page.type("return ")
    await workbench.ghost_text(contains="a + b")
    await workbench.page.press("Escape")
    await workbench.open("language.py")
    await workbench.page.press("Alt+\\")
    await workbench.command("Shardlight: Pause or resume suggestions for this language")
    await workbench.status(contains="Ready")
    assert {one["textDocument"]["uri"].split(".")[-1] for one in await workbench.requests(ASKED)} == {"js"}
