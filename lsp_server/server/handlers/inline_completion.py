"""textDocument/inlineCompletion: the suggestion while typing."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.server import to_proto
from lsp_server.server.session import Session


def register(server: LanguageServer, session: Session) -> None:
    """Add the handler."""

    @server.feature(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, lsp.InlineCompletionOptions())
    async def inline_completion(params: lsp.InlineCompletionParams) -> lsp.InlineCompletionList:
        invoked = params.context.trigger_kind == lsp.InlineCompletionTriggerKind.Invoked
        place = session.completed_place(params.text_document.uri)
        found = place and await session.suggesting.suggest(place, params.position, invoked=invoked)
        if not found:
            return lsp.InlineCompletionList([])
        lines = found.place.snapshot.lines
        return lsp.InlineCompletionList(
            [
                lsp.InlineCompletionItem(
                    one.text,
                    range=to_proto.span(found.offset, found.offset + one.replaces, lines, session.encoding),
                )
                for one in found.suggestions
            ]
        )
