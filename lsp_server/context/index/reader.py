"""Reading the index of one workspace folder, be it there or not yet."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from lsp_server.context.index.database import open_for_reading
from lsp_server.context.index.types import IndexedSymbol, ResolvedImport

logger = logging.getLogger(__name__)

# Of a name that so many things have, only so many are looked at.
_MOST_OF_A_NAME = 40
# So many names are ranked for one search.
_MOST_NAMES = 5000
# So much of what was asked is remembered: about 10 MB.
_MOST_REMEMBERED = 20_000

_Row = tuple[Any, ...]
_T = TypeVar("_T")


class Reader:
    """The index of one workspace folder, open for reading.

    While there is none, or it cannot be read, everything is empty; one that is made or replaced is seen at the next
    question. Answers are remembered while nobody writes to it: of one spot nearly the same is asked as of the one
    before. Safe to share between threads. Paths are relative to the workspace folder in questions, absolute in answers.
    """

    def __init__(self, root: Path, database: Path) -> None:
        self.root = root
        self.database = database
        # The same files are asked for again and again, and to join paths takes longer than to find them.
        self._place = lru_cache(4096)(root.joinpath)
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._seen: tuple[int, int] | None = None
        self._answers: dict[tuple[object, ...], Sequence[Any]] = {}
        self._remembered = 0
        self._version: _Row = ()

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._let_go()

    def definitions(self, names: Collection[str], limit: int) -> dict[str, list[IndexedSymbol]]:
        """The symbols of each name, at most ``limit`` or 40; functions and classes first, and what is in no class."""
        found = self._ask_each(
            self._symbol,
            "SELECT * FROM placed WHERE id IN ("
            "  SELECT rowid FROM symbols WHERE name = :name ORDER BY container IS NOT NULL LIMIT :most"
            ") ORDER BY container IS NOT NULL, kind IN ('field', 'attribute', 'constant'), path, start",
            [{"name": name, "most": max(limit, _MOST_OF_A_NAME)} for name in names],
        )
        return dict(zip(names, found, strict=True))

    def members(self, container: str, path: str | None) -> list[IndexedSymbol]:
        """The symbols in a class, in all files or one."""
        return self._symbols(
            "SELECT * FROM placed WHERE container = :container AND (:path IS NULL OR path = :path)"
            " ORDER BY path, start",
            container=container,
            path=path,
        )

    def symbols_in(self, path: str) -> list[IndexedSymbol]:
        """The symbols of a file in source order, the outer before the inner."""
        return self._symbols("SELECT * FROM placed WHERE path = :path ORDER BY start, end DESC", path=path)

    def names_like(self, query: str) -> list[str]:
        """The names of symbols that have a query's characters in their order; the shortest, if there are many.

        Of a query of one or two characters they have the first in front, for nearly every name has them somewhere.
        """
        escaped = [f"\\{char}" if char in "%_\\" else char for char in query]
        return self._ask(
            _first,
            "SELECT DISTINCT name FROM symbols WHERE name LIKE :pattern ESCAPE '\\' ORDER BY length(name) LIMIT :most",
            pattern="%".join([*([] if len(query) < 3 else [""]), *escaped, ""]),
            most=_MOST_NAMES,
        )

    def imports_of(self, path: str) -> list[ResolvedImport]:
        """What a file imports, in source order."""
        return self._ask(
            self._import,
            "SELECT module, imports.names, level, aliases, targets.path, targets.names FROM imports"
            " JOIN files ON files.id = file LEFT JOIN targets ON import = imports.id"
            " WHERE files.path = :path ORDER BY imports.id, targets.rowid",
            path=path,
        )

    def importers_of(self, path: str, limit: int) -> list[Path]:
        """The files that import a file: those named after it, as its tests are, go first, then those that are near."""
        folder, _, name = path.rpartition("/")
        return self._ask(
            self._file,
            "SELECT DISTINCT files.path FROM targets JOIN imports ON imports.id = import JOIN files ON files.id = file"
            " WHERE targets.path = :path"
            " ORDER BY instr(files.name, :stem) = 0,"
            " (SELECT count(*) FROM json_each(:around) WHERE substr(files.path, 1, length(value)) = value) DESC,"
            " files.path LIMIT :limit",
            path=path,
            stem=name.partition(".")[0],
            around=_array(accumulate(f"{part}/" for part in folder.split("/"))),
            limit=limit,
        )

    def referencing(self, name: str, limit: int) -> list[tuple[Path, int]]:
        """The files that have a name, and how often, those that have it most first."""
        return self._ask(
            lambda row: (self._place(row[0]), row[1]),
            "SELECT path, count FROM occurrences JOIN files ON files.id = file"
            " WHERE occurrences.name = (SELECT id FROM names WHERE name = :name)"
            " ORDER BY count DESC, path LIMIT :limit",
            name=name,
            limit=limit,
        )

    def named(self, name: str) -> list[str]:
        """The files of a name, relative to the workspace folder."""
        return self._ask(_first, "SELECT path FROM files WHERE files.name = :name ORDER BY path", name=name)

    def counts(self) -> tuple[int, int]:
        """How many files and symbols there are."""
        counts = "SELECT (SELECT count(*) FROM files WHERE language <> ''), (SELECT count(*) FROM symbols)"
        files, symbols = next(iter(self._ask(tuple, counts)), (0, 0))
        return files, symbols

    def _symbols(self, sql: str, **values: Any) -> list[IndexedSymbol]:
        return self._ask(self._symbol, sql, **values)

    def _symbol(self, row: _Row) -> IndexedSymbol:
        _, path, name, kind, container, start, end, line, signature, doc = row
        return IndexedSymbol(name, kind, container, self._place(path), start, end, line, signature, doc)

    def _import(self, row: _Row) -> ResolvedImport:
        module, names, level, aliases, target, wanted = row
        return ResolvedImport(
            module,
            tuple(json.loads(names if target is None else wanted)),
            level,
            None if target is None else self._place(target),
            tuple((name, alias) for name, alias in json.loads(aliases)),
        )

    def _file(self, row: _Row) -> Path:
        return self._place(row[0])

    def _ask(self, made_of: Callable[[_Row], _T], sql: str, **values: Any) -> list[_T]:
        return self._ask_each(made_of, sql, [values])[0]

    def _ask_each(self, made_of: Callable[[_Row], _T], sql: str, questions: list[dict[str, Any]]) -> list[list[_T]]:
        with self._lock:
            try:
                if db := self._connection():
                    return [[*self._answer(db, made_of, sql, values)] for values in questions]
            except sqlite3.Error as error:
                # The next run of the builder makes a damaged one anew.
                logger.warning("The index %s cannot be read: %s", self.database, error)
                self._let_go()
            return [[] for _ in questions]

    def _answer(
        self, db: sqlite3.Connection, made_of: Callable[[_Row], _T], sql: str, values: dict[str, Any]
    ) -> Sequence[_T]:
        question = (sql, *values.values())
        known = self._answers.get(question)
        if known is None:
            try:
                known = tuple(map(made_of, db.execute(sql, values)))
            except UnicodeEncodeError:
                # Half a character, as an editor may send it, is in no database.
                known = ()
            self._answers[question] = known
            self._remembered += len(known) + 1
        return known

    def _connection(self) -> sqlite3.Connection | None:
        try:
            status = self.database.stat()
        except OSError:
            self._let_go()
            return None
        seen = (status.st_dev, status.st_ino)
        if self._db is None or seen != self._seen:
            self._let_go()
            self._db, self._seen = open_for_reading(self.database), seen
        version = self._db.execute("PRAGMA data_version").fetchone() if self._db else ()
        if version != self._version or self._remembered > _MOST_REMEMBERED:
            self._forget()
            self._version = version
        return self._db

    def _forget(self) -> None:
        self._answers.clear()
        self._remembered = 0

    def _let_go(self) -> None:
        self._forget()
        db, self._db = self._db, None
        if db:
            db.close()


def _array(values: Iterable[str]) -> str:
    return json.dumps(list(values))


def _first(row: _Row) -> Any:
    return row[0]
