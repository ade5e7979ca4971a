"""Adding imports to a file that has some: names join those of the same module."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lsp_server.syntax.imports import import_edit
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import apply_edits

# (the form of a statement, how one that brings other names from the same module looks)
_FORMS = (
    (
        r"import \{ (?P<names>[^}]*) \} from '(?P<module>[^']+)';",
        r"import\s*(?:\w+\s*,\s*)?\{{(?P<names>[^}}]*)\}}\s*from\s*['\"]{module}['\"]",
    ),
    (
        r"const \{ (?P<names>[^}]*) \} = require\('(?P<module>[^']+)'\);",
        r"\{{(?P<names>[^}}]*)\}}\s*=\s*require\(['\"]{module}['\"]\)",
    ),
    (
        r"from (?P<module>[\w.]+) import (?P<names>[\w, ]+)",
        r"^from {module} import (?P<names>\w[\w, ]*)$",
    ),
)


def join_imports(text: str, statements: Iterable[str], language_id: str) -> str:
    """A text with import statements of a language; what it has already at its top is not added."""
    left = []
    # What a function of Python imports is that function's.
    indent = "" if language_id == "python" else r"[ \t]*"
    for statement in statements:
        if re.search(rf"^{indent}{re.escape(statement)}\s*$", text, re.MULTILINE):
            continue
        joined = _in_group(text, statement) if language_id == "go" else _joined(text, statement)
        if joined is None:
            left.append(statement)
        else:
            text = joined
    return _added_within(text, left) if language_id == "rust" else _added(text, left, language_id)


def _added(text: str, statements: list[str], language_id: str) -> str:
    return apply_edits(text, import_edit(statements, Snapshot.open(text, language_id)))


def _added_within(text: str, statements: list[str]) -> str:
    """Rust's tests have a module of their own, whose first line brings all of the one around it."""
    for statement in statements:
        text = re.sub(r"^(\s*)use super::\*;$", rf"\g<0>\n\g<1>{statement}", text, count=1, flags=re.MULTILINE)
    return text


def _joined(text: str, statement: str) -> str | None:
    """The text with the statement's names in one from the same module; None if there is none."""
    for form, same in _FORMS:
        said = re.fullmatch(form, statement)
        there = re.search(same.format(module=re.escape(said["module"])), text, re.MULTILINE) if said else None
        if said is None or there is None:
            continue
        present = {name.strip() for name in there["names"].split(",")}
        missing = [name for name in said["names"].split(", ") if name not in present]
        end = there.start("names") + len(there["names"].rstrip().rstrip(","))
        return "".join([text[:end], *(f", {name}" for name in missing), text[end:]])
    return None


def _in_group(text: str, statement: str) -> str | None:
    """Go: the package as the last one of the group that there is."""
    path = statement.removeprefix("import ")
    group = re.search(r"^import \((?P<paths>[^)]*?)\n\)", text, re.MULTILINE)
    if group is None:
        return None
    if path in group["paths"]:
        return text
    return f"{text[: group.end('paths')]}\n\t{path}{text[group.end('paths') :]}"
