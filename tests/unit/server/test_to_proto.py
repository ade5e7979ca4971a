from __future__ import annotations

from pathlib import Path

import pytest
from lsprotocol import types as lsp

from lsp_server.features.bug_hints import BugHint
from lsp_server.features.types import FileEdit
from lsp_server.inference.backend import Timings
from lsp_server.server import to_proto
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit
from lsp_server.text.positions import LineIndex, PositionEncoding

URI = "file:///w/a.py"
UTF16 = PositionEncoding.UTF16


def range_of(line: int, start: int, end: int) -> lsp.Range:
    return lsp.Range(lsp.Position(line, start), lsp.Position(line, end))


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_position(encoding: str, column: int) -> None:
    assert to_proto.position(2, LineIndex("a😀b"), PositionEncoding(encoding)) == lsp.Position(0, column)


def test_an_edit_of_the_document_carries_its_version() -> None:
    snapshot = Snapshot.open("😀 x\n", "python", 7)
    edit = FileEdit("Edit", (TextEdit(2, 3, "y"),))
    assert to_proto.workspace_edit(edit, URI, snapshot, None, UTF16) == lsp.WorkspaceEdit(
        document_changes=[
            lsp.TextDocumentEdit(
                lsp.OptionalVersionedTextDocumentIdentifier(URI, 7), [lsp.TextEdit(range_of(0, 3, 4), "y")]
            )
        ]
    )


@pytest.mark.parametrize(("version", "sent"), [(3, 3), (-1, None)])
def test_an_edit_of_another_file_is_in_its_positions(version: int, sent: int | None, tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    other = Snapshot.open("a\nb\n", "python", version)
    edit = FileEdit("Edit", (TextEdit(4, 4, "c\n"),), path, before=other.text)
    change = to_proto.workspace_edit(edit, URI, Snapshot.open("", "python", 7), other, UTF16)
    assert change.document_changes is not None
    (document,) = change.document_changes
    assert isinstance(document, lsp.TextDocumentEdit)
    assert document.text_document == lsp.OptionalVersionedTextDocumentIdentifier(path.as_uri(), sent)
    assert document.edits == [lsp.TextEdit(range_of(2, 0, 0), "c\n")]


def test_a_new_file_is_created_first_and_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    edit = FileEdit("Edit", (TextEdit(0, 0, "c\n"),), path, creates=True)
    change = to_proto.workspace_edit(edit, URI, Snapshot.open("xyz", "python", 7), None, UTF16)
    assert change.document_changes is not None
    create, text = change.document_changes
    assert isinstance(create, lsp.CreateFile)
    assert isinstance(text, lsp.TextDocumentEdit)
    assert create.uri == text.text_document.uri == path.as_uri()
    assert create.options == lsp.CreateFileOptions(overwrite=False, ignore_if_exists=False)
    assert text.text_document.version is None
    assert text.edits == [lsp.TextEdit(range_of(0, 0, 0), "c\n")]


def test_the_form_that_every_client_knows(tmp_path: Path) -> None:
    path = tmp_path / "test_a.py"
    edit = FileEdit("Edit", (TextEdit(0, 0, "c\n"),), path, creates=True)
    change = to_proto.workspace_edit(edit, URI, Snapshot.open("", "python", 7), None, UTF16)
    assert to_proto.without_document_changes(change) == lsp.WorkspaceEdit(
        changes={path.as_uri(): [lsp.TextEdit(range_of(0, 0, 0), "c\n")]}
    )


def test_a_diagnostic_stands_where_its_function_stands() -> None:
    text = "def f():\n    return 1"
    hint = BugHint(text, 13, 21, "Possible bug: x.", "Fix: `y`", (), 4.0, Timings())
    lines = LineIndex(f"import os\n\n{text}\n")
    assert to_proto.diagnostic(hint, 11, lines, UTF16) == lsp.Diagnostic(
        range_of(3, 4, 12), "Possible bug: x.", lsp.DiagnosticSeverity.Warning, "bug-hint", source="shardlight"
    )
