"""A query or a command, written from the comment that says what it is to do. Nothing is run.

What would destroy something is said with the offer, and is to be looked at before it is applied.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from lsp_server.errors import RefusedError
from lsp_server.features.guided import ask_twice
from lsp_server.features.postprocess.code import reindent, strip_answer
from lsp_server.features.safety import warnings
from lsp_server.features.types import FileEdit, FileTarget, Tools, find_file
from lsp_server.inference.backend import Timings
from lsp_server.syntax.checks import error_count
from lsp_server.syntax.comments import Comment, comment_at
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, detect_newline
from lsp_server.text.titles import cut

LANGUAGES = ("sql", "shellscript")
_MAX_TOKENS = 240
_TABLE = re.compile(r"\bcreate\s+(?:temp\w*\s+)?(?:table|view)\b[^;]*;", re.IGNORECASE)
_EXPLAINED = re.compile(r"\s*(?:select|insert|update|delete|with|create|alter|drop)\b", re.IGNORECASE)
# A column compared with a text; not what a column is set to.
_COMPARED = re.compile(
    r"(?<!\bset )(?P<column>\b[\w.]+)\s*(?:=|<>|!=|\b(?:not\s+)?i?like\b)\s*(?P<value>'[^'%_]*')", re.IGNORECASE
)
_STEM = 4
_KILLED_BY_NAME = re.compile(
    r"(?:^|[;&|(]\s*|\bsudo\s+)kill\s+(?:-[sn]\s+\w+\s+|-(?![sn]\s)\w+\s+)*[A-Za-z]", re.MULTILINE
)
# What a small model writes where it does not know a place or a name.
_PLACEHOLDER = re.compile(r"/path/to/?[\w./-]*|\byour[_-]\w+|<[a-z]+(?:[ _-][a-z]+)+>")
_MOST_STEPS = 1_000_000
# Characters of tables, or of the script so far, that the model is shown.
_SHOWN_CHARS = 3000
_LONGEST_TITLE = 50


@dataclass(frozen=True, slots=True)
class CommentTarget(FileTarget):
    """A comment in a document; the other attributes are those of `FileTarget`."""

    comment: Comment = field(kw_only=True)

    @property
    def name(self) -> str:
        """What people call it."""
        return cut(" ".join(self.comment.text.split()), _LONGEST_TITLE)


def find_comment(snapshot: Snapshot, offset: int, path: PurePosixPath) -> CommentTarget:
    """The comment at a cursor. Raises RefusedError if there is none, or code stands right below it."""
    file = find_file(snapshot, offset, path)
    comment = comment_at(snapshot, offset)
    if comment is None or not comment.text:
        raise RefusedError("There is no comment at the cursor.", hint="Put the cursor into one.")
    lines = snapshot.lines
    if lines.line_text(lines.line_of(comment.end) + 1).strip():
        raise RefusedError("The comment is that of the code below it.", hint="Leave a blank line between them.")
    return CommentTarget(file.snapshot, file.language, file.path, comment=comment)


async def write_from_comment(target: CommentTarget, tools: Tools) -> FileEdit:
    """Write what a comment says below it.

    Raises:
        RefusedError: nothing that can be used came out in two tries; with the reason.
    """
    related = _related(target)
    messages = tools.prompts.render(
        "from_comment",
        target.language.id,
        language=target.language.name,
        fence=target.fence,
        comment=target.comment.text,
        related=related,
    )
    edit, timings = await ask_twice(
        tools,
        messages,
        target,
        lambda answer: _edit(target, answer, related),
        phase="Writing",
        max_tokens=_MAX_TOKENS,
        refusal="What came back for this comment cannot be used:",
        hint="Say it in other words.",
    )
    return _offer(target, edit, timings)


def _edit(target: CommentTarget, answer: str, related: str) -> tuple[TextEdit | None, str]:
    """The code of an answer below the comment, or why it is none."""
    snapshot, comment = target.snapshot, target.comment
    code = strip_answer(answer).strip("\n")
    if not code.strip():
        return None, "It is empty."
    if target.language.id == "sql":
        code = code if code.endswith(";") else f"{code};"
        if reason := _unknown_to(related, code):
            return None, reason
    elif _KILLED_BY_NAME.search(code):
        return None, "kill takes the number of a process; pkill and killall take a name."
    newline = detect_newline(snapshot.text)
    indentation = snapshot.lines.indentation(snapshot.lines.line_of(comment.start))
    edit = TextEdit(comment.end, comment.end, f"{newline}{indentation}{reindent(code, indentation, newline)}")
    if error_count(snapshot.edited([edit], snapshot.version)) > error_count(snapshot):
        return None, f"It is no sound {target.language.name}."
    return edit, ""


def _offer(target: CommentTarget, edit: TextEdit, timings: Timings) -> FileEdit:
    after = target.snapshot.edited([edit], target.snapshot.version)
    notes = warnings(after, edit.start, edit.start + len(edit.new_text))
    if target.language.id == "sql":
        notes += _supposed(edit.new_text, f"{target.comment.text}\n{target.snapshot.text[: target.comment.start]}")
    else:
        notes += tuple(f"Put in what is meant by {one}." for one in dict.fromkeys(_PLACEHOLDER.findall(edit.new_text)))
    return FileEdit(f"Write: {target.name}", (edit,), notes=notes, timings=timings, preview=bool(notes))


def _supposed(query: str, said: str) -> tuple[str, ...]:
    """What a query compares with though nobody has said it: a model does not know which values there are."""
    found: dict[str, None] = {}
    for condition in _COMPARED.finditer(query):
        words = re.findall(r"[a-z]{3,}", condition["value"].lower())
        # Words are inflected.
        if any(word[:_STEM] not in said.lower() for word in words):
            found[f"It supposes that {condition['column']} may be {condition['value']}."] = None
    return tuple(found)


def _unknown_to(tables: str, query: str) -> str:
    """Which table or column of a query there is not, as SQLite says it; empty if it finds none missing.

    The query is compiled against empty tables in memory, not run. What SQLite does not know of other databases, their
    functions and types, says nothing.
    """
    if not tables or not _EXPLAINED.match(query):
        return ""
    with closing(sqlite3.connect(":memory:")) as database:
        # A table may be made of a query, and that without an end.
        database.set_progress_handler(lambda: 1, _MOST_STEPS)
        try:
            database.executescript(tables)
        except sqlite3.Error:
            return ""
        try:
            database.execute(f"EXPLAIN {query}")
        except (sqlite3.Error, sqlite3.Warning) as error:
            missing = str(error)
            if missing.startswith(("no such column", "no such table")):
                return f"There is {missing}. {_what_there_is(database, missing.rpartition('.')[2].split()[-1])}"
    return ""


def _what_there_is(database: sqlite3.Connection, column: str) -> str:
    """Which tables have a column of that name; where none has, all tables with their columns."""
    listed = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c ORDER BY m.rowid, c.cid"
    columns: dict[str, list[str]] = {}
    for table, name in database.execute(listed):
        columns.setdefault(table, []).append(name)
    having = [table for table, names in columns.items() if column in names]
    if having:
        return f"{column} is in {' and '.join(having)}."
    return " ".join(f"{table} has {', '.join(names)}." for table, names in columns.items())


def _related(target: CommentTarget) -> str:
    """The tables that a query may ask, of this file and of those beside it; of a script what stands above."""
    above = target.snapshot.text[: target.comment.start].replace("\r\n", "\n")
    if target.language.id != "sql":
        return above[-_SHOWN_CHARS:].strip()
    found: dict[str, None] = {}
    for text in (target.snapshot.text, *target.neighbours()):
        found.update(dict.fromkeys(table.replace("\r\n", "\n") for table in _TABLE.findall(text)))
    shown, room = [], _SHOWN_CHARS
    for table in found:
        if len(table) <= room:
            shown.append(table)
            room -= len(table)
    return "\n".join(shown)
