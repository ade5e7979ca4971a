"""Who knows where names are defined: the workspace's index, or the files that are near where there is none."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Protocol

from lsp_server.context.files import FileCache
from lsp_server.context.index.extract import indexed
from lsp_server.context.index.resolve import resolve_all
from lsp_server.context.index.trees import DiskTree
from lsp_server.context.index.types import IndexedSymbol, ResolvedImport
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.imports import imports
from lsp_server.syntax.languages import Language, language_for_path
from lsp_server.syntax.outline import Symbol
from lsp_server.syntax.snapshot import Snapshot

# A folder of more files is no neighbourhood, and each costs some milliseconds.
_MOST_NEIGHBOURS = 40
# Languages that see each other's names.
_FAMILIES = (
    frozenset({"javascript", "javascriptreact", "typescript", "typescriptreact"}),
    frozenset({"c", "cpp", "objective-c"}),
    frozenset({"java", "kotlin"}),
)


class SymbolSource(Protocol):
    """What retrieval asks of the workspace's index. All of it is quick, and may be of a slightly older text."""

    def definitions(self, names: Collection[str], *, limit: int = ...) -> Mapping[str, Sequence[IndexedSymbol]]:
        """The symbols of each name; a name of more than ``limit`` may have any of them."""
        ...

    def symbols_in(self, path: Path) -> Sequence[IndexedSymbol]:
        """What a file offers, in source order, the outer before the inner."""
        ...

    def members(self, container: str, path: Path | None = ...) -> Sequence[IndexedSymbol]:
        """What is in the classes of a name (a nested one's is dotted), in all files or one, in source order."""
        ...

    def saved_members(self, container: str, path: Path) -> Sequence[IndexedSymbol]:
        """The same of one file that is open, as it is on disk; empty for others."""
        ...

    def imports_of(self, path: Path) -> Sequence[ResolvedImport]:
        """What a file imports, in source order."""
        ...

    def importers_of(self, path: Path) -> Sequence[Path]:
        """The files that import a file."""
        ...


class Remembered:
    """A `SymbolSource` that is asked nothing about a file twice; for one search, since files change."""

    def __init__(self, source: SymbolSource) -> None:
        self.definitions = source.definitions
        self.members = source.members
        self.saved_members = source.saved_members
        self.symbols_in = cache(source.symbols_in)
        self.imports_of = cache(source.imports_of)
        self.importers_of = cache(source.importers_of)


class NearbySymbols:
    """A `SymbolSource` without an index: of one file, what it imports, and what lies in its folder."""

    def __init__(self, path: Path, workspace: Workspace, files: FileCache) -> None:
        self._path = path
        self._workspace = workspace
        self._files = files

    def definitions(self, names: Collection[str], *, limit: int = 8) -> dict[str, list[IndexedSymbol]]:
        """See `SymbolSource`."""
        targets = (found.target for found in self.imports_of(self._path))
        near = dict.fromkeys((self._path, *filter(None, targets), *self._neighbours()))
        found: dict[str, list[IndexedSymbol]] = {}
        for path in near:
            for symbol in self.symbols_in(path):
                if symbol.name in names and len(found.setdefault(symbol.name, [])) < limit:
                    found[symbol.name].append(symbol)
        return found

    def symbols_in(self, path: Path) -> tuple[IndexedSymbol, ...]:
        """See `SymbolSource`."""
        return self._files.derived(path, self._workspace, _symbols) or ()

    def members(self, container: str, path: Path | None = None) -> tuple[IndexedSymbol, ...]:
        """See `SymbolSource`."""
        return tuple(s for s in self.symbols_in(path or self._path) if s.container == container)

    def saved_members(self, container: str, path: Path) -> tuple[IndexedSymbol, ...]:
        """None are known: files are read as they are open."""
        return ()

    def imports_of(self, path: Path) -> tuple[ResolvedImport, ...]:
        """See `SymbolSource`."""
        text, language = self._files.text(path, self._workspace), language_for_path(path)
        if text is None or language is None:
            return ()
        root = self._workspace.root_of(path)
        imported = imports(Snapshot.open(text, language.id))
        return tuple(resolve_all(imported, self._workspace.relative(path), language.id, DiskTree(root), root))

    def importers_of(self, path: Path) -> tuple[Path, ...]:
        """None are known."""
        return ()

    def _neighbours(self) -> list[Path]:
        own = language_for_path(self._path)
        if own is None or not self._path.parent.is_dir():
            return []
        found = sorted(p for p in self._path.parent.iterdir() if same_family(language_for_path(p), own))
        return found[:_MOST_NEIGHBOURS]


def same_family(first: Language | None, second: Language | None) -> bool:
    """Whether code of one language may use names of the other."""
    if first is None or second is None:
        return False
    return first is second or any({first.id, second.id} <= family for family in _FAMILIES)


def as_symbol(found: IndexedSymbol) -> Symbol:
    """The form that ``outline.render`` takes."""
    return Symbol(found.name, found.kind, found.start, found.end, found.signature, found.doc, found.container)


def _symbols(path: Path, text: str) -> tuple[IndexedSymbol, ...]:
    language = language_for_path(path)
    return indexed(path, Snapshot.open(text, language.id if language else ""))
