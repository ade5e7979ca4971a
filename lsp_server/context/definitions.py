"""What names mean in a file: by its imports, by what its modules pass on, by types and their bases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.spot import Spot
from lsp_server.context.symbols import SymbolSource, same_family
from lsp_server.context.workspace import Workspace

CLASS_KINDS = frozenset({"class", "interface", "struct", "enum", "trait", "object", "type", "module"})
# Of a name with more definitions than these some are not known. Of an imported one it is a certain one that counts.
MOST_DEFINITIONS = 8
MOST_IMPORTED = 40

# So often a name is passed on by one file to the next, and by at most so many at once.
_MOST_HOPS = 3
_MOST_PASSED = 20
_MOST_BASES = 8
_RETURNS = re.compile(r"(?:->|\)\s*:)\s*([^:{=]+)")
_WORD = re.compile(r"[^\W\d]\w{2,}")
_NO_WORD = re.compile(r"\W+")


class Definitions:
    """The definitions that the code at a spot can name.

    Attributes:
        here: what names that are imported are called in this file, by what they are called where they are from.
        targets: the files that are imported, with the names; ``*`` for all.
        modules: what modules that are imported whole are called in this file.
        bound: the names that imports bind, which mean nothing else.
    """

    def __init__(self, spot: Spot, symbols: SymbolSource, workspace: Workspace) -> None:
        self.here: dict[str, str] = {}
        self.targets: dict[Path, set[str]] = {}
        self.modules: dict[Path, str] = {}
        self.bound: set[str] = set()
        self._symbols = symbols
        self._workspace = workspace
        self._path = spot.path
        self._language = spot.snapshot.language
        self._offers: dict[Path, list[IndexedSymbol]] = {}
        self._read_imports()

    def usable(self, symbol: IndexedSymbol) -> bool:
        """Whether code of this language can use it."""
        return symbol.path == self._path or same_family(self._workspace.language(symbol.path), self._language)

    def exported(self, name: str, symbols: Sequence[IndexedSymbol]) -> list[IndexedSymbol]:
        """Which of the symbols of an imported name it means, also where the imported file only passes it on.

        Args:
            symbols: up to ``MOST_IMPORTED``.
        """
        # By file what the name is there.
        asked = {target: name for target, names in self.targets.items() if name in names}
        seen: set[Path] = set()
        for _ in range(_MOST_HOPS + 1):
            own = [s for s in symbols if asked.get(s.path) == s.name and not s.container]
            if not own and (len(symbols) >= MOST_IMPORTED or {*asked.values()} != {name}):
                # There is more than we were told.
                there_is = ((name, s) for file, name in asked.items() for s in self._symbols.symbols_in(file))
                own = [s for name, s in there_is if s.name == name and not s.container]
            if own:
                return own
            seen.update(asked)
            passed = (pair for file, there in asked.items() for pair in self._passed_on(file, there))
            asked = dict(islice((pair for pair in passed if pair[0] not in seen), _MOST_PASSED))
        return []

    def offered(self, name: str) -> list[IndexedSymbol] | None:
        """What the module of that name has at its top, its own and what it passes on; None if it is no module's."""
        modules = [target for target, here in self.modules.items() if here == name]
        return [symbol for module in modules for symbol in self._offered(module)] if modules else None

    def type_named(self, name: str) -> IndexedSymbol | None:
        """The class that a name means here, or that the function of that name returns; None if that is open."""
        symbols = self._all(name)
        returned = filter(None, (_RETURNS.search(s.signature) for s in symbols))
        words = (word for found in returned for word in _WORD.findall(found[1]))
        return self._class_among(symbols) or next(
            (found for word in islice(words, 2) if (found := self._class_among(self._all(word)))), None
        )

    def with_bases(self, owner: IndexedSymbol) -> list[IndexedSymbol]:
        """A class and those that it is made of, the nearest first."""
        found = [owner]
        for one in found:
            for word in _WORD.findall(one.signature):
                if word != one.name and len(found) < _MOST_BASES and word[:1].isupper():
                    base = self._class_among(self._all(word))
                    if base and base not in found:
                        found.append(base)
        return found

    def members(self, owner: IndexedSymbol) -> Iterator[IndexedSymbol]:
        """What is in a class, but for classes."""
        return (m for m in self._symbols.members(owner.dotted, owner.path) if m.kind not in CLASS_KINDS)

    def _read_imports(self) -> None:
        for imported in self._symbols.imports_of(self._path):
            target, other = imported.target, dict(imported.aliases)
            here = {name: other.get(name, name) for name in imported.names if name != "*"}
            self.bound.update(here.values())
            if target is None:
                self.bound.add(other.get("*") or _NO_WORD.split(imported.module)[-1])
            elif target != self._path:
                self.here |= here
                names = self.targets.setdefault(target, set())
                names.update(imported.names or "*")
                if "*" in names:
                    name = _module_name(target)
                    self.modules[target] = other.get("*") or other.get(name, name)

    def _passed_on(self, path: Path, name: str) -> Iterator[tuple[Path, str]]:
        """The files that a file may have a name from, each with the name there."""
        for imported in self._symbols.imports_of(path):
            there = next((there for there, here in imported.aliases if here == name), name)
            if imported.target and (there in imported.names or "*" in imported.names):
                yield imported.target, there

    def _offered(self, module: Path) -> list[IndexedSymbol]:
        if module in self._offers:
            return self._offers[module]
        own = [s for s in self._symbols.symbols_in(module) if not s.container]
        passed = {
            name: imported.target
            for imported in self._symbols.imports_of(module)
            for name in imported.names
            if imported.target
        }
        names = list(passed)[:_MOST_PASSED]
        found = self._symbols.definitions(names, limit=MOST_DEFINITIONS) if names else {}
        self._offers[module] = [*own, *(s for n, symbols in found.items() for s in symbols if s.path == passed[n])]
        return self._offers[module]

    def _all(self, name: str) -> list[IndexedSymbol]:
        found = self._symbols.definitions([name], limit=MOST_DEFINITIONS).get(name, ())
        return [symbol for symbol in found if self.usable(symbol)]

    def _class_among(self, symbols: Sequence[IndexedSymbol]) -> IndexedSymbol | None:
        """The class of this file or of an imported one, or the only one that there is."""
        classes = [s for s in symbols if s.kind in CLASS_KINDS]
        near = [s for s in classes if s.path == self._path or s.path in self.targets]
        meant = near or (classes if len(classes) == 1 else [])
        return meant[0] if meant else None


def _module_name(path: Path) -> str:
    """By what name code knows a module that it imports whole."""
    # A Go package is its folder.
    return path.parent.name if path.stem in ("__init__", "index", "mod") or path.suffix == ".go" else path.stem
