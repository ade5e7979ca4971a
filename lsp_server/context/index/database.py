"""The file of an index: where it is, what is in it, and when it is thrown away.

Everything in it can be made anew from the workspace, so nothing is ever mended or carried over: what is damaged is
deleted. Another version, and an editor that leaves out other files, has a database of its own.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

from platformdirs import user_cache_path

logger = logging.getLogger(__name__)

# Counted up with each change of what is in the tables, be it in form or in meaning.
VERSION = 4

# Those of versions and settings that nobody has any more are deleted.
_UNUSED_DAYS = 90

_SCHEMA = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,      -- relative to the workspace folder, with forward slashes
    name TEXT NOT NULL,
    mtime_ns INTEGER NOT NULL,
    size INTEGER NOT NULL,
    hash BLOB NOT NULL,
    language TEXT NOT NULL          -- empty if there is nothing to be read in it: binary, too large, minified
);
CREATE INDEX files_by_name ON files (name);
CREATE TABLE symbols (
    file INTEGER NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    container TEXT,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    line INTEGER NOT NULL,
    signature TEXT NOT NULL,
    doc TEXT
);
CREATE VIEW placed AS
    SELECT symbols.rowid AS id, path, symbols.name AS name, kind, container, start, end, line, signature, doc
    FROM symbols JOIN files ON files.id = file;
CREATE INDEX symbols_by_name ON symbols (name, container IS NOT NULL);
CREATE INDEX symbols_by_container ON symbols (container) WHERE container IS NOT NULL;
CREATE INDEX symbols_by_file ON symbols (file);
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE occurrences (
    name INTEGER NOT NULL,
    file INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (name, file)
) WITHOUT ROWID;
CREATE INDEX occurrences_by_file ON occurrences (file);
CREATE TABLE imports (
    id INTEGER PRIMARY KEY,
    file INTEGER NOT NULL,
    module TEXT NOT NULL,
    names TEXT NOT NULL,            -- a JSON array
    level INTEGER NOT NULL,
    aliases TEXT NOT NULL           -- a JSON array of pairs
);
CREATE INDEX imports_by_file ON imports (file);
CREATE TABLE targets (              -- the files that an import means
    import INTEGER NOT NULL,
    path TEXT NOT NULL,
    names TEXT NOT NULL             -- a JSON array
);
CREATE INDEX targets_by_import ON targets (import);
CREATE INDEX targets_by_path ON targets (path);
CREATE TABLE settled (              -- one row, unless a builder was stopped before it was done
    configs TEXT NOT NULL
);
"""


def database_path(root: Path, exclude: Sequence[str], folder: Path | None = None) -> Path:
    """The index of a workspace folder without what globs leave out.

    It is in a folder of its own below ``folder`` (the user's cache if there is none).
    """
    folder = folder or user_cache_path("shardlight", appauthor=False) / "index"
    name = re.sub(r"[^A-Za-z0-9._-]", "_", root.name)[:40] or "root"
    return folder / f"{name}-{_key(os.fsencode(root))}" / f"index-{VERSION}-{_key(json.dumps(exclude).encode())}.db"


def _key(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest()


def databases_beside(path: Path) -> list[Path]:
    """All databases of a workspace folder, one of which is or would be ``path``."""
    return sorted(path.parent.glob("index*.db"))


def open_for_writing(path: Path) -> sqlite3.Connection:
    """The database of an index, made if it is not there, and anew if it is damaged or of another version.

    Transactions are begun and ended by whoever writes.

    Raises:
        OSError, sqlite3.Error: the folder cannot be written, the disk is full.
    """
    # It says what private code says: nobody else's business.
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.exists() and not _is_usable(path):
        logger.info("The index %s is damaged or of another version, and is made anew.", path)
        delete(path)
    connection = _connect(f"{path.as_uri()}?mode=rwc")
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        # Safe against a crash of ours; a power failure may cost the last transactions, which are made again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -16000")
        if not connection.execute("PRAGMA user_version").fetchone()[0]:
            connection.executescript(f"BEGIN;{_SCHEMA}PRAGMA user_version = {VERSION};COMMIT;")
            _delete_unused(path)
        # By this it is known that somebody uses it.
        os.utime(path)
    except BaseException:
        connection.close()
        raise
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection | None:
    """The database of an index if it is there and of our version. May be used by any thread, by one at a time.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    if not path.exists():
        return None
    connection = _connect(f"{path.as_uri()}?mode=ro")
    try:
        if connection.execute("PRAGMA user_version").fetchone()[0] == VERSION:
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def delete(path: Path) -> None:
    """Delete a database with what belongs to it. Raises OSError if that cannot be done."""
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            try:
                path.with_name(path.name + suffix).unlink()
            except PermissionError:
                # Windows deletes no file that is open, as it is in every editor that shows this folder.
                if not _is_emptied(path):
                    raise
                return


def _is_emptied(path: Path) -> bool:
    """Take out of a database all that is in it, for whoever has it open, too; False if that cannot be done."""
    try:
        with closing(_connect(f"{path.as_uri()}?mode=rw")) as connection:
            rows = connection.execute("SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view')").fetchall()
            drops = "".join(f"DROP {kind} {name};" for kind, name in rows)
            connection.executescript(f"BEGIN IMMEDIATE;{drops}PRAGMA user_version = 0;COMMIT;VACUUM;")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        return False
    return True


def _delete_unused(path: Path) -> None:
    """Delete the databases beside one that nobody has opened for long, as far as that can be done."""
    for other in databases_beside(path):
        with suppress(OSError):
            if other != path and other.stat().st_mtime < time.time() - _UNUSED_DAYS * 86400:
                delete(other)


def _is_usable(path: Path) -> bool:
    try:
        connection = _connect(f"{path.as_uri()}?mode=rw")
    except sqlite3.Error:
        return False
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        # 0: whoever began it did not get as far as the tables.
        return version in (0, VERSION) and connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
    except sqlite3.OperationalError:
        # Locked, read-only: that is no damage, and whoever opens it will say so.
        return True
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.close()


def _connect(uri: str) -> sqlite3.Connection:
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
