"""Open, change, save, close; and what follows the text. Cells of notebooks go the same ways."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.context.ring import text_around
from lsp_server.server.documents import path_of
from lsp_server.server.handlers.hints import find_in_changed_functions, publish, withdraw
from lsp_server.server.handlers.workspace import watching
from lsp_server.server.session import Place, Session

_background: set[asyncio.Task[None]] = set()


def register(server: LanguageServer, session: Session) -> None:
    """Add the handlers."""

    @server.feature(lsp.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: lsp.DidOpenTextDocumentParams) -> None:
        session.documents.open(params.text_document)
        opened(session, params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: lsp.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        session.documents.change(uri, params.text_document.version, params.content_changes, session.encoding)
        changed(session, uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: lsp.DidSaveTextDocumentParams) -> None:
        saved(session, params.text_document.uri)

    @server.feature(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: lsp.DidCloseTextDocumentParams) -> None:
        session.documents.close(params.text_document.uri)
        closed(session, params.text_document.uri)


def opened(session: Session, uri: str) -> None:
    """A document is open."""
    if document := session.documents.get(uri):
        session.opened[uri] = document
    if place := session.place(uri):
        # With a notebook all of its cells are opened: nobody is at any of them yet.
        if session.notebooks.notebook_of(uri) is None:
            session.recent.viewed(place.path, text_around(place.snapshot.lines, 0))
        _index(session, place)
    session.warm_up(uri)


def changed(session: Session, uri: str) -> None:
    """A document has another text."""
    if place := session.place(uri):
        session.suggesting.changed(place)
        _index(session, place)
    if uri in session.hints:
        publish(session, uri)


def saved(session: Session, uri: str) -> None:
    """A document was saved."""
    place = session.place(uri)
    if not watching(session.server):
        # A client that watches files tells of them; of others a save is the best sign that something has changed.
        session.indexing.rescan()
    if place and session.settings.bug_hints.on_save:
        task = asyncio.create_task(_look(session, place))
        _background.add(task)
        task.add_done_callback(_background.discard)


async def _look(session: Session, place: Place) -> None:
    # Nobody asked for this, so it neither offers a download nor waits for a model.
    if (await session.chosen_backends()).if_ready("assistant"):
        await find_in_changed_functions(session, place)


def closed(session: Session, uri: str) -> None:
    """A document is not open any more."""
    had_hints = uri in session.hints
    session.hints.drop(uri)
    session.looked_at.pop(uri, None)
    session.opened.pop(uri, None)
    session.suggesting.closed(uri)
    if path := path_of(uri):
        session.indexing.edited(path, None)
    if had_hints:
        with suppress(Exception):
            withdraw(session, uri)


def _index(session: Session, place: Place) -> None:
    # What is a cell, or has no file, has no path of its own.
    if path := path_of(place.uri):
        session.indexing.edited(path, place.snapshot)
