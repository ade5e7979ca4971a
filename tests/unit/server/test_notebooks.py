from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from lsp_server.server.documents import Documents
from lsp_server.server.notebooks import Notebooks
from lsp_server.text.positions import PositionEncoding

NOTEBOOK = "file:///w/data%20sets/a.ipynb"
CODE, MARKUP = lsp.NotebookCellKind.Code, lsp.NotebookCellKind.Markup
UTF16 = PositionEncoding.UTF16


def uri(name: str) -> str:
    return f"vscode-notebook-cell:/w/data%20sets/a.ipynb#{name}"


def item(name: str, text: str, language: str = "python") -> lsp.TextDocumentItem:
    return lsp.TextDocumentItem(uri(name), language, 1, text)


def cell(name: str, kind: lsp.NotebookCellKind = CODE) -> lsp.NotebookCell:
    return lsp.NotebookCell(kind, uri(name))


def closes(*names: str) -> list[lsp.TextDocumentIdentifier]:
    return [lsp.TextDocumentIdentifier(uri(name)) for name in names]


class Window:
    """A notebook in an editor."""

    def __init__(self, **texts: str) -> None:
        self.documents = Documents()
        self.notebooks = Notebooks(self.documents)
        self.open(NOTEBOOK, [cell(name) for name in texts], [item(name, text) for name, text in texts.items()])

    def open(self, notebook: str, cells: list[lsp.NotebookCell], texts: list[lsp.TextDocumentItem]) -> list[str]:
        return self.notebooks.open(lsp.NotebookDocument(notebook, "jupyter-notebook", 1, cells), texts)

    def splice(
        self,
        start: int,
        delete_count: int,
        cells: list[lsp.NotebookCell] | None = None,
        did_open: list[lsp.TextDocumentItem] | None = None,
        did_close: list[lsp.TextDocumentIdentifier] | None = None,
    ) -> tuple[list[str], list[str], list[str]]:
        array = lsp.NotebookCellArrayChange(start, delete_count, cells)
        structure = lsp.NotebookDocumentCellChangeStructure(array, did_open, did_close)
        return self.notebooks.change(NOTEBOOK, lsp.NotebookDocumentCellChanges(structure), UTF16)

    def write(
        self, name: str, *changes: lsp.TextDocumentContentChangeEvent, encoding: PositionEncoding = UTF16
    ) -> None:
        content = lsp.NotebookDocumentCellContentChanges(lsp.VersionedTextDocumentIdentifier(2, uri(name)), changes)
        told = self.notebooks.change(NOTEBOOK, lsp.NotebookDocumentCellChanges(text_content=[content]), encoding)
        assert told == ([], [uri(name)], [])

    def around(self, name: str) -> tuple[str, str]:
        return self.notebooks.around(uri(name))

    def text(self, name: str) -> str | None:
        snapshot = self.documents.get(uri(name))
        return snapshot.text if snapshot else None


def test_a_cell_sees_the_others_as_one_file() -> None:
    window = Window(a="import os\n", b="x = 1", c="\nprint(x)", d="%time f()")

    assert window.around("a") == ("", "\n\nx = 1\n\nprint(x)\n\n%time f()")
    assert window.around("b") == ("import os\n\n", "\n\nprint(x)\n\n%time f()")
    assert window.around("d") == ("import os\n\nx = 1\n\nprint(x)\n\n", "")


def test_markdown_other_languages_and_blank_cells_are_left_out() -> None:
    window = Window()
    window.open(
        NOTEBOOK,
        [cell("a"), cell("text", MARKUP), cell("query"), cell("blank"), cell("b")],
        [
            item("a", "a = 1"),
            item("text", "# A"),
            item("query", "SELECT 1", "sql"),
            item("blank", " \n"),
            item("b", "b"),
        ],
    )

    assert window.around("b") == ("a = 1\n\n", "")
    assert window.around("query") == ("", "")
    assert window.around("text") == ("", ""), "a paragraph is no part of the code"
    assert window.notebooks.cells(NOTEBOOK) == [uri("a"), uri("query"), uri("blank"), uri("b")]


def test_what_is_no_cell_has_nothing_around_it_and_no_notebook() -> None:
    window = Window(a="1")
    window.documents.open(lsp.TextDocumentItem("file:///w/b.py", "python", 1, "2"))

    assert window.notebooks.around("file:///w/b.py") == ("", "")
    assert window.notebooks.path_of("file:///w/b.py") is None
    assert window.notebooks.around(uri("nowhere")) == ("", "")


def test_a_notebook_is_one_file_in_its_main_language() -> None:
    window = Window()
    cells = [cell("a"), cell("text", MARKUP), cell("query"), cell("b")]
    texts = [item("a", "a = 1\n"), item("text", "# A"), item("query", "SELECT 1", "sql"), item("b", "b")]
    window.open(NOTEBOOK, cells, texts)
    joined = window.notebooks.at(Path("/w/data sets/a.ipynb"))
    assert joined
    assert (joined.text, joined.language_id) == ("a = 1\n\nb", "python")
    assert [path for path, _ in window.notebooks.files()] == [Path("/w/data sets/a.ipynb")]
    assert window.notebooks.at(Path("/w/b.ipynb")) is None
    window.splice(0, 1, did_close=closes("a"))
    assert [snapshot.text for _, snapshot in window.notebooks.files()] == ["SELECT 1"]
    window.notebooks.close(NOTEBOOK, closes("query", "text", "b"))
    assert window.notebooks.joined(NOTEBOOK) is None


