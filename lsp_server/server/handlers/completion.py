"""textDocument/completion: the same suggestion for editors without inline completion."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.server import to_proto
from lsp_server.server.session import Session

_LABEL_CHARS = 40


def register(server: LanguageServer, session: Session) -> None:
    """Add the handler."""

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions())
    async def completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        text_document = server.client_capabilities.text_document
        if text_document and text_document.inline_completion:
            # This client shows suggestions inline; a second copy in its list would be noise.
            return lsp.CompletionList(is_incomplete=False, items=[])
        # Not `invoked`: a list must never wait for a model to load, other sources are in it too.
        asked = session.completed_place(params.text_document.uri)
        found = asked and await session.suggesting.suggest(asked, params.position, invoked=False)
        if not found:
            return lsp.CompletionList(is_incomplete=True, items=[])
        place, offset, suggestion = found.place, found.offset, found.suggestions[0]
        lines = place.snapshot.lines
        # The item replaces the word before the cursor by itself and more, or clients would filter it away.
        word_start = offset
        while word_start > 0 and (lines.text[word_start - 1].isalnum() or lines.text[word_start - 1] == "_"):
            word_start -= 1
        text = lines.text[word_start:offset] + suggestion.text
        first = text.strip().split("\n")[0]
        item = lsp.CompletionItem(
            label=first if len(first) <= _LABEL_CHARS else f"{first[:_LABEL_CHARS]}…",
            label_details=lsp.CompletionItemLabelDetails(description="AI"),
            kind=lsp.CompletionItemKind.Snippet,
            detail="Shardlight",
            documentation=_shown(text, place.snapshot.language_id) if _reads_markdown(text_document) else text,
            sort_text="\uffff",
            filter_text=lines.text[word_start:offset] or first,
            insert_text_mode=lsp.InsertTextMode.AsIs,
            text_edit=lsp.TextEdit(
                to_proto.span(word_start, offset + suggestion.replaces, lines, session.encoding), text
            ),
        )
        return lsp.CompletionList(is_incomplete=True, items=[item])


def _reads_markdown(text_document: lsp.TextDocumentClientCapabilities | None) -> bool:
    completion = text_document.completion if text_document else None
    item = completion.completion_item if completion else None
    return lsp.MarkupKind.Markdown in (item.documentation_format or []) if item else False


def _shown(code: str, language_id: str) -> lsp.MarkupContent:
    return lsp.MarkupContent(lsp.MarkupKind.Markdown, f"```{language_id}\n{code}\n```")
