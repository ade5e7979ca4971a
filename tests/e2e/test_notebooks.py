"""Notebooks over stdio, on the scripted model: cells are documents, and the code around one is its context."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp

from tests.e2e.conftest import Connect
from tests.support.cursor import cursor
from tests.support.editor import Editor, minimal, model_state, neovim, vscode

pytestmark = pytest.mark.filterwarnings("error::pytest_lsp.LspSpecificationWarning")

CODE = lsp.NotebookCellKind.Code
# The index knows soon what is typed, and nothing tells when.
_TRIES = 200


def with_notebooks(capabilities: lsp.ClientCapabilities) -> lsp.ClientCapabilities:
    capabilities.notebook_document = lsp.NotebookDocumentClientCapabilities(
        lsp.NotebookDocumentSyncClientCapabilities()
    )
    return capabilities


# What may follow a suggestion is not worked out then: the last hole is the one that was asked for.
ALONE = {"settings": {"completion": {"look_ahead": False}}}


class Notebook:
    """A notebook that an editor has open. Its cells are named; a text with ``<|>`` has the cursor."""

    def __init__(self, editor: Editor, path: Path, **texts: str) -> None:
        self.editor = editor
        self.path = path
        self.version = 1
        items = [self.item(name, text) for name, text in texts.items()]
        notebook = lsp.NotebookDocument(path.as_uri(), "jupyter-notebook", 1, self.cells(*texts))
        editor.client.notebook_document_did_open(lsp.DidOpenNotebookDocumentParams(notebook, items))

    def uri(self, name: str) -> str:
        return self.path.as_uri().replace("file:", "vscode-notebook-cell:") + f"#{name}"

    def cells(self, *names: str) -> list[lsp.NotebookCell]:
        return [lsp.NotebookCell(CODE, self.uri(name)) for name in names]

    def item(self, name: str, text: str, language: str = "python") -> lsp.TextDocumentItem:
        self.editor.texts[self.uri(name)] = text.replace("<|>", "")
        return lsp.TextDocumentItem(self.uri(name), language, 1, self.editor.texts[self.uri(name)])

    def splice(self, start: int, delete_count: int, *names: str, **more: Any) -> None:
        array = lsp.NotebookCellArrayChange(start, delete_count, self.cells(*names))
        self._change(structure=lsp.NotebookDocumentCellChangeStructure(array, **more))

    def type(self, name: str, position: lsp.Position, text: str) -> None:
        document = lsp.VersionedTextDocumentIdentifier(self.version + 1, self.uri(name))
        change = lsp.TextDocumentContentChangePartial(lsp.Range(position, position), text)
        self._change(text_content=[lsp.NotebookDocumentCellContentChanges(document, [change])])

    def _change(self, **cells: Any) -> None:
        self.version += 1
        identifier = lsp.VersionedNotebookDocumentIdentifier(version=self.version, uri=self.path.as_uri())
        change = lsp.NotebookDocumentChangeEvent(cells=lsp.NotebookDocumentCellChanges(**cells))
        self.editor.client.notebook_document_did_change(lsp.DidChangeNotebookDocumentParams(identifier, change))

    def close(self, *names: str) -> None:
        self.editor.client.notebook_document_did_close(
            lsp.DidCloseNotebookDocumentParams(
                lsp.NotebookDocumentIdentifier(self.path.as_uri()),
                [lsp.TextDocumentIdentifier(self.uri(name)) for name in names],
            )
        )

    async def complete(self, name: str, marked: str) -> list[lsp.InlineCompletionItem]:
        """Suggestions where the cursor stands in a cell that has this text."""
        _, offset = cursor(marked)
        return await self.editor.complete(self.uri(name), self.editor.position(self.uri(name), offset))


async def last_hole(editor: Editor) -> tuple[str, str]:
    hole = (await model_state(editor)).holes[-1]
    return hole.prefix, hole.suffix


@pytest.mark.parametrize("editor_like", [vscode, neovim])
async def test_a_cell_is_completed_in_the_light_of_the_others(editor_like: Any, connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]}, options=ALONE, capabilities=with_notebooks(editor_like()))
    cells = {"a": "import os  # größe 🎉\n", "b": "x = <|>", "c": "print(x)"}
    notebook = Notebook(editor, root / "a.ipynb", **cells)

    (item,) = await notebook.complete("b", cells["b"])
    assert item.insert_text == "1"
    prefix, suffix = await last_hole(editor)
    assert prefix == "import os  # größe 🎉\n\nx = "
    assert suffix == "\n\nprint(x)"


async def context_with(editor: Editor, root: Path, text: str, *, there: bool) -> list[str]:
    """Wait until what the model is shown in a new file has a text, or has it no more; the files that it is shown of."""

    for number in range(_TRIES):
        uri, position = editor.open(root / f"main{there}{number}.py", "def f(loader):\n    loader.load_frame(<|>)\n")
        await editor.complete(uri, position)
        context = (await model_state(editor)).holes[-1].context
        editor.close(uri)
        if any(text in shown for _, shown in context) is there:
            break
    return [path for path, _ in context]


async def test_other_files_know_what_all_cells_define_and_no_more_of_one_that_is_gone(
    connect: Connect, root: Path
) -> None:
    editor = await connect({"infills": ["1"]}, options=ALONE, capabilities=with_notebooks(vscode()))
    cells = {
        "a": "class Loader:\n    def load_frame(self, path): ...\n",
        "b": "other_frame = other_loader(other_path)\n",
    }
    notebook = Notebook(editor, root / "a.ipynb", **cells)
    assert await context_with(editor, root, "def load_frame(self, path)", there=True) == ["a.ipynb"]
    notebook.splice(0, 1, did_close=[lsp.TextDocumentIdentifier(notebook.uri("a"))])
    assert await context_with(editor, root, "def load_frame", there=False) == []


async def test_what_one_cell_imports_is_known_in_the_others(connect: Connect, root: Path) -> None:
    (root / "lib.py").write_text("def load_frame(path): ...\n", encoding="utf-8")
    editor = await connect({"infills": ["1"]}, options=ALONE, capabilities=with_notebooks(vscode()))
    notebook = Notebook(editor, root / "a.ipynb", a="from lib import load_frame", b="x = load_frame(<|>)", c="y = 1")

    for number in range(_TRIES):
        # Another spot each time: at one the context stays as it is.
        await editor.complete(notebook.uri("b"), lsp.Position(20 * number, len("x = load_frame(")))
        context = (await model_state(editor)).holes[-1].context
        if context:
            break
        notebook.type("b", lsp.Position(0, 0), "\n" * 20)
    assert [path for path, _ in context] == ["lib.py"]
    assert "load_frame(path)" in context[0][1]


async def test_what_is_typed_in_a_cell_arrives_where_it_was_typed(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]}, options=ALONE, capabilities=with_notebooks(vscode()))
    notebook = Notebook(editor, root / "a.ipynb", a="'🎉'; x = \r\ny")
    notebook.type("a", lsp.Position(0, 10), "z + ")

    (item,) = await editor.complete(notebook.uri("a"), lsp.Position(0, 14))
    assert item.range == lsp.Range(lsp.Position(0, 14), lsp.Position(0, 14))
    prefix, _ = await last_hole(editor)
    assert prefix == "'🎉'; x = z + "


async def test_cells_come_go_move_and_change_their_language(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]}, options=ALONE, capabilities=with_notebooks(vscode()))
    notebook = Notebook(editor, root / "a.ipynb", a="a = 1", b="b = <|>")

    async def seen() -> str:
        await notebook.complete("b", "b = <|>")
        prefix, suffix = await last_hole(editor)
        return f"{prefix}|{suffix}"

    assert await seen() == "a = 1\n\nb = |"
    notebook.splice(2, 0, "c", did_open=[notebook.item("c", "c = 3")])
    assert await seen() == "a = 1\n\nb = |\n\nc = 3"
    notebook.splice(0, 3, "c", "b", "a")
    assert await seen() == "c = 3\n\nb = |\n\na = 1"
    gone = [lsp.TextDocumentIdentifier(notebook.uri("c"))]
    notebook.splice(0, 1, "c", did_open=[notebook.item("c", "select 1", "sql")], did_close=gone)
    assert await seen() == "b = |\n\na = 1"
    notebook.splice(2, 1, did_close=[lsp.TextDocumentIdentifier(notebook.uri("a"))])
    assert await seen() == "b = |"


async def test_a_closed_notebook_is_completed_no_more(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]}, options=ALONE, capabilities=with_notebooks(vscode()))
    notebook = Notebook(editor, root / "a.ipynb", a="x = <|>")
    assert await notebook.complete("a", "x = <|>")
    notebook.close("a")
    assert await notebook.complete("a", "x = <|>") == []


async def test_a_notebook_that_may_hold_secrets_is_not_read(connect: Connect, root: Path) -> None:
    editor = await connect({"infills": ["1"]}, options=ALONE, capabilities=with_notebooks(vscode()))
    notebook = Notebook(editor, root / "secrets.ipynb", a="x = <|>")
    assert await notebook.complete("a", "x = <|>") == []
    assert (await model_state(editor)).begun == 0


async def test_only_who_knows_notebooks_is_told_of_them(connect: Connect) -> None:
    assert (await connect(capabilities=minimal())).capabilities.notebook_document_sync is None
    sync = (await connect(capabilities=with_notebooks(vscode()))).capabilities.notebook_document_sync
    assert sync
    assert sync.save
