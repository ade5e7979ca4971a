"""The index as everybody asks it: all workspace folders, and the open documents as they are typed."""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from lsp_server.context.index.database import database_path
from lsp_server.context.index.exclusions import Exclusions
from lsp_server.context.index.extract import is_readable
from lsp_server.context.index.folder import Folder
from lsp_server.context.index.links import real_path
from lsp_server.context.index.matching import fits_words, rank
from lsp_server.context.index.open_document import OpenDocument, open_document
from lsp_server.context.index.reader import Reader
from lsp_server.context.index.types import IndexedSymbol, IndexState, ResolvedImport
from lsp_server.context.workspace import is_secret
from lsp_server.syntax.names import name_counts
from lsp_server.syntax.snapshot import Snapshot

# `Circle.area`, `Circle::area`, `Circle#area`: a container and what is in it.
_QUALIFIER = re.compile(r"::|[.#/]")
_LESS_WANTED = ("field", "attribute", "constant")
# To make paths of thousands takes longer than a suggestion may.
_MOST_IMPORTERS = 50


class WorkspaceIndex:
    """What the files of the workspace define, import and name. All of it is quick, and safe to ask from any thread.

    Before the index is built there are only the open documents; nothing ever raises for want of it.

    Args:
        cache: where the databases are; None for the user's cache folder.
    """

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache
        self._lock = threading.Lock()
        self._folders: Mapping[Path, Folder] = {}
        self._open: Mapping[Path, OpenDocument] = {}
        self._progress: dict[Path, tuple[int, int]] = {}
        self._exclude: tuple[str, ...] = ()

    # What the server says.

    def set_roots(self, roots: Sequence[Path], exclude: Sequence[str] = ()) -> None:
        """The workspace's folders (absolute), and globs as in a ``.gitignore`` of what else is left out."""
        with self._lock:
            before = self._folders
            self._exclude = tuple(exclude)
            self._folders = {
                root: Folder(
                    *self._readers(root),
                    Exclusions(root, exclude),
                    tuple(other for other in roots if other != root and other.is_relative_to(root)),
                )
                for root in roots
            }
            self._open = self._wanted()
        kept = [folder.reader for folder in self._folders.values()]
        for folder in before.values():
            if folder.reader not in kept:
                folder.reader.close()
                folder.searcher.close()

    def refresh(self) -> None:
        """Files came, went or changed: read the rules of git anew, and find what open documents import."""
        with self._lock:
            self._folders = {
                root: replace(folder, exclusions=Exclusions(root, self._exclude))
                for root, folder in self._folders.items()
            }
            self._open = self._wanted()
        for path, document in tuple(self._open.items()):
            fresh = open_document(path, document.snapshot, self._folder_of(path))
            with self._lock:
                if self._open.get(path) is document:
                    self._open = {**self._open, path: fresh}

    def update(self, path: Path, snapshot: Snapshot) -> None:
        """A document is open and reads so. Takes as long as its syntax needs: to be called off the event loop.

        One that would not be read from disk, since it is too large or was made by a program, counts as closed.
        """
        wanted = is_readable(snapshot.text) and not self.is_excluded(path)
        document = open_document(path, snapshot, self._folder_of(path), self._open.get(path)) if wanted else None
        with self._lock:
            # The rules may have changed while the document was looked into.
            if document is None or self.is_excluded(path):
                self._open = {p: other for p, other in self._open.items() if p != path}
            else:
                self._open = {**self._open, path: document}

    def forget(self, path: Path) -> None:
        """A document was closed: what is on disk counts."""
        with self._lock:
            self._open = {p: document for p, document in self._open.items() if p != path}

    def close(self) -> None:
        """Let the databases go."""
        self.set_roots(())

    def database_of(self, root: Path) -> Path:
        """Where a folder's index is built."""
        return database_path(root, self._exclude, self._cache)

    def report(self, root: Path, progress: tuple[int, int] | None) -> None:
        """How far a builder is: files done and to be done; None when it has ended."""
        with self._lock:
            self._progress.pop(root, None)
            if progress is not None:
                self._progress[root] = progress

    # What the others ask.

    def definitions(self, names: Collection[str], *, limit: int = 8) -> dict[str, list[IndexedSymbol]]:
        """The symbols of each name, at most ``limit`` of one: those of open documents, then the others.

        Of either, functions and classes go first, and what is in no class. A name that nothing has is left out.
        """
        others: dict[str, list[IndexedSymbol]] = {}
        opened_files = self._open
        documents = opened_files.values()
        for folder in self._folders.values():
            for name, symbols in folder.reader.definitions(names, limit).items():
                others.setdefault(name, []).extend(_as_saved(folder, symbols, opened_files)[:limit])
        found: dict[str, list[IndexedSymbol]] = {}
        for name in names:
            opened = [symbol for document in documents for symbol in document.by_name.get(name, ())]
            if opened or others.get(name):
                found[name] = [*sorted(opened, key=_prominence), *sorted(others.get(name, ()), key=_prominence)][:limit]
        return found

    def symbols_in(self, path: Path) -> tuple[IndexedSymbol, ...]:
        """What a file offers, in source order, the outer before the inner."""
        if document := self._open.get(path):
            return document.symbols
        folder = self._folder_of(path)
        return tuple(folder.reader.symbols_in(folder.relative(path))) if folder else ()

    def members(self, container: str, path: Path | None = None) -> tuple[IndexedSymbol, ...]:
        """What is in the classes of a name (a nested one's is dotted), in all files or one."""
        opened = self._open
        found = [
            symbol
            for document in opened.values()
            for symbol in document.by_container.get(container, ())
            if path in (None, symbol.path)
        ]
        if path in opened:
            return tuple(found)
        for folder in self._folders.values():
            if path is None or path.is_relative_to(folder.reader.root):
                relative = None if path is None else folder.relative(path)
                found += _as_saved(folder, folder.reader.members(container, relative), opened)
        return tuple(found)

    def saved_members(self, container: str, path: Path) -> tuple[IndexedSymbol, ...]:
        """What an open document has in the classes of a name as it is on disk; empty for other files."""
        folder = self._folder_of(path) if path in self._open else None
        return tuple(folder.reader.members(container, folder.relative(path))) if folder else ()

    def imports_of(self, path: Path) -> tuple[ResolvedImport, ...]:
        """What a file imports, in source order."""
        if document := self._open.get(path):
            return document.resolved
        folder = self._folder_of(path)
        return tuple(folder.reader.imports_of(folder.relative(path))) if folder else ()

    def importers_of(self, path: Path) -> tuple[Path, ...]:
        """The files that import a file; of very many those that are open, or have its name in theirs, or are near."""
        opened = self._open
        found = [p for p, document in opened.items() if path in document.targets]
        for folder in self._folders.values():
            if path.is_relative_to(folder.reader.root):
                rows = folder.reader.importers_of(folder.relative(path), _MOST_IMPORTERS + len(opened))
                saved = (other for other in rows if other not in opened and folder.owns(other))
                found += islice(saved, _MOST_IMPORTERS)
        return tuple(dict.fromkeys(found))

    def referencing(self, name: str, *, limit: int) -> list[tuple[Path, int]]:
        """The files that have an identifier, and how often, those that have it most first."""
        opened = self._open
        found = [
            (path, count)
            for path, document in opened.items()
            if (count := document.snapshot.derived(name_counts).get(name, 0))
        ]
        for folder in self._folders.values():
            rows = folder.reader.referencing(name, limit + len(opened))
            found += ((path, count) for path, count in rows if path not in opened and folder.owns(path))
        return sorted(found, key=lambda entry: (-entry[1], entry[0]))[:limit]

    def named(self, name: str) -> tuple[Path, ...]:
        """The indexed files of a name, in whatever folders."""
        return tuple(
            path
            for folder in self._folders.values()
            for path in map(folder.reader.root.joinpath, folder.reader.named(name))
            if folder.owns(path)
        )

    def search(self, query: str, *, limit: int) -> list[IndexedSymbol]:
        """The symbols that a query finds, the best first; see ``matching``. ``Circle.area`` looks in containers."""
        *containers, wanted = _QUALIFIER.split(query.replace(" ", ""))
        if not wanted:
            return []
        container = next((part.lower() for part in reversed(containers) if part), "")
        names = {name for document in self._open.values() for name in document.by_name if rank(wanted, name)}
        for folder in self._folders.values():
            names.update(folder.searcher.names_like(wanted))
        ranks = {name: fit for name in names if (fit := rank(wanted, name))}
        # A container leaves few of each name, so more names are looked at.
        best = sorted(ranks, key=lambda name: (ranks[name], name))[: limit * 5 if container else limit]
        found = [
            symbol
            for symbols in self.definitions(best, limit=limit).values()
            for symbol in symbols
            if not container or fits_words(container, (symbol.container or "").rpartition(".")[2])
        ]
        found.sort(key=lambda s: (ranks[s.name], s.name, _prominence(s), s.path, s.start))
        return found[:limit]

    def is_excluded(self, path: Path) -> bool:
        """Whether a file is left out of everything: secret, ignored by git, or by the user's settings.

        Of files that are in no workspace folder it is the secret ones, and links to such.
        """
        if folder := self._folder_of(path):
            return folder.exclusions.is_excluded(path)
        return is_secret(path) or is_secret(real_path(path))

    def state(self) -> IndexState:
        """How far the index is."""
        counts = [folder.reader.counts() for folder in self._folders.values()]
        with self._lock:
            progress = tuple(self._progress.values())
        return IndexState(
            files=sum(files for files, _ in counts),
            symbols=sum(symbols for _, symbols in counts),
            building=bool(progress),
            done=sum(done for done, _ in progress),
            total=sum(total for _, total in progress),
        )

    def _readers(self, root: Path) -> tuple[Reader, Reader]:
        """What reads a folder's index: the readers that there are, unless other globs count by now."""
        database, known = self.database_of(root), self._folders.get(root)
        if known and known.reader.database == database:
            return known.reader, known.searcher
        return Reader(root, database), Reader(root, database)

    def _wanted(self) -> dict[Path, OpenDocument]:
        """The open documents that are not left out, as the folders' rules are now."""
        return {path: document for path, document in self._open.items() if not self.is_excluded(path)}

    def _folder_of(self, path: Path) -> Folder | None:
        holding = [root for root in self._folders if path.is_relative_to(root)]
        return self._folders[max(holding, key=lambda root: len(root.parts))] if holding else None


def _as_saved(
    folder: Folder, symbols: Iterable[IndexedSymbol], opened: Mapping[Path, OpenDocument]
) -> list[IndexedSymbol]:
    """Those of a folder's symbols that count: not what an open document has, or another folder within it."""
    return [symbol for symbol in symbols if symbol.path not in opened and folder.owns(symbol.path)]


def _prominence(symbol: IndexedSymbol) -> tuple[bool, bool]:
    return symbol.container is not None, symbol.kind in _LESS_WANTED
