"""Symbols of the whole workspace, and the news of its files."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.workspace import Workspace
from lsp_server.server import to_proto
from lsp_server.server.documents import path_of
from lsp_server.server.session import Session
from lsp_server.text.positions import LineIndex, PositionEncoding

# More than anybody reads; editors ask again with each letter.
_MOST_SYMBOLS = 100

_KINDS = {
    "function": lsp.SymbolKind.Function,
    "method": lsp.SymbolKind.Method,
    "class": lsp.SymbolKind.Class,
    "impl": lsp.SymbolKind.Class,
    "interface": lsp.SymbolKind.Interface,
    "trait": lsp.SymbolKind.Interface,
    "struct": lsp.SymbolKind.Struct,
    "enum": lsp.SymbolKind.Enum,
    "module": lsp.SymbolKind.Module,
    "object": lsp.SymbolKind.Object,
    "field": lsp.SymbolKind.Field,
    "attribute": lsp.SymbolKind.Field,
    "constant": lsp.SymbolKind.Constant,
}


def register(server: LanguageServer, session: Session) -> None:
    """Add the handlers."""

    @server.feature(lsp.WORKSPACE_SYMBOL)
    async def symbols(params: lsp.WorkspaceSymbolParams) -> list[lsp.SymbolInformation]:
        def answer() -> list[lsp.SymbolInformation]:
            found = session.index.search(params.query, limit=_MOST_SYMBOLS)
            return symbol_information(found, session.workspace, session.encoding)

        return await asyncio.to_thread(answer)

    @server.feature(lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: lsp.DidChangeWatchedFilesParams) -> None:
        session.indexing.changed(path for change in params.changes if (path := path_of(change.uri)))


def watching(server: LanguageServer) -> lsp.Registration | None:
    """What asks the client to tell of all changes of files; None if it cannot."""
    workspace = server.client_capabilities.workspace
    watched = workspace.did_change_watched_files if workspace else None
    if not (watched and watched.dynamic_registration):
        return None
    options = lsp.DidChangeWatchedFilesRegistrationOptions([lsp.FileSystemWatcher("**/*")])
    return lsp.Registration("watched-files", lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)


def symbol_information(
    found: Iterable[IndexedSymbol], workspace: Workspace, encoding: PositionEncoding
) -> list[lsp.SymbolInformation]:
    """Symbols as the protocol has them, each placed at its name. Those whose files are gone are left out."""
    texts: dict[object, LineIndex | None] = {}
    answer = []
    for symbol in found:
        if symbol.path.suffix == ".ipynb":
            # A cell's places are none in the notebook's file.
            continue
        if symbol.path not in texts:
            text = workspace.read(symbol.path)
            texts[symbol.path] = None if text is None else LineIndex(text)
        lines = texts[symbol.path]
        uri = uris.from_fs_path(str(symbol.path))
        if lines is None or uri is None:
            continue
        start, end = _name_span(symbol, lines.text)
        location = lsp.Location(uri, to_proto.span(start, end, lines, encoding))
        kind = _KINDS.get(symbol.kind, lsp.SymbolKind.Class)
        answer.append(lsp.SymbolInformation(location, symbol.name, kind, container_name=symbol.container))
    return answer


def _name_span(symbol: IndexedSymbol, text: str) -> tuple[int, int]:
    """Where a symbol's name stands in it: behind decorators and keywords. Its start if the file has changed since."""
    # A signature's lines are decorators, which may have the same name, and the definition's own.
    own = next((line for line in symbol.signature.split("\n") if not line.startswith("@")), "")
    definition = text.find(own.split("(")[0], symbol.start, symbol.end)
    name = re.compile(rf"(?<!\w){re.escape(symbol.name)}(?!\w)").search(
        text, definition if definition >= 0 else symbol.start, symbol.end
    )
    return name.span() if name else (symbol.start, symbol.start)
