"""Reading the index of one workspace folder, be it there or not yet."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Collection, Iterable
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

from lsp_server.context.index.database import open_for_reading
from lsp_server.context.index.types import IndexedSymbol, ResolvedImport

logger = logging.getLogger(__name__)

# Of a name that so many things have, only so many are looked at.
_MOST_OF_A_NAME = 40
# So many names are ranked for one search.
_MOST_NAMES = 5000


class Reader:
    """The index of one workspace folder, open for reading.

    While there is none, or it cannot be read, everything is empty; one that is made or replaced is seen at the next
    question. Safe to share between threads.

    Args:
        hidden: in all questions: paths whose indexed state does not count, relative to the workspace folder.
    """

    def __init__(self, root: Path, database: Path) -> None:
        self.root = root
        self.database = database
        # The same files are asked for again and again, and to join paths takes longer than to find them.
        self._place = lru_cache(4096)(root.joinpath)
        self._lock = threading.Lock()
        self._db: sqlite3.Connection | None = None
        self._seen: tuple[int, int] | None = None

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            self._let_go()

    def definitions(self, names: Collection[str], hidden: Collection[str], limit: int) -> list[IndexedSymbol]:
        """The symbols of some names, of each so many; functions and classes first, and what is in no class."""
        return self._symbols(
            "SELECT id, path, name, kind, container, start, end, line, signature, doc FROM ("
            "  SELECT *, row_number() OVER ("
            "    PARTITION BY name"
            "    ORDER BY container IS NOT NULL, kind IN ('field', 'attribute', 'constant'), path, start"
            "  ) AS place FROM placed WHERE id IN ("
            "    SELECT id FROM (SELECT rowid AS id,"
            "      row_number() OVER (PARTITION BY name ORDER BY container IS NOT NULL) AS number FROM symbols"
            "      WHERE name IN (SELECT value FROM json_each(:names))) WHERE number <= :most"
            "  ) AND path NOT IN (SELECT value FROM json_each(:hidden))"
            ") WHERE place <= :limit ORDER BY name, place",
            names=_array(names),
            hidden=_array(hidden),
            limit=limit,
            most=max(limit, _MOST_OF_A_NAME),
        )

    def members(self, container: str, path: str | None, hidden: Collection[str]) -> list[IndexedSymbol]:
        """The symbols in a class, in all files or one."""
        return self._symbols(
            "SELECT * FROM placed WHERE container = :container AND (:path IS NULL OR path = :path)"
            " AND path NOT IN (SELECT value FROM json_each(:hidden)) ORDER BY path, start",
            container=container,
            path=path,
            hidden=_array(hidden),
        )

    def symbols_in(self, path: str) -> list[IndexedSymbol]:
        """The symbols of a file in source order, the outer before the inner."""
        return self._symbols("SELECT * FROM placed WHERE path = :path ORDER BY start, end DESC", path=path)

    def names_like(self, query: str) -> list[str]:
        """The names of symbols that have a query's characters in their order; the shortest, if there are many.

        Of a query of one or two characters they have the first in front, for nearly every name has them somewhere.
        """
        escaped = [f"\\{char}" if char in "%_\\" else char for char in query]
        rows = self._ask(
            "SELECT DISTINCT name FROM symbols WHERE name LIKE :pattern ESCAPE '\\' ORDER BY length(name) LIMIT :most",
            pattern="%".join([*([] if len(query) < 3 else [""]), *escaped, ""]),
            most=_MOST_NAMES,
        )
        return [name for (name,) in rows]

    def imports_of(self, path: str) -> list[ResolvedImport]:
        """What a file imports, in source order."""
        rows = self._ask(
            "SELECT module, imports.names, level, aliases, targets.path, targets.names FROM imports"
            " JOIN files ON files.id = file LEFT JOIN targets ON import = imports.id"
            " WHERE files.path = :path ORDER BY imports.id, targets.rowid",
            path=path,
        )
        return [
            ResolvedImport(
                module,
                tuple(json.loads(names if target is None else wanted)),
                level,
                None if target is None else self._place(target),
                tuple((name, alias) for name, alias in json.loads(aliases)),
            )
            for module, names, level, aliases, target, wanted in rows
        ]

    def importers_of(self, path: str, hidden: Collection[str], limit: int) -> list[Path]:
        """The files that import a file: those named after it, as its tests are, go first, then those that are near."""
        folder, _, name = path.rpartition("/")
        rows = self._ask(
            "SELECT DISTINCT files.path FROM targets JOIN imports ON imports.id = import JOIN files ON files.id = file"
            " WHERE targets.path = :path AND files.path NOT IN (SELECT value FROM json_each(:hidden))"
            " ORDER BY instr(files.name, :stem) = 0,"
            " (SELECT count(*) FROM json_each(:around) WHERE substr(files.path, 1, length(value)) = value) DESC,"
            " files.path LIMIT :limit",
            path=path,
            stem=name.partition(".")[0],
            around=_array(accumulate(f"{part}/" for part in folder.split("/"))),
            hidden=_array(hidden),
            limit=limit,
        )
        return [self._place(importer) for (importer,) in rows]

    def referencing(self, name: str, hidden: Collection[str], limit: int) -> list[tuple[Path, int]]:
        """The files that have a name, and how often, those that have it most first."""
        rows = self._ask(
            "SELECT path, count FROM occurrences JOIN files ON files.id = file"
            " WHERE occurrences.name = (SELECT id FROM names WHERE name = :name)"
            " AND path NOT IN (SELECT value FROM json_each(:hidden))"
            " ORDER BY count DESC, path LIMIT :limit",
            name=name,
            hidden=_array(hidden),
            limit=limit,
        )
        return [(self._place(path), count) for path, count in rows]

    def files(self, language_ids: Collection[str] | None) -> list[Path]:
        """The indexed files, of some languages or all."""
        rows = self._ask(
            "SELECT path FROM files WHERE language <> '' AND"
            " (:languages IS NULL OR language IN (SELECT value FROM json_each(:languages))) ORDER BY path",
            languages=None if language_ids is None else _array(language_ids),
        )
        return [self.root / path for (path,) in rows]

    def named(self, name: str) -> list[str]:
        """The files of a name, relative to the workspace folder."""
        return [path for (path,) in self._ask("SELECT path FROM files WHERE files.name = :name", name=name)]

    def counts(self) -> tuple[int, int]:
        """How many files and symbols there are."""
        rows = self._ask("SELECT (SELECT count(*) FROM files WHERE language <> ''), (SELECT count(*) FROM symbols)")
        files, symbols = rows[0] if rows else (0, 0)
        return files, symbols

    def _symbols(self, sql: str, **values: Any) -> list[IndexedSymbol]:
        return [
            IndexedSymbol(name, kind, container, self._place(path), start, end, line, signature, doc)
            for _, path, name, kind, container, start, end, line, signature, doc in self._ask(sql, **values)
        ]

    def _ask(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            try:
                db = self._connection()
                return db.execute(sql, values).fetchall() if db else []
            except sqlite3.Error as error:
                # The next run of the builder makes a damaged one anew.
                logger.warning("The index %s cannot be read: %s", self.database, error)
                self._let_go()
                return []

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
        return self._db

    def _let_go(self) -> None:
        db, self._db = self._db, None
        if db:
            db.close()


def _array(values: Iterable[str]) -> str:
    return json.dumps(list(values))
