"""A long function in parts: the code says which of its statements can stand alone, the model names what they do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from lsp_server.errors import RefusedError
from lsp_server.features.extract import extract_function
from lsp_server.features.trial.behaviour import Behaviour
from lsp_server.features.types import FileEdit, Selection, Target, Tools, add_timings
from lsp_server.inference.backend import Timings
from lsp_server.syntax.python_flow import Flow, flow
from lsp_server.syntax.scopes import functions
from lsp_server.text.edits import minimal_edits

# A function of fewer lines is not long; a part of fewer says no more than a call.
_LONG, _PART = 12, 4
# What is left should not be less than this share of the lines.
_MOST_OF_IT = 0.5
# A part that takes or gives more than this is no part.
_MOST_NAMES = 4
_MOST_PARTS = 3
# So many statements in a row are one part at most.
_LONGEST_RUN = 8


def can_split(target: Target) -> bool:
    """Whether it is worth offering; cheap."""
    lines = target.snapshot.lines
    scope = target.scope
    length = lines.line_of(scope.body_end) - lines.line_of(scope.body_start) + 1
    return target.language.id == "python" and length >= _LONG


async def split(target: Target, tools: Tools) -> FileEdit:
    """Move the parts of a Python function that can stand alone into functions of their own, three at most.

    Raises:
        RefusedError: it is not long, has no such part, or does something else in calls that were tried.
    """
    if not can_split(target):
        raise RefusedError(f"{target.name} is not long, or not Python.", hint="Say it as an instruction instead.")
    snapshot, timings, notes = target.snapshot, Timings(), list[str]()
    key = (target.scope.name, target.scope.class_name)
    # Getters and setters, and what is defined in either case, have one name.
    same = [f.start for f in functions(snapshot) if (f.name, f.class_name) == key]
    number = same.index(target.scope.start)
    most = _MOST_OF_IT * target.code.count("\n")
    for _ in range(_MOST_PARTS):
        scope = [f for f in functions(snapshot) if (f.name, f.class_name) == key][number]
        part = _best_part(replace(target, snapshot=snapshot, scope=scope), most)
        if part is None:
            break
        edit = await extract_function(part, tools)
        timings = add_timings(timings, edit.timings)
        notes += edit.notes
        snapshot = snapshot.edited(list(edit.edits), snapshot.version)
    if not notes:
        raise RefusedError(f"No part of {target.name} can stand alone.")
    behaviour = Behaviour(target, tools)
    if difference := await behaviour.difference(snapshot.text):
        raise RefusedError(f"In parts {target.name} would do something else: {difference}")
    notes += [behaviour.note] if behaviour.note else []
    edits, cost = tuple(minimal_edits(target.snapshot.text, snapshot.text)), add_timings(timings, behaviour.timings)
    return FileEdit(f"Split {target.name}", edits, notes=tuple(notes), timings=cost, preview=True)


def _best_part(target: Target, most: float) -> Selection | None:
    """The statements that stand alone best, so many lines at most: many, with few names in and out."""
    snapshot, scope, code = target.snapshot, target.scope, target.code
    lines = snapshot.lines
    # The function by itself, which is quickly read.
    above = lines.line_of(scope.start)
    head = lines.line_of(snapshot.text.index(scope.signature, scope.start)) - above + 1
    best: tuple[float, int, int] | None = None
    for first, last in _blocks(code, head):
        size = last - first + 1
        if _PART <= size <= most and size < code.count("\n") - 1:
            found = flow(code, head, first, last)
            worth = _worth(found, size) if found else 0.0
            if worth and (best is None or worth > best[0]):
                best = worth, first, last
    if best is None:
        return None
    first, last = best[1] + above, best[2] + above
    # A comment above says what the part is.
    indentation = lines.indentation(first - 1)
    while lines.line_text(first - 2).startswith(f"{indentation}#"):
        first -= 1
    start = lines.line_start(first - 1) + len(lines.indentation(first - 1))
    end = lines.line_start(last - 1) + len(lines.line_text(last - 1).rstrip())
    return Selection(snapshot, target.language, start, end, f"lines {first} to {last}", target.path)


def _worth(found: Flow, size: int) -> float:
    names = len(found.inputs) + len(found.outputs)
    return size**0.5 / (1 + names) if names <= _MOST_NAMES and not found.hindrance else 0.0


def _blocks(code: str, head: int) -> Iterator[tuple[int, int]]:
    """The first and last lines of runs of statements in a function's blocks."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = (node for node in ast.walk(ast.parse(code)) if isinstance(node, kinds) and node.lineno == head)
    pending = [function.body for function in found]
    while pending:
        block = pending.pop()
        for at, first in enumerate(block):
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                continue  # Documentation stays.
            for last in block[at : at + _LONGEST_RUN]:
                yield first.lineno, last.end_lineno or last.lineno
            if not isinstance(first, (*kinds, ast.ClassDef)):
                parts = (getattr(first, name, None) for name in ("body", "orelse", "finalbody"))
                pending += [part for part in parts if part]
