"""Writing the index. Only the builder does it, and only one builder at a time."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.index.database import open_for_writing
from lsp_server.context.index.exclusions import FoundFile
from lsp_server.context.index.extract import FileFacts
from lsp_server.context.index.resolve import resolve
from lsp_server.context.index.trees import FileTree
from lsp_server.syntax.imports import Import

# Imports that are held in memory.
_AT_ONCE = 5_000
# Names whose numbers are: nearly all that a file has are among those of the files before.
_MOST_NAMES = 50_000


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as it was when it was indexed."""

    id: int
    mtime_ns: int
    size: int
    hash: bytes


class Writer:
    """The index of one workspace folder, open for writing. Each method is called within `transaction`."""

    def __init__(self, path: Path) -> None:
        self._db = open_for_writing(path)
        self._names: dict[str, int] = {}

    def close(self) -> None:
        """Put all that was written into the main file, and let it go."""
        self._db.execute("PRAGMA optimize")
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def files(self) -> dict[str, KnownFile]:
        """What is indexed, by path."""
        rows = self._db.execute("SELECT path, id, mtime_ns, size, hash FROM files")
        return {path: KnownFile(*row) for path, *row in rows}

    def settled(self) -> str | None:
        """What the builder that was the last to be done said to `settle`; None if none was, or another began since."""
        row = self._db.execute("SELECT configs FROM settled").fetchone()
        return row[0] if row else None

    def unsettle(self) -> None:
        """From here on something is missing."""
        self._db.execute("DELETE FROM settled")

    def settle(self, configs: str) -> None:
        """Nothing is missing any more; ``configs`` stands for the files that say what imports mean."""
        self.unsettle()
        self._db.execute("INSERT INTO settled VALUES (?)", (configs,))

    def touch(self, file: FoundFile) -> None:
        """Only the file's time has changed."""
        values = (file.mtime_ns, file.size, file.path)
        self._db.execute("UPDATE files SET mtime_ns = ?, size = ? WHERE path = ?", values)

    def put(self, file: FoundFile, digest: bytes, language_id: str, found: FileFacts) -> None:
        """Put a file into the index, or in place of what it was."""
        self.remove([file.path])
        row = (file.path, file.path.rpartition("/")[2], file.mtime_ns, file.size, digest, language_id)
        place = self._db.execute(
            "INSERT INTO files (path, name, mtime_ns, size, hash, language) VALUES (?, ?, ?, ?, ?, ?)", row
        ).lastrowid
        self._db.executemany(
            "INSERT INTO symbols VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (place, s.name, s.kind, s.container, s.start, s.end, line, s.signature, s.doc)
                for s, line in found.symbols
            ],
        )
        ids = self._name_ids(found.names)
        self._db.executemany(
            "INSERT INTO occurrences VALUES (?, ?, ?)",
            sorted((ids[name], place, count) for name, count in found.names.items()),
        )
        self._db.executemany(
            "INSERT INTO imports (file, module, names, level, aliases) VALUES (?, ?, ?, ?, ?)",
            [(place, i.module, json.dumps(i.names), i.level, json.dumps(i.aliases)) for i in found.imports],
        )

    def remove(self, paths: Iterable[str]) -> None:
        """Take files out of the index."""
        for path in paths:
            row = self._db.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
            if row is None:
                continue
            self._db.execute("DELETE FROM targets WHERE import IN (SELECT id FROM imports WHERE file = ?)", row)
            for table in ("symbols", "occurrences", "imports"):
                self._db.execute(f"DELETE FROM {table} WHERE file = ?", row)  # noqa: S608 - our own names
            self._db.execute("DELETE FROM files WHERE id = ?", row)

    def resolve_imports(self, tree: FileTree, paths: Collection[str] | None) -> None:
        """Find the targets of the imports of some files; of all files for None."""
        wanted = None if paths is None else json.dumps(list(paths))
        self._db.execute(
            "DELETE FROM targets WHERE :paths IS NULL OR import IN (SELECT imports.id FROM imports"
            " JOIN files ON files.id = file WHERE path IN (SELECT value FROM json_each(:paths)))",
            {"paths": wanted},
        )
        rows = self._db.execute(
            "SELECT imports.id, path, language, module, names, level FROM imports JOIN files ON files.id = file"
            " WHERE :paths IS NULL OR path IN (SELECT value FROM json_each(:paths))",
            {"paths": wanted},
        )
        # Some at a time: those of a large workspace take more memory than all else here.
        while some := rows.fetchmany(_AT_ONCE):
            self._db.executemany(
                "INSERT INTO targets VALUES (?, ?, ?)",
                [
                    (row, target, json.dumps(names))
                    for row, path, language, module, imported, level in some
                    for target, names in resolve(
                        Import(module, tuple(json.loads(imported)), level), path, language, tree
                    )
                ],
            )

    def _name_ids(self, names: Iterable[str]) -> dict[str, int]:
        """The numbers of names, and of others."""
        if len(self._names) > _MOST_NAMES:
            self._names.clear()
        fresh = [name for name in names if name not in self._names]
        if fresh:
            self._db.executemany("INSERT OR IGNORE INTO names (name) VALUES (?)", [(name,) for name in fresh])
            known = "SELECT name, id FROM names WHERE name IN (SELECT value FROM json_each(?))"
            self._names.update(self._db.execute(known, (json.dumps(fresh),)))
        return self._names
