from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp
from pygls import uris

from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.context.workspace import Workspace
from lsp_server.server.handlers.workspace import symbol_information
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.positions import PositionEncoding


def symbols(path: Path, text: str) -> tuple[IndexedSymbol, ...]:
    """The symbols of a file that is open and not on disk."""
    language = language_for_path(path)
    index = WorkspaceIndex()
    index.update(path, Snapshot.open(text, language.id if language else "python"))
    return index.symbols_in(path)


def information(path: Path, text: str, now: str | None) -> list[lsp.SymbolInformation]:
    workspace = Workspace((), {path: now}.get)
    return symbol_information(symbols(path, text), workspace, PositionEncoding.UTF16)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.py", "@area\n@area(1)\nasync def <area>(x):\n    ...\n"),
        ("a.ts", "export interface <Shape> {\n  area(): number;\n}\n"),
        ("a.ts", "/* 😀 */ export type <Shape> = Shape | {\n  x: number;\n};\n"),
        ("a.go", "package a\n\nfunc (c Circle) <Area>(Area int) int {\n\treturn 1\n}\n"),
        ("a.rs", "pub struct <Circle> {\n    pub radius: f64,\n}\n"),
    ],
)
def test_a_symbol_stands_at_its_name(name: str, text: str, tmp_path: Path) -> None:
    plain = text.replace("<", "").replace(">", "")
    start, end = text.index("<"), text.index(">") - 1
    found = information(tmp_path / name, plain, plain)[0]
    assert found.name == plain[start:end]
    assert found.location.uri == uris.from_fs_path(str(tmp_path / name))
    line = plain.count("\n", 0, start)
    column = len(plain[:start].rpartition("\n")[2].encode("utf-16-le")) // 2
    assert found.location.range.start == lsp.Position(line, column)
    assert found.location.range.end == lsp.Position(line, column + end - start)


def test_a_file_that_has_changed_since_is_named_all_the_same(tmp_path: Path) -> None:
    (found,) = information(tmp_path / "a.py", "x = 1\ndef f(): ...\n", "y\n")[1:]
    assert found.location.range.start.line == 1


def test_what_is_gone_and_the_cells_of_notebooks_are_no_places(tmp_path: Path) -> None:
    text = "def f(): ...\n"
    assert information(tmp_path / "a.py", text, None) == []
    assert information(tmp_path / "a.ipynb", text, text) == []
