"""The imports that an answer brings along."""

from __future__ import annotations

import re
import sys
import typing
from collections.abc import Sequence

from lsp_server.syntax.imports import import_statements, imports
from lsp_server.syntax.names import names_in
from lsp_server.syntax.python_symbols import unknown_names
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit, apply_edits


def without_imports(code: str, language_id: str) -> tuple[str, list[str]]:
    """Code without the imports at its top; and those of them that bring what the rest uses."""
    answered = Snapshot.open(code, language_id)
    spans = import_statements(answered)
    brought = [code[start:end].strip() for start, end in spans]
    for start, end in reversed(spans):
        code = code[:start] + code[end:].lstrip("\n")
    words = set(re.findall(r"\w+", code))
    # What a header of C offers is not said where it is included.
    headers = language_id in ("c", "cpp")
    used = [line for line in brought if headers or _bound(Snapshot.open(f"{line}\n", language_id)) & words]
    return code.strip("\n") + "\n", used


def needed_imports(brought: Sequence[str], edit: TextEdit, snapshot: Snapshot) -> list[str]:
    """The imports that a document needs after an edit: of those that an answer brought what is not there yet.

    In Python its own modules, and the names of its types, that the answer used and forgot are among them.
    """
    if snapshot.language is None or snapshot.language.id != "python":
        # What a name of the file's own means stays.
        there = {name.text for name in names_in(snapshot, 0, len(snapshot.text))}
        return [line for line in brought if not set(re.findall(r"\w+", re.sub(r"['\"].*?['\"]", "", line))) & there]
    before, after = snapshot.derived(_unknown), unknown_names(apply_edits(snapshot.text, [edit]))
    if before is None or after is None:
        return list(brought)
    fresh = after - before
    missing = sorted(fresh - set(re.findall(r"\w+", " ".join(brought))))
    types = [name for name in missing if name in typing.__all__ and name[0].isupper()]
    return [
        *(line for line in brought if fresh & set(re.findall(r"\w+", line))),
        *(f"import {name}" for name in missing if name in sys.stdlib_module_names),
        *([f"from typing import {', '.join(types)}"] if types else []),
    ]


def newly_unknown(before: Snapshot, after: Snapshot) -> str:
    """A name of Python that nobody gives a meaning after an edit, though all had one before; empty if there is none."""
    if before.language is None or before.language.id != "python":
        return ""
    known, now = before.derived(_unknown), after.derived(_unknown)
    return "" if known is None or now is None else min(now - known, default="")


def _unknown(snapshot: Snapshot) -> frozenset[str] | None:
    return unknown_names(snapshot.text)


def _bound(line: Snapshot) -> set[str]:
    """The names that an import statement brings, as far as they can be told."""
    found: set[str] = set()
    for one in imports(line):
        other = dict(one.aliases)
        found.update(other.get(name, name) for name in one.names)
        if "*" in other:
            found.add(other["*"])
        elif not one.names:
            found.update(re.findall(r"\w+", one.module)[-1:])
    return found
