"""Tests that expect something else than the function returns: they can be made to expect what it returns today.

A small model knows what to call and miscounts what comes of it. Such a test still notices when the function changes; it
does not say that the function is right, so it is marked, and people are told what the model had expected.
"""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass, replace

from lsp_server.features.unit_tests.cases import Case
from lsp_server.text.positions import LineIndex

_MARK = "  # as it is today"
_SEEN = "observed: "
# A longer value is no expectation that anybody would read.
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True)
class _Expectation:
    """``assert subject == expected``, or one of its kind: the statement's offsets in a test, and both sides."""

    start: int
    end: int
    subject: str
    expected: str


def probe(case: Case) -> Case | None:
    """The test made to fail with what it finds where it expects something; None if it expects nothing plain."""
    found = _expectations(case.source)
    if not found:
        return None
    source = case.source
    for one in reversed(found):
        source = f"{source[: one.start]}_seen.append(repr({one.subject})){source[one.end :]}"
    # The first of them begins a line of the body.
    first = source.rindex("\n", 0, found[0].start) + 1
    blank = source[first : found[0].start]
    told = f'{blank}raise AssertionError("{_SEEN}" + __import__("json").dumps(_seen))\n'
    return replace(case, source=f"{source[:first]}{blank}_seen = []\n{source[first:]}{told}")


def as_observed(case: Case, message: str) -> tuple[Case, list[str]] | None:
    """The test with what was seen in place of what it expects, and sentences on what the model had expected.

    Args:
        message: what its probe failed with.

    None if the values were not seen, or cannot be written down.
    """
    said = re.search(rf"{_SEEN}(\[.*\])", message)
    try:
        values = json.loads(said[1]) if said else None
    except ValueError:
        return None
    found = _expectations(case.source)
    if not isinstance(values, list) or len(values) != len(found) or not all(map(_is_written, values)):
        return None
    source, notes = case.source, []
    for one, value in reversed(list(zip(found, values, strict=True))):
        if _same(one.expected, value):
            continue
        notes.append(f"{one.subject} was expected to be {one.expected}, and is {value}.")
        operator = "is" if value in ("True", "False", "None") else "=="
        source = f"{source[: one.start]}assert {one.subject} {operator} {value}{_MARK}{source[one.end :]}"
    # As `take_apart` has it: two tests that do the same are one.
    body = re.sub(r"#.*|\s", "", source.partition(case.name)[2])
    return (replace(case, source=source, body=body), notes[::-1]) if notes else None


def _expectations(source: str) -> list[_Expectation]:
    """The plain expectations among a test's own statements, each on a line of its own."""
    try:
        function = ast.parse(source).body[0]
    except (SyntaxError, ValueError, IndexError):
        return []
    lines = LineIndex(source)
    found = []
    for statement in getattr(function, "body", []):
        if not isinstance(statement, ast.Assert) or statement.end_lineno != statement.lineno:
            continue
        sides = _sides(statement.test)
        line = lines.line_start(statement.lineno - 1)
        text = lines.line_text(statement.lineno - 1)
        if sides is not None and text[: statement.col_offset].isspace():
            # Columns count bytes; what stands behind the statement is a comment at most.
            end = line + len(text.encode()[: statement.end_col_offset].decode())
            subject, expected = (side if isinstance(side, str) else ast.unparse(side) for side in sides)
            found.append(_Expectation(line + statement.col_offset, end, subject, expected))
    return found


def _sides(test: ast.expr) -> tuple[ast.expr, ast.expr | str] | None:
    """What is looked at, and what it should be."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) and isinstance(test.operand, ast.Call):
        return test.operand, "False"
    if isinstance(test, ast.Call):
        return test, "True"
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], (ast.Eq, ast.Is)):
        return None if isinstance(test.left, ast.Constant) else (test.left, test.comparators[0])
    return None


def _is_written(value: object) -> bool:
    """Whether a value's representation is one that Python reads back."""
    if not isinstance(value, str) or len(value) > _LONGEST_VALUE:
        return False
    try:
        ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True


def _same(expected: str, value: str) -> bool:
    try:
        return bool(ast.literal_eval(expected) == ast.literal_eval(value))
    except (ValueError, SyntaxError, TypeError):
        return False
