"""Bug hints as diagnostics: looking, telling, fixing, dismissing."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.errors import RefusedError
from lsp_server.features.bug_hints import BugHint, find_bugs, fingerprint
from lsp_server.features.types import Target, Tools
from lsp_server.inference.backend import Priority
from lsp_server.server import to_proto
from lsp_server.server.session import Place, Session
from lsp_server.syntax.scopes import functions
from lsp_server.text.edits import TextEdit

logger = logging.getLogger(__name__)

DISMISS = "shardlight.dismissHint"


def register(server: LanguageServer, session: Session) -> None:
    """Add the handler of clients that ask for diagnostics."""

    @server.feature(lsp.TEXT_DOCUMENT_DIAGNOSTIC, lsp.DiagnosticOptions(False, False, identifier=to_proto.SOURCE))
    def diagnostic(params: lsp.DocumentDiagnosticParams) -> lsp.RelatedFullDocumentDiagnosticReport:
        # Whom we tell by ourselves would have each twice.
        items = _diagnostics(session, params.text_document.uri) if _asks(session) else []
        return lsp.RelatedFullDocumentDiagnosticReport(items=items)


def publish(session: Session, uri: str) -> None:
    """Tell the client of the hints that still hold, or that it is to ask."""
    snapshot = session.documents.get(uri)
    if snapshot is None:
        return
    if _asks(session):
        session.server.workspace_diagnostic_refresh(None)
        return
    session.server.text_document_publish_diagnostics(
        lsp.PublishDiagnosticsParams(uri, _diagnostics(session, uri), version=snapshot.version)
    )


def withdraw(session: Session, uri: str) -> None:
    """Tell the client that a document that is not open any more has no hints."""
    if not _asks(session):
        session.server.text_document_publish_diagnostics(lsp.PublishDiagnosticsParams(uri, []))


def _asks(session: Session) -> bool:
    """Whether the client asks for diagnostics, and can be told when to."""
    capabilities = session.server.client_capabilities
    asks = capabilities.text_document and capabilities.text_document.diagnostic
    refreshes = capabilities.workspace and capabilities.workspace.diagnostics
    return bool(asks and refreshes and refreshes.refresh_support)


def _diagnostics(session: Session, uri: str) -> list[lsp.Diagnostic]:
    snapshot = session.documents.get(uri)
    if snapshot is None:
        return []
    standing = session.hints.current(uri, snapshot)
    return [to_proto.diagnostic(hint, at, snapshot.lines, session.encoding) for at, hint in standing]


async def look(session: Session, place: Place, target: Target, tools: Tools, priority: Priority) -> BugHint | None:
    """Look for a bug in one function and tell what was found; what was looked at before is not asked again."""
    key = f"{session.backends.describe('assistant')['model']} {fingerprint(target)}"
    known, hint = await asyncio.to_thread(session.hint_memory.answer, key)
    text = place.snapshot.text[target.scope.start : target.scope.end]
    # The same code may be indented otherwise.
    if not known or (hint and hint.function_text != text):
        hint = await find_bugs(target, tools, priority=priority)
        await asyncio.to_thread(session.hint_memory.keep, key, hint)
        if hint:
            session.answered(hint.timings)
    if hint:
        dismissed: bool = await asyncio.to_thread(session.hint_memory.is_dismissed, hint)
        hint = None if dismissed else hint
    # Of most functions of a file there is nothing to tell.
    if session.hints.replace(place.uri, text, hint):
        publish(session, place.uri)
    return hint


async def find_in_file(session: Session, place: Place) -> int:
    """Look at every function of a document; returns how many hints there are."""
    scopes = functions(place.snapshot)
    async with session.tools(f"Find bugs in {place.path.name}", place) as tools:
        for number, scope in enumerate(scopes, 1):
            tools.report(f"{scope.name}, {number} of {len(scopes)} functions", 0)
            if session.documents.get(place.uri) is not place.snapshot:
                break
            try:
                target = await session.target(place, scope.start)
            except RefusedError:
                continue
            await look(session, place, target, tools, Priority.BACKGROUND)
    return len(_diagnostics(session, place.uri))


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


async def dismiss(session: Session, uri: str, message: str) -> None:
    """Take back the hints of a document that say so, and never give them again."""
    snapshot = session.documents.get(uri)
    for _, hint in session.hints.current(uri, snapshot) if snapshot else ():
        if hint.message == message:
            await asyncio.to_thread(session.hint_memory.dismiss, hint)
            session.hints.remove(uri, hint)
    publish(session, uri)


def hint_actions(
    session: Session, place: Place, start: int, end: int, diagnostics: Sequence[lsp.Diagnostic]
) -> list[lsp.CodeAction]:
    """What can be done about the hints on the lines of a range: correct them, have them explained, dismiss them.

    Args:
        diagnostics: what the client knows of there; where somebody else says something of a line, we are silent.
    """
    actions: list[lsp.CodeAction] = []
    others, lines = [one.range for one in diagnostics if not to_proto.is_ours(one)], place.snapshot.lines
    for at, hint in session.hints.current(place.uri, place.snapshot):
        shown = to_proto.diagnostic(hint, at, place.snapshot.lines, session.encoding)
        line = shown.range.start.line
        if any(other.start.line <= line <= other.end.line for other in others):
            session.hints.remove(place.uri, hint)
            publish(session, place.uri)
        elif lines.line_start(line) <= end and start <= lines.line_end(shown.range.end.line):
            actions += _actions_of(session, place, at, hint, shown)
    return actions


def _actions_of(session: Session, place: Place, at: int, hint: BugHint, shown: lsp.Diagnostic) -> list[lsp.CodeAction]:
    edits = tuple(TextEdit(at + e.start, at + e.end, e.new_text) for e in hint.edits)
    change = to_proto.document_edit(edits, place.uri, place.snapshot, session.encoding)
    explain = lsp.Command(
        "Explain the possible bug",
        "shardlight.explain",
        arguments=[{"uri": place.uri, "range": to_proto.plain(shown.range), "problem": hint.message}],
    )
    dismissed = lsp.Command("Not a bug", DISMISS, arguments=[{"uri": place.uri, "message": hint.message}])
    quick = lsp.CodeActionKind.QuickFix
    fix = session.client.supported(lsp.WorkspaceEdit(document_changes=[change]))
    return [
        lsp.CodeAction(hint.fix_title, kind=quick, diagnostics=[shown], edit=fix, is_preferred=True),
        lsp.CodeAction(explain.title, kind="shardlight.explain", diagnostics=[shown], command=explain),
        lsp.CodeAction("Not a bug: do not say this again", kind=quick, diagnostics=[shown], command=dismissed),
    ]
