"""What was found out about functions, and what the user does not want to hear again: kept over sessions, in one file.

All editor windows share it. It is a help and no more: what cannot be read is asked anew, what cannot be written is
lost.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from platformdirs import user_state_path

from lsp_server.features.bug_hints import BugHint
from lsp_server.inference.backend import Timings
from lsp_server.text.edits import TextEdit, apply_edits

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Answers that are kept; the oldest go first.
_MOST = 20_000
_BUSY_S = 1.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, hint TEXT);
CREATE TABLE IF NOT EXISTS dismissed (key TEXT PRIMARY KEY) WITHOUT ROWID;
"""


def default_path() -> Path:
    """This user's file; it need not exist."""
    return user_state_path("shardlight", appauthor=False) / "hints.sqlite3"


class HintMemory:
    """Answers by what was looked at, and what was dismissed. A method takes some milliseconds, and never fails."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def answer(self, key: str) -> tuple[bool, BugHint | None]:
        """Whether it is known what came of a function, and the hint, if there was one."""

        def read(database: sqlite3.Connection) -> tuple[bool, BugHint | None]:
            row = database.execute("SELECT hint FROM answers WHERE key = ?", (key,)).fetchone()
            return row is not None, _read(row[0]) if row and row[0] else None

        unknown: tuple[bool, BugHint | None] = False, None
        return self._tried(read, unknown)

    def keep(self, key: str, hint: BugHint | None) -> None:
        """Remember what came of a function."""

        def write(database: sqlite3.Connection) -> None:
            written = hint and json.dumps({**asdict(hint), "timings": None})
            database.execute("INSERT OR REPLACE INTO answers (key, hint) VALUES (?, ?)", (key, written))
            oldest = "(SELECT max(number) FROM answers) - ?"
            database.execute(f"DELETE FROM answers WHERE number <= {oldest}", (_MOST,))  # noqa: S608 - our own words

        self._tried(write, None)

    def dismiss(self, hint: BugHint) -> None:
        """Never tell this again: not of this line, whatever becomes of the function around it."""
        order = "INSERT OR IGNORE INTO dismissed VALUES (?)"
        self._tried(lambda database: database.execute(order, (_line(hint),)), None)

    def is_dismissed(self, hint: BugHint) -> bool:
        """Whether the user does not want to hear it."""
        query = "SELECT 1 FROM dismissed WHERE key = ?"
        return self._tried(lambda database: database.execute(query, (_line(hint),)).fetchone() is not None, False)

    def _tried(self, do: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            # It holds functions of private code: nobody else's business.
            self._path.touch(0o600)
            self._path.chmod(0o600)
            with closing(sqlite3.connect(self._path, timeout=_BUSY_S)) as database, database:
                database.executescript(_SCHEMA)
                return do(database)
        except (sqlite3.Error, OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("The hints in %s cannot be used: %s", self._path, error)
            return otherwise


def _read(text: str) -> BugHint:
    fields = json.loads(text)
    edits = tuple(TextEdit(**edit) for edit in fields.pop("edits"))
    return BugHint(**{**fields, "edits": edits, "timings": Timings()})


def _line(hint: BugHint) -> str:
    """A hint by its line and what it would make of that: a digest, since the file is to hold no code for long."""
    text = hint.function_text
    start = text.rfind("\n", 0, hint.start) + 1
    end = text.find("\n", hint.end)
    line = text[start:] if end < 0 else text[start:end]
    after = apply_edits(text, hint.edits)[start:]
    return hashlib.sha256(f"{line.strip()}\0{after.splitlines()[0].strip()}".encode("utf-8", "replace")).hexdigest()
