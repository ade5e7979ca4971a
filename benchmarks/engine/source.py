"""The file that the replay types in: the beginning of ``argparse`` of the Python that runs this, some 400 lines."""

from __future__ import annotations

import argparse
import ast
import inspect
from collections.abc import Iterator

LINES = 400


def file_text() -> str:
    """Whole functions, from the first import on: the docstring before it is no code."""
    text = inspect.getsource(argparse)
    tree = ast.parse(text)
    first = next(node.lineno for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom))
    last = min(_function_ends(tree), key=lambda end: abs(end - first + 1 - LINES))
    return "".join(text.splitlines(keepends=True)[first - 1 : last])


def _function_ends(tree: ast.Module) -> Iterator[int]:
    for node in tree.body:
        members = node.body if isinstance(node, ast.ClassDef) else [node]
        for member in members:
            if isinstance(member, ast.FunctionDef) and member.end_lineno:
                yield member.end_lineno


def statements(text: str, least: int, most: int) -> list[tuple[int, int]]:
    """(start, end) offsets of the statements inside functions that have ``least`` to ``most`` characters, in order.

    The text has to be ASCII, as columns are counted in bytes. Statements inside others are not told again.
    """
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[tuple[int, int]] = []
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef):
            continue
        for node in ast.walk(function):
            if not isinstance(node, ast.stmt) or node is function or not node.end_lineno:
                continue
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + (node.end_col_offset or 0)
            if least <= end - start <= most:
                found.append((start, end))
    apart: list[tuple[int, int]] = []
    for start, end in sorted(set(found), key=lambda span: (span[0], -span[1])):
        if not apart or start >= apart[-1][1]:
            apart.append((start, end))
    return apart
