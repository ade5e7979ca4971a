"""An open document as the index has it: what it defines and imports, as it is typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.index.extract import indexed
from lsp_server.context.index.folder import Folder
from lsp_server.context.index.reader import Reader
from lsp_server.context.index.resolve import resolve_all
from lsp_server.context.index.trees import DiskTree
from lsp_server.context.index.types import IndexedSymbol, ResolvedImport
from lsp_server.syntax.imports import Import, imports
from lsp_server.syntax.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A document as it reads now.

    Attributes:
        by_name, by_container: ``symbols`` by their names, and by the classes that they are in.
        resolved: ``imports`` with the files that they lead to.
        targets: those files.
    """

    snapshot: Snapshot
    symbols: tuple[IndexedSymbol, ...]
    by_name: Mapping[str, list[IndexedSymbol]]
    by_container: Mapping[str, list[IndexedSymbol]]
    imports: tuple[Import, ...]
    resolved: tuple[ResolvedImport, ...]
    targets: frozenset[Path]


def open_document(
    path: Path, snapshot: Snapshot, folder: Folder | None, before: OpenDocument | None = None
) -> OpenDocument:
    """Look into a document.

    Args:
        folder: that the file is in, if it is in the workspace; without one no import leads anywhere.
        before: the same document earlier, from which is taken what is still true.
    """
    symbols = indexed(path, snapshot)
    by_name: dict[str, list[IndexedSymbol]] = {}
    by_container: dict[str, list[IndexedSymbol]] = {}
    for symbol in symbols:
        by_name.setdefault(symbol.name, []).append(symbol)
        if symbol.container:
            by_container.setdefault(symbol.container, []).append(symbol)
    imported = imports(snapshot)
    # To find the files is the larger part, and the imports are seldom what is typed.
    if before and before.imports == imported:
        return OpenDocument(snapshot, symbols, by_name, by_container, imported, before.resolved, before.targets)
    resolved: tuple[ResolvedImport, ...] = ()
    if folder and snapshot.language:
        importer, tree, root = folder.relative(path), _SeenTree(folder.reader), folder.reader.root
        excluded = folder.exclusions.is_excluded
        resolved = tuple(resolve_all(imported, importer, snapshot.language.id, tree, root, excluded))
    targets = frozenset(found.target for found in resolved if found.target)
    return OpenDocument(snapshot, symbols, by_name, by_container, imported, resolved, targets)


class _SeenTree(DiskTree):
    """What is on disk, and what the index knows by name."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader.root)
        self._reader = reader

    def named(self, name: str) -> Iterable[str]:
        return self._reader.named(name)
