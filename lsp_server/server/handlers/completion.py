"""textDocument/completion: the same suggestion for editors without inline completion."""

from __future__ import annotations

from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.server import to_proto
from lsp_server.server.session import Session
from lsp_server.text.positions import split_lines

_LABEL_CHARS = 40
# Editors show nothing of a list until every server has answered.
_PATIENCE_S = 0.2


def register(server: LanguageServer, session: Session) -> None:
    """Add the handler."""

    @server.feature(lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionOptions(resolve_provider=False))
    async def completion(params: lsp.CompletionParams) -> lsp.CompletionList:
        text_document = server.client_capabilities.text_document
        if text_document and text_document.inline_completion:
            # This client shows suggestions inline; a second copy in its list would be noise.
            return lsp.CompletionList(is_incomplete=False, items=[])
        # Never `invoked`: by the protocol typing is that, too, and other sources must not wait for a model to load.
        asked = session.completed_place(params.text_document.uri)
        found = asked and await session.suggesting.suggest(
            asked, params.position, invoked=False, patience_s=_PATIENCE_S
        )
        if not found:
            # Incomplete: the editor asks again at the next key, and what was found meanwhile is remembered.
            return lsp.CompletionList(is_incomplete=True, items=[])
        place, offset, suggestion = found.place, found.offset, found.suggestions[0]
        lines = place.snapshot.lines
        # The item replaces the word before the cursor by itself and more, or clients would filter it away.
        word_start = offset
        while word_start > 0 and (lines.text[word_start - 1].isalnum() or lines.text[word_start - 1] == "_"):
            word_start -= 1
        text = lines.text[word_start:offset] + suggestion.text
        first = split_lines(text.strip())[0].rstrip("\r\n")
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
