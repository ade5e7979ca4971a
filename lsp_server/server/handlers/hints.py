"""Bug hints as diagnostics: looking, publishing, fixing."""

from __future__ import annotations

import logging

from lsprotocol import types as lsp

from lsp_server.errors import RefusedError
from lsp_server.features.bug_hints import BugHint, find_bugs
from lsp_server.features.types import Target, Tools
from lsp_server.inference.backend import Priority
from lsp_server.server import to_proto
from lsp_server.server.session import Place, Session
from lsp_server.syntax.scopes import functions
from lsp_server.text.edits import TextEdit

logger = logging.getLogger(__name__)


def publish(session: Session, uri: str) -> int:
    """Send the hints that still hold; returns how many."""
    snapshot = session.documents.get(uri)
    if snapshot is None:
        return 0
    standing = session.hints.current(uri, snapshot)
    diagnostics = [to_proto.diagnostic(hint, at, snapshot.lines, session.encoding) for at, hint in standing]
    session.server.text_document_publish_diagnostics(
        lsp.PublishDiagnosticsParams(uri, diagnostics, version=snapshot.version)
    )
    return len(standing)


async def look(session: Session, place: Place, target: Target, tools: Tools, priority: Priority) -> BugHint | None:
    """Look for a bug in one function and publish what was found."""
    hint = await find_bugs(target, tools, priority=priority)
    text = place.snapshot.text[target.scope.start : target.scope.end]
    session.hints.replace(place.uri, text, hint)
    publish(session, place.uri)
    if hint:
        session.last_timings = hint.timings
    return hint


async def find_in_changed_functions(session: Session, place: Place) -> None:
    """Look at every function that has changed since it was opened or last looked at, in the background."""
    if place.uri not in session.looked_at:
        before = session.opened.get(place.uri, place.snapshot)
        session.looked_at[place.uri] = {before.text[s.start : s.end] for s in functions(before)}
    seen = session.looked_at[place.uri]
    for scope in functions(place.snapshot):
        text = place.snapshot.text[scope.start : scope.end]
        if text in seen:
            continue
        try:
            target = await session.target(place, scope.start)
            async with session.tools(f"Looking for bugs in {scope.name}", place) as tools:
                await look(session, place, target, tools, Priority.BACKGROUND)
        except RefusedError:
            continue
        except Exception as error:
            # Nobody asked for this run, so nobody is interrupted by its failure.
            logger.warning("Bug hints for %s: %s", place.uri, error)
            return
        seen.add(text)
        if session.documents.get(place.uri) is not place.snapshot:
            return


def quick_fixes(session: Session, place: Place, start: int, end: int) -> list[lsp.CodeAction]:
    """The corrections of hints that touch a range."""
    actions: list[lsp.CodeAction] = []
    for at, hint in session.hints.current(place.uri, place.snapshot):
        if at + hint.start > end or at + hint.end < start:
            continue
        edits = tuple(TextEdit(at + e.start, at + e.end, e.new_text) for e in hint.edits)
        lines = place.snapshot.lines
        change = to_proto.document_edit(edits, place.uri, place.snapshot, session.encoding)
        actions.append(
            lsp.CodeAction(
                title=hint.fix_title,
                kind=lsp.CodeActionKind.QuickFix,
                diagnostics=[to_proto.diagnostic(hint, at, lines, session.encoding)],
                edit=session.supported(lsp.WorkspaceEdit(document_changes=[change])),
                is_preferred=True,
            )
        )
    return actions
