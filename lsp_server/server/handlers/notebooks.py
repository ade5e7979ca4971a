"""Notebooks: open, change, save, close. What follows for a cell is what follows for any document."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.server.documents import path_of
from lsp_server.server.handlers.documents import changed, closed, opened, saved
from lsp_server.server.session import Session


def register(server: LanguageServer, session: Session) -> None:
    """Add the handlers."""

    @server.feature(lsp.NOTEBOOK_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenNotebookDocumentParams) -> None:
        for uri in session.notebooks.open(params.notebook_document, params.cell_text_documents):
            opened(session, uri)
        _index(session, params.notebook_document.uri)

    @server.feature(lsp.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeNotebookDocumentParams) -> None:
        if (cells := params.change.cells) is None:
            return
        came, have_changed, went = session.notebooks.change(params.notebook_document.uri, cells, session.encoding)
        # In this order: a cell whose language has changed has gone and come again.
        for uri in went:
            closed(session, uri)
        for uri in came:
            opened(session, uri)
        for uri in have_changed:
            changed(session, uri)
        _index(session, params.notebook_document.uri)

    @server.feature(lsp.NOTEBOOK_DOCUMENT_DID_SAVE)
    def did_save(params: lsp.DidSaveNotebookDocumentParams) -> None:
        for uri in session.notebooks.cells(params.notebook_document.uri):
            saved(session, uri)

    @server.feature(lsp.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseNotebookDocumentParams) -> None:
        for uri in session.notebooks.close(params.notebook_document.uri, params.cell_text_documents):
            closed(session, uri)
        _index(session, params.notebook_document.uri)


def _index(session: Session, uri: str) -> None:
    """Of a notebook the index knows all cells together."""
    if path := path_of(uri):
        session.indexing.edited(path, session.notebooks.joined(uri))
