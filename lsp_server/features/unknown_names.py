"""Names that are not defined: what can be said of them without a model.

A small model that is told of one is as likely to write it once more as to mend it. Mostly it is a slip of the keys, and
the name that is meant stands nearby; or a module was not imported.
"""

from __future__ import annotations

import difflib
import re
import sys

from lsp_server.features.types import Problem, Selection
from lsp_server.syntax.imports import import_edit
from lsp_server.syntax.regions import Region, region_at
from lsp_server.text.edits import TextEdit

# As pyflakes, ruff, pyright, mypy, TypeScript, ESLint, Go, Rust, clang and javac say it.
_SAID = re.compile(
    r"undefined|not defined|undeclared|unresolved|cannot find (?:name|symbol|value|function)|has not been declared",
    re.IGNORECASE,
)
_NAME = re.compile(r"[`'\"‘“](?P<quoted>[A-Za-z_]\w*)[`'\"’”]|undefined: (?P<plain>[A-Za-z_]\w*)")
_ALIKE = 0.8
# The first of two is by so much more like it than the second: a letter too many or too few against another one.
_CLEARLY = 0.05
_SHORTEST = 4


def unknown_name(problem: Problem) -> str:
    """The name that a tool says is not defined; empty if it says something else."""
    found = _NAME.search(problem.message) if _SAID.search(problem.message) else None
    return (found["quoted"] or found["plain"]) if found else ""


def meant_name(selection: Selection, problem: Problem) -> str:
    """The name that is meant by one that is not defined: the one that is clearly the most like it; else empty."""
    name, text = unknown_name(problem), selection.snapshot.text
    if len(name) < _SHORTEST:
        return ""
    others = {word for word in re.findall(r"\b[A-Za-z_]\w*\b", text) if word != name}
    alike = difflib.get_close_matches(name, sorted(others), 2, _ALIKE)
    code = text[selection.start : selection.end]
    near = [word for word in alike if re.search(rf"\b{word}\b", code)] or alike
    likeness = [difflib.SequenceMatcher(None, name, word).ratio() for word in near] + [0.0]
    return near[0] if near and likeness[0] - likeness[1] >= _CLEARLY else ""


def missing_module(selection: Selection, problem: Problem) -> str:
    """The module of Python's own that a name which is not defined stands for; empty if it stands for none."""
    name = unknown_name(problem)
    return name if selection.language.id == "python" and name in sys.stdlib_module_names else ""


def with_known_name(selection: Selection, problem: Problem) -> tuple[TextEdit, ...]:
    """The edits that put the name that is meant in its place, or import the module of that name; none if unsure."""
    name, snapshot = unknown_name(problem), selection.snapshot
    if meant := meant_name(selection, problem):
        code = snapshot.text[selection.start : selection.end]
        used = (selection.start + found.start() for found in re.finditer(rf"(?<![\w.]){name}\b", code))
        return tuple(TextEdit(at, at + len(name), meant) for at in used if region_at(snapshot, at) is Region.CODE)
    module = missing_module(selection, problem)
    return tuple(import_edit([f"import {module}"], snapshot)) if module else ()


def still_unknown(name: str, before: str, after: str) -> bool:
    """Whether code uses a name as often as before, and gives it no meaning."""
    pattern = rf"(?<![\w.]){name}\b"
    if len(re.findall(pattern, after)) < len(re.findall(pattern, before)):
        return False
    defined = rf"\b{name}\b\s*(?::[^=\n]*)?=(?!=)|\b(?:import|def|class|as|for|let|const|var)\b.*\b{name}\b"
    return not re.search(defined, after)
