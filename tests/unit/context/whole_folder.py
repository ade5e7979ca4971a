"""An index that needs no building: it reads all files of a folder each time."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from lsp_server.context.files import FileCache
from lsp_server.context.index.types import IndexedSymbol, ResolvedImport
from lsp_server.context.symbols import NearbySymbols
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.languages import language_for_path


class WholeFolder:
    """A `SymbolSource` of everything below a folder."""

    def __init__(self, root: Path, workspace: Workspace, files: FileCache) -> None:
        self._root = root
        self._near = NearbySymbols(root / "none", workspace, files)

    def definitions(self, names: Collection[str], *, limit: int = 8) -> dict[str, list[IndexedSymbol]]:
        found: dict[str, list[IndexedSymbol]] = {}
        for symbol in (s for path in self._paths() for s in self.symbols_in(path) if s.name in names):
            found.setdefault(symbol.name, []).append(symbol)
        return {name: symbols[:limit] for name, symbols in found.items()}

    def symbols_in(self, path: Path) -> tuple[IndexedSymbol, ...]:
        return self._near.symbols_in(path)

    def members(self, container: str, path: Path | None = None) -> tuple[IndexedSymbol, ...]:
        paths = self._paths() if path is None else [path]
        return tuple(s for p in paths for s in self.symbols_in(p) if s.container == container)

    def saved_members(self, container: str, path: Path) -> tuple[IndexedSymbol, ...]:
        return self._near.saved_members(container, path)

    def imports_of(self, path: Path) -> tuple[ResolvedImport, ...]:
        return self._near.imports_of(path)

    def importers_of(self, path: Path) -> tuple[Path, ...]:
        return tuple(p for p in self._paths() if any(i.target == path for i in self.imports_of(p)))

    def _paths(self) -> list[Path]:
        return sorted(p for p in self._root.rglob("*") if p.is_file() and language_for_path(p))