def test_the_path_of_a_cell_is_its_notebooks() -> None:
    window = Window(a="1")
    window.open("untitled:Untitled-1.ipynb", [lsp.NotebookCell(CODE, "vscode-notebook-cell:Untitled-1.ipynb#x")], [])

    assert window.notebooks.path_of(uri("a")) == Path("/w/data sets/a.ipynb")
    assert window.notebooks.path_of("vscode-notebook-cell:Untitled-1.ipynb#x") is None


def test_opening_tells_which_documents() -> None:
    window = Window()
    assert window.open(NOTEBOOK, [cell("a"), cell("b")], [item("a", "1"), item("b", "2")]) == [uri("a"), uri("b")]
    assert (window.text("a"), window.text("b")) == ("1", "2")


def test_a_cell_is_inserted() -> None:
    window = Window(a="a", c="c")
    assert window.splice(1, 0, [cell("b")], [item("b", "b")]) == ([uri("b")], [], [])
    assert window.around("b") == ("a\n\n", "\n\nc")


def test_a_cell_is_deleted() -> None:
    window = Window(a="a", b="b", c="c")
    assert window.splice(1, 1, did_close=closes("b")) == ([], [], [uri("b")])
    assert window.around("a") == ("", "\n\nc")
    assert window.text("b") is None
    assert window.around("b") == ("", "")


def test_a_cell_is_moved_and_keeps_its_text() -> None:
    window = Window(a="a", b="b", c="c")
    window.write("c", lsp.TextDocumentContentChangeWholeDocument("changed"))
    assert window.splice(0, 3, [cell("c"), cell("a"), cell("b")]) == ([], [], [])
    assert window.around("a") == ("changed\n\n", "\n\nb")


def test_a_cells_language_changes() -> None:
    window = Window(a="a", b="select 1", c="c")
    told = window.splice(1, 1, [cell("b")], [item("b", "select 1", "sql")], closes("b"))
    assert told == ([uri("b")], [], [uri("b")])
    snapshot = window.documents.get(uri("b"))
    assert snapshot
    assert snapshot.language_id == "sql"
    assert window.around("a") == ("", "\n\nc")


def test_a_cell_becomes_text_and_code_again() -> None:
    window = Window(a="a", b="b")
    for kind, after in ((MARKUP, ""), (CODE, "\n\nb")):
        window.notebooks.change(NOTEBOOK, lsp.NotebookDocumentCellChanges(data=[cell("b", kind)]), UTF16)
        assert window.around("a") == ("", after)


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 7), ("utf-16", 3), ("utf-32", 2)])
def test_columns_are_counted_in_the_negotiated_unit(encoding: str, column: int) -> None:
    window = Window(a="😀漢xz")
    where = lsp.Range(lsp.Position(0, column), lsp.Position(0, column + 1))
    window.write("a", lsp.TextDocumentContentChangePartial(where, "y"), encoding=PositionEncoding(encoding))
    assert window.text("a") == "😀漢yz"


def test_changes_of_a_cell_are_each_on_top_of_the_one_before() -> None:
    window = Window(a="abc")
    first = lsp.Range(lsp.Position(0, 1), lsp.Position(0, 2))
    second = lsp.Range(lsp.Position(1, 0), lsp.Position(1, 1))
    window.write(
        "a", lsp.TextDocumentContentChangePartial(first, "\n"), lsp.TextDocumentContentChangePartial(second, "d")
    )
    assert window.text("a") == "a\nd"


def test_closing_a_notebook_closes_its_cells() -> None:
    window = Window(a="a", b="b")
    assert window.notebooks.close(NOTEBOOK, closes("a", "b")) == [uri("a"), uri("b")]
    assert list(window.documents) == []
    assert window.around("a") == ("", "")
    assert window.notebooks.cells(NOTEBOOK) == []


def test_a_notebook_that_is_not_open_changes_nothing() -> None:
    window = Window(a="a")
    window.notebooks.close(NOTEBOOK, closes("a"))
    assert window.splice(0, 0, [cell("b")], [item("b", "b")]) == ([], [], [])
    assert list(window.documents) == []


def test_two_notebooks_do_not_see_each_other() -> None:
    window = Window(a="a")
    other = "vscode-notebook-cell:/w/b.ipynb#x"
    window.open(
        "file:///w/b.ipynb", [lsp.NotebookCell(CODE, other)], [lsp.TextDocumentItem(other, "python", 1, "other")]
    )
    assert window.around("a") == ("", "")
    assert window.notebooks.path_of(other) == Path("/w/b.ipynb")


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_any_splices_leave_the_cells_in_the_editors_order(splices: list[tuple[int, int, int]]) -> None:
    window, names, number = Window(), list[str](), 0
    for start, delete_count, added in splices:
        start = min(start, len(names))
        new = [f"n{number + i}" for i in range(added)]
        number += added
        gone = names[start : start + delete_count]
        names[start : start + delete_count] = new
        window.splice(start, delete_count, [cell(n) for n in new], [item(n, n) for n in new], closes(*gone))

    assert window.notebooks.cells(NOTEBOOK) == [uri(name) for name in names]
    assert {u for u, _ in window.documents} == {uri(name) for name in names}
    for at, name in enumerate(names):
        before, after = window.around(name)
        assert (before + name + after).split("\n\n") == names
        assert before.count("\n\n") == at
