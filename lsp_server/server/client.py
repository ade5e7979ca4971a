"""What the client can do, by what it has said of itself, and edits in a form that it understands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from lsp_server.server import to_proto

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer


class Client:
    """The editor at the other end.

    Attributes:
        name: as it calls itself; empty if it does not.
    """

    def __init__(self, server: LanguageServer) -> None:
        self.name = ""
        self._server = server

    @property
    def _edits(self) -> lsp.WorkspaceEditClientCapabilities | None:
        workspace = self._server.client_capabilities.workspace
        return workspace.workspace_edit if workspace else None

    @property
    def shows_changes(self) -> bool:
        """Whether it can show a change before it is applied."""
        known = self._edits
        return bool(known and known.document_changes and known.change_annotation_support)

    def supported(self, edit: lsp.WorkspaceEdit) -> lsp.WorkspaceEdit:
        """The edit in a form that it understands."""
        known = self._edits
        operations = known.resource_operations or [] if known else []
        # By the protocol either of the two says that `documentChanges` is understood; Neovim sends only the second.
        if not (operations or (known and known.document_changes)):
            return to_proto.without_document_changes(edit)
        changes = edit.document_changes or []
        if self.name == "Neovim":
            # It puts the text of a new file before an empty line, which it ends itself.
            to_proto.drop_last_line_end(changes)
        if lsp.ResourceOperationKind.Create not in operations:
            changes = [c for c in changes if not isinstance(c, lsp.CreateFile)]
        return lsp.WorkspaceEdit(document_changes=changes, change_annotations=edit.change_annotations)

    async def show(self, uri: str, selection: lsp.Range | None = None) -> None:
        """Have it open a document and put the cursor there, if it can."""
        window = self._server.client_capabilities.window
        if window and window.show_document and window.show_document.support:
            shown = lsp.ShowDocumentParams(uri, take_focus=True, selection=selection)
            await self._server.window_show_document_async(shown)
