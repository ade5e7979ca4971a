"""textDocument/inlineCompletion: the suggestion while typing."""

from __future__ import annotations

import asyncio

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.context.related import related_files
from lsp_server.errors import ShardlightError
from lsp_server.features.inline_completion import Cursor, Suggestion, complete, read_ahead
from lsp_server.inference.backend import Backend
from lsp_server.server import from_proto, to_proto
from lsp_server.server.session import Place, Session


def register(server: LanguageServer, session: Session) -> None:
    """Add the handler."""

    @server.feature(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, lsp.InlineCompletionOptions())
    async def inline_completion(params: lsp.InlineCompletionParams) -> lsp.InlineCompletionList:
        invoked = params.context.trigger_kind == lsp.InlineCompletionTriggerKind.Invoked
        found = await suggest(session, params.text_document.uri, params.position, invoked=invoked)
        if found is None:
            return lsp.InlineCompletionList([])
        place, offset, suggestion = found
        at = to_proto.position(offset, place.snapshot.lines, session.encoding)
        return lsp.InlineCompletionList([lsp.InlineCompletionItem(suggestion.text, range=lsp.Range(at, at))])


async def suggest(
    session: Session, uri: str, position: lsp.Position, *, invoked: bool
) -> tuple[Place, int, Suggestion] | None:
    """The suggestion at a position; None if there is none, or if something newer was asked meanwhile.

    Args:
        invoked: the user asked for it; then it neither waits for a pause in typing nor gives up on a loading model.
    """
    settings = session.settings.completion
    place = session.place(uri)
    if place is None or not settings.enabled or place.snapshot.language_id in settings.disabled_languages:
        return None
    for tasks in (session.inline_tasks, session.reading_tasks):
        if older := tasks.pop(uri, None):
            older.cancel()
    task = asyncio.create_task(_suggest(session, place, position, invoked=invoked))
    session.inline_tasks[uri] = task
    try:
        # Shielded, so that this request's own cancellation can be told from being superseded.
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        if task.cancelled():
            return None
        task.cancel()
        raise
    finally:
        if session.inline_tasks.get(uri) is task:
            del session.inline_tasks[uri]


async def _suggest(
    session: Session, place: Place, position: lsp.Position, *, invoked: bool
) -> tuple[Place, int, Suggestion] | None:
    settings = session.settings.completion
    backend: Backend | None
    try:
        if invoked:
            backend = await session.backends.ready("completion")
        else:
            await asyncio.sleep(settings.debounce_ms / 1000)
            backend = session.backends.if_ready("completion")
        if backend is None:
            return None
        offset = from_proto.offset(position, place.snapshot.lines, session.encoding)
        suggestion = await complete(await _cursor(session, place, offset), backend, max_tokens=settings.max_tokens)
    except ShardlightError as error:
        # While typing nobody wants a message box; the log has it, and an action would say it.
        session.log_once(str(error))
        return None
    if suggestion is None or session.documents.get(place.uri) is not place.snapshot:
        return None
    session.last_timings = suggestion.timings
    return place, offset, suggestion


# Whoever moves on sooner only passes through.
_REST_S = 0.3


def rests_at(session: Session, place: Place, offset: int) -> None:
    """The cursor has come to a place: what a suggestion there would need is read ahead, if it stays for a moment."""
    settings = session.settings.completion
    if not settings.enabled or place.snapshot.language_id in settings.disabled_languages:
        return
    # Who only reads code needs no model.
    if session.last_timings is None or place.uri in session.inline_tasks:
        return
    if older := session.reading_tasks.pop(place.uri, None):
        older.cancel()
    session.reading_tasks[place.uri] = asyncio.create_task(_read_ahead(session, place, offset))


async def _read_ahead(session: Session, place: Place, offset: int) -> None:
    await asyncio.sleep(_REST_S)
    try:
        if backend := session.backends.if_ready("completion"):
            await read_ahead(await _cursor(session, place, offset), backend)
    except ShardlightError as error:
        session.log_once(str(error))
    finally:
        if session.reading_tasks.get(place.uri) is asyncio.current_task():
            del session.reading_tasks[place.uri]


async def _cursor(session: Session, place: Place, offset: int) -> Cursor:
    workspace = session.workspace
    return Cursor(
        place.snapshot,
        offset,
        path=workspace.relative(place.path),
        repository=workspace.root_of(place.path).name,
        # Another window may have the same file, and does not want its suggestions ended.
        document=f"{session.id} {place.uri}",
        related=await asyncio.to_thread(related_files, place.snapshot, place.path, workspace),
    )
