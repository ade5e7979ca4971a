"""Pieces of files for people to look at. Pure text."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass

from lsp_server.text.positions import LineIndex

CURSOR = "<|>"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Some whole lines of a file.

    Attributes:
        first_line: number of the first one, from 1.
        text: the lines, without the last one's terminator.
        start, end: offsets in ``text`` of what is to be marked; equal for a cursor, None for nothing.
    """

    language: str
    first_line: int
    text: str
    start: int | None = None
    end: int | None = None

    @property
    def line(self) -> int:
        """Number of the line where the mark begins, from 1; the first one if nothing is marked."""
        return self.first_line + self.text.count("\n", 0, self.start or 0)


def excerpt(text: str, language: str, start: int, end: int, *, above: int = 0, below: int = 0) -> Excerpt:
    """The lines around ``text[start:end]``, which is marked; blank lines at the edges are left out."""
    lines = LineIndex(text)
    core_first, core_last = lines.line_of(start), lines.line_of(end)
    first, last = max(core_first - above, 0), min(core_last + below, lines.line_count - 1)
    while first < core_first and not lines.line_text(first).strip():
        first += 1
    while last > core_last and not lines.line_text(last).strip():
        last -= 1
    begin = lines.line_start(first)
    return Excerpt(language, first + 1, text[begin : lines.line_end(last)], start - begin, end - begin)


def function_excerpt(text: str, name: str) -> Excerpt:
    """A Python function, whole and unmarked. Raises ValueError if it is not there."""
    node = function_node(text, name)
    lines = text.splitlines()[node.lineno - 1 : node.end_lineno]
    return Excerpt("python", node.lineno, "\n".join(lines))


def function_node(text: str, name: str) -> ast.FunctionDef:
    """A Python function's syntax. Raises ValueError if it is not there or the text is not Python."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    raise ValueError(f"there is no function {name}")


def split_cursor(marked: str) -> tuple[str, int]:
    """A text without its ``<|>``, and the offset where that stood. Raises ValueError if there is not exactly one."""
    if marked.count(CURSOR) != 1:
        raise ValueError(f"{marked!r} needs exactly one {CURSOR}")
    at = marked.index(CURSOR)
    return marked[:at] + marked[at + len(CURSOR) :], at


def diff_lines(before: str, after: str) -> list[str]:
    """The lines of a unified diff with one of context, without those that name the file and blank ones at the end."""
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=1, lineterm=""))[2:]
    while lines and not lines[-1].strip():
        lines.pop()
    return lines
