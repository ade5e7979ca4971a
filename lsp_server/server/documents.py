"""The open documents, each as its latest snapshot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lsprotocol import types as lsp
from pygls import uris

from lsp_server.server import from_proto
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit
from lsp_server.text.positions import PositionEncoding


def path_of(uri: str) -> Path | None:
    """The file behind a URI; None for other schemes."""
    path = uris.to_fs_path(uri) if uri.startswith("file:") else None
    return Path(path) if path else None


class Documents:
    """Snapshots by URI, and by path where there is one."""

    def __init__(self) -> None:
        self._open: dict[str, Snapshot] = {}
        self._uris: dict[Path, str] = {}

    def get(self, uri: str) -> Snapshot | None:
        """The latest snapshot of an open document."""
        return self._open.get(uri)

    def known_as(self, uri: str) -> str:
        """How the client has spelt the URI of an open document that it spells otherwise here."""
        path = None if uri in self._open else path_of(uri)
        return self._uris.get(path, uri) if path else uri

    def __iter__(self) -> Iterator[tuple[str, Snapshot]]:
        return iter(tuple(self._open.items()))

    def open(self, item: lsp.TextDocumentItem) -> None:
        """A document was opened."""
        self._open[item.uri] = Snapshot.open(item.text, item.language_id, item.version)
        if path := path_of(item.uri):
            self._uris[path] = item.uri

    def close(self, uri: str) -> None:
        """A document was closed."""
        self._open.pop(uri, None)
        path = path_of(uri)
        if path and self._uris.get(path) == uri:
            del self._uris[path]

    def change(
        self,
        uri: str,
        version: int,
        changes: Sequence[lsp.TextDocumentContentChangeEvent],
        encoding: PositionEncoding,
    ) -> None:
        """Changes, each on top of the one before it."""
        snapshot = self._open.get(uri)
        if snapshot is None:
            return
        for change in changes:
            if isinstance(change, lsp.TextDocumentContentChangePartial):
                start, end = from_proto.span(change.range, snapshot.lines, encoding)
                snapshot = snapshot.edited([TextEdit(start, max(start, end), change.text)], version)
            else:
                snapshot = Snapshot.open(change.text, snapshot.language_id, version)
        self._open[uri] = snapshot

    def at(self, path: Path) -> Snapshot | None:
        """The open document of a file, or None. May be called from any thread."""
        uri = self._uris.get(path)
        return self._open.get(uri) if uri else None

    def files(self) -> list[tuple[Path, Snapshot]]:
        """The open documents that have a file."""
        return [(path, self._open[uri]) for path, uri in self._uris.items()]
