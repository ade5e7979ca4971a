"""Tests that expect something else than the function returns: they can be made to expect what it returns today.

A small model knows what to call and miscounts what comes of it. Such a test still notices when the function changes; it
does not say that the function is right, so it is marked, and people are told what the model had expected.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lsp_server.features.unit_tests.cases import Case

_MARK = "  # as it is today"
_SEEN = "observed: "
# A longer value is no expectation that anybody would read.
_LONGEST_VALUE = 80


@dataclass(frozen=True, slots=True)
class _Expectation:
    """``assert left == right``: offsets in a test's source."""

    start: int
    end: int
    left: tuple[int, int]
    right: tuple[int, int]


def probe(case: Case, subject: str) -> Case | None:
    """The test made to fail with what stands on the left of its equalities; None if it has none with the subject."""
    found = _expectations(case.source, subject)
    if not found:
        return None
    source = case.source
    for one in reversed(found):
        source = f"{source[: one.start]}_seen.append(repr({source[slice(*one.left)]})){source[one.end :]}"
    # The first of them begins a line of the body.
    first = source.rindex("\n", 0, found[0].start) + 1
    blank = source[first : found[0].start]
    told = f'{blank}raise AssertionError("{_SEEN}" + __import__("json").dumps(_seen))\n'
    return replace(case, source=f"{source[:first]}{blank}_seen = []\n{source[first:]}{told}")


def as_observed(case: Case, subject: str, message: str) -> tuple[Case, list[str]] | None:
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
    found = _expectations(case.source, subject)
    if not isinstance(values, list) or len(values) != len(found) or not all(map(_is_written, values)):
        return None
    source, notes = case.source, []
    for one, value in reversed(list(zip(found, values, strict=True))):
        expected = source[slice(*one.right)]
        if _same(expected, value):
            continue
        notes.append(f"{source[slice(*one.left)]} was expected to be {expected}, and is {value}.")
        line_end = source.find("\n", one.end)
        source = source[: one.right[0]] + value + source[one.right[1] : line_end] + _MARK + source[line_end:]
    return (replace(case, source=source, body=re.sub(r"\s", "", source)), notes[::-1]) if notes else None


def _expectations(source: str, subject: str) -> Sequence[_Expectation]:
    """The equalities of a test whose left side calls the subject, outermost statements only, each on one line."""
    try:
        function = ast.parse(source).body[0]
    except (SyntaxError, ValueError, IndexError):
        return []
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    encoded = source.encode()

    def offset(line: int, column: int) -> int:
        return len(encoded[: starts[line - 1] + column].decode())

    found = []
    for statement in getattr(function, "body", []):
        test = statement.test if isinstance(statement, ast.Assert) and statement.msg is None else None
        if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
            continue
        spans = [
            (offset(n.lineno, n.col_offset), offset(n.end_lineno or n.lineno, n.end_col_offset or 0))
            for n in (statement, test.left, test.comparators[0])
        ]
        (start, end), left, right = spans
        if "\n" not in source[start:end] and re.search(rf"\b{re.escape(subject)}\b", source[slice(*left)]):
            found.append(_Expectation(start, end, left, right))
    return found


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
