from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types as lsp

from lsp_server.server.client import Client

URI, NEW = "file:///a.py", "file:///test_a.py"
Capabilities = lsp.ClientCapabilities
EDITS = lsp.WorkspaceEditClientCapabilities


class FakeServer:
    """What a client has said of itself, and the documents that it was to show."""

    def __init__(self, edits: EDITS | None = None, window: lsp.WindowClientCapabilities | None = None) -> None:
        workspace = lsp.WorkspaceClientCapabilities(workspace_edit=edits)
        self.client_capabilities = Capabilities(workspace=workspace, window=window)
        self.shown: list[lsp.ShowDocumentParams] = []

    async def window_show_document_async(self, params: lsp.ShowDocumentParams) -> None:
        self.shown.append(params)


def client(edits: EDITS | None = None, name: str = "") -> Client:
    made = Client(FakeServer(edits))  # type: ignore[arg-type]
    made.name = name
    return made


def edit() -> lsp.WorkspaceEdit:
    """A new file with a line, and a change of another one."""
    start = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
    changes = [(NEW, "x = 1\n"), (URI, "y = 2\n")]
    edits = [
        lsp.TextDocumentEdit(lsp.OptionalVersionedTextDocumentIdentifier(uri, None), [lsp.TextEdit(start, text)])
        for uri, text in changes
    ]
    return lsp.WorkspaceEdit(document_changes=[lsp.CreateFile(NEW), *edits])


def texts(changes: Any) -> list[str]:
    return [one.new_text for change in changes if isinstance(change, lsp.TextDocumentEdit) for one in change.edits]


def test_one_that_knows_no_document_changes_gets_plain_ones() -> None:
    plain = client().supported(edit())
    assert plain.document_changes is None
    assert list(plain.changes or ()) == [NEW, URI]


@pytest.mark.parametrize("name", ["", "Neovim"])
def test_files_are_made_by_who_can(name: str) -> None:
    can = EDITS(resource_operations=[lsp.ResourceOperationKind.Create])
    made = client(can, name).supported(edit()).document_changes or []
    assert isinstance(made[0], lsp.CreateFile)
    assert texts(made) == ["x = 1" if name == "Neovim" else "x = 1\n", "y = 2\n"]


def test_files_are_not_made_by_who_cannot() -> None:
    changes = client(EDITS(document_changes=True)).supported(edit()).document_changes or []
    assert [type(change) for change in changes] == [lsp.TextDocumentEdit, lsp.TextDocumentEdit]


def test_changes_are_shown_by_who_knows_annotations() -> None:
    annotations = lsp.ChangeAnnotationsSupportOptions()
    assert client(EDITS(document_changes=True, change_annotation_support=annotations)).shows_changes
    assert not client(EDITS(document_changes=True)).shows_changes
    assert not client().shows_changes


@pytest.mark.parametrize("can", [True, False])
async def test_a_document_is_shown_by_who_can(can: bool) -> None:
    server = FakeServer(window=lsp.WindowClientCapabilities(show_document=lsp.ShowDocumentClientCapabilities(can)))
    await Client(server).show(URI)  # type: ignore[arg-type]
    assert [shown.uri for shown in server.shown] == [URI] * can
