"""Open, change, save, close; and the diagnostics that follow the text."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.server.handlers.hints import find_in_changed_functions, publish
from lsp_server.server.session import Session


def register(server: LanguageServer, session: Session) -> None:
    """Add the handlers."""
    background: set[asyncio.Task[None]] = set()

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        uri = params.text_document.uri
        session.documents.open(params.text_document)
        if opened := session.documents.get(uri):
            session.opened[uri] = opened
        if session.settings.completion.enabled and session.place(uri):
            # The model loads while the user reads.
            session.backends.if_ready("completion")

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        session.documents.change(uri, params.text_document.version, params.content_changes, session.encoding)
        if uri in session.hints:
            publish(session, uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        place = session.place(params.text_document.uri)
        # Nobody asked for this, so it neither offers a download nor waits for a model.
        if place and session.settings.bug_hints.on_save and session.backends.if_ready("assistant"):
            task = asyncio.create_task(find_in_changed_functions(session, place))
            background.add(task)
            task.add_done_callback(background.discard)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        uri = params.text_document.uri
        had_hints = uri in session.hints
        session.hints.drop(uri)
        session.looked_at.pop(uri, None)
        session.opened.pop(uri, None)
        session.documents.close(uri)
        if had_hints:
            with suppress(Exception):
                server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))
