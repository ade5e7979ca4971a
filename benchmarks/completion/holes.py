"""Holes in a file of Python, as pure functions: where some could be, and what a file is with one filled."""

from __future__ import annotations

import ast
import hashlib
import io
import keyword
import random
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["line", "tail", "block", "span"]
KINDS: tuple[Kind, ...] = ("line", "tail", "block", "span")
NAMES = {"line": "whole lines", "tail": "line tails", "block": "blocks", "span": "mid-line spans"}

_LEAST_LINE, _LEAST_TAIL, _LEAST_SPAN, _MOST_SPAN = 6, 4, 3, 40
_LEAST_BLOCK, _MOST_BLOCK = 2, 10  # lines
_DANGEROUS = re.compile(r"\b(?:subprocess|rmtree|unlink|rmdir|removedirs|os\.(?:remove|rename|system|kill|exec\w*))\b")
_BODIES = ("body", "orelse", "finalbody")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a hole could be: offsets, and lines from 1.

    Attributes:
        function: first line of the innermost function around it.
    """

    kind: Kind
    start: int
    end: int
    first: int
    last: int
    function: int


@dataclass(frozen=True, slots=True)
class Hole:
    """A part of a file that is to be written again.

    Attributes:
        path: relative to the project's root.
        start, end: offsets in the file's text.
        truth: what stood there.
        tests: those that fail while nothing stands there.
    """

    project: str
    path: str
    kind: Kind
    start: int
    end: int
    truth: str
    tests: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """A name that other text in the hole would not have."""
        text = f"{self.project}|{self.path}|{self.kind}|{self.start}|{self.end}|{self.truth}"
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier in a line where a hole could be: offsets, a line from 1 and a column from 0.

    Attributes:
        line_end: where the code of its line ends.
        function: as of a `Spot`.
    """

    text: str
    start: int
    line_end: int
    row: int
    column: int
    function: int


def dangerous(text: str) -> bool:
    """Whether a file deletes files or starts programs: nobody else should write a line of it and run it."""
    return _DANGEROUS.search(text) is not None


def spots(text: str, rng: random.Random) -> list[Spot]:
    """All places where a hole could be; which part of a line, chance decides.

    Only inside functions; no docstrings, comments, imports, and nothing of a string with several lines.

    Raises:
        SyntaxError: the text is no Python.
    """
    tree = ast.parse(text)
    lines = text.split("\n")
    starts = _line_starts(lines)
    inside = _functions(tree)
    found = [*_blocks(tree, lines, starts, inside)]
    for row, tokens in _usable_lines(text, tree, inside).items():
        line, start = lines[row - 1], starts[row - 1]
        body = line.strip()
        if len(body) < _LEAST_LINE:
            continue
        function, first = inside[row], start + len(line) - len(line.lstrip())
        end = start + len(line.rstrip())
        found.append(Spot("line", first, end, row, row, function))
        edges = [(token.start[1], token.end[1]) for token in tokens]
        if cut := _tail(edges, len(line.rstrip()), rng):
            found.append(Spot("tail", start + cut, end, row, row, function))
        if span := _span(edges, rng):
            found.append(Spot("span", start + span[0], start + span[1], row, row, function))
    return found


def names(text: str) -> Iterator[Name]:
    """The identifiers of the lines where a hole could be.

    Raises:
        SyntaxError: the text is no Python.
    """
    tree = ast.parse(text)
    lines = text.split("\n")
    starts, inside = _line_starts(lines), _functions(tree)
    for row, tokens in _usable_lines(text, tree, inside).items():
        end = starts[row - 1] + len(lines[row - 1].rstrip())
        for token in filter(_is_name, tokens):
            column = token.start[1]
            yield Name(token.string, starts[row - 1] + column, end, row, column, inside[row])


def _line_starts(lines: list[str]) -> list[int]:
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    return starts


def _functions(tree: ast.Module) -> dict[int, int]:
    """First line of the innermost function, by the lines of its body without the docstring."""
    inside: dict[int, int] = {}
    for node in ast.walk(tree):
        # Outer ones come first.
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (body := _written(node.body)):
            inside.update(dict.fromkeys(range(_first_line(body[0]), (node.end_lineno or 0) + 1), node.lineno))
    return inside


def _written(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body without its docstring."""
    return body[_is_documentation(body[0]) :]


def _first_line(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def _usable_lines(text: str, tree: ast.Module, inside: dict[int, int]) -> dict[int, list[tokenize.TokenInfo]]:
    """Lines of code with their tokens."""
    left_out = {
        row
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom) or _is_documentation(node)
        for row in range(node.lineno, (node.end_lineno or node.lineno) + 1)  # type: ignore[attr-defined]
    }
    by_line: dict[int, list[tokenize.TokenInfo]] = {}
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT or token.start[0] != token.end[0]:
            left_out.update(range(token.start[0], token.end[0] + (token.type != tokenize.NEWLINE)))
        elif token.string.strip() and token.type not in (tokenize.INDENT, tokenize.DEDENT):
            by_line.setdefault(token.start[0], []).append(token)
    return {
        row: tokens
        for row, tokens in sorted(by_line.items())
        if row in inside and row not in left_out and any(_is_name(token) for token in tokens)
    }


def _is_documentation(node: ast.AST) -> bool:
    """A docstring, or another text that stands alone."""
    text = node.value.value if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else None
    return isinstance(text, str)


def _is_name(token: tokenize.TokenInfo) -> bool:
    return token.type == tokenize.NAME and not keyword.iskeyword(token.string)


def _tail(edges: list[tuple[int, int]], end: int, rng: random.Random) -> int | None:
    """A column to cut at: where a token begins, or where the one before it ends."""
    cuts = [i for i in range(1, len(edges)) if end - edges[i][0] >= _LEAST_TAIL]
    if not cuts:
        return None
    i = rng.choice(cuts)
    return rng.choice((edges[i][0], edges[i - 1][1]))


def _span(edges: list[tuple[int, int]], rng: random.Random) -> tuple[int, int] | None:
    """Columns between two tokens, with some before and some behind."""
    pairs = [
        (i, k)
        for i in range(1, len(edges) - 1)
        for k in range(i, len(edges) - 1)
        if _LEAST_SPAN <= edges[k][1] - edges[i][0] <= _MOST_SPAN
    ]
    if not pairs:
        return None
    i, k = rng.choice(pairs)
    return rng.choice((edges[i][0], edges[i - 1][1])), edges[k][1]


def _blocks(tree: ast.Module, lines: list[str], starts: list[int], inside: dict[int, int]) -> Iterator[Spot]:
    """Whole bodies of functions and of compound statements in them."""
    for node in ast.walk(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if not is_function and not isinstance(node, ast.If | ast.For | ast.While | ast.With | ast.Try):
            continue
        for name in _BODIES:
            body: list[ast.stmt] = getattr(node, name, [])
            body = _written(body) if body else []
            if not body:
                continue
            first, last = _first_line(body[0]), body[-1].end_lineno or 0
            before = lines[first - 2].strip()
            # `elif` is no body of its own; a comment or a header over several lines may come before the body.
            opened = before.endswith(":") or (is_function and before.endswith(('"""', "'''", '"')))
            if not opened or first not in inside or not _LEAST_BLOCK <= last - first + 1 <= _MOST_BLOCK:
                continue
            line = lines[first - 1]
            start = starts[first - 1] + len(line) - len(line.lstrip())
            yield Spot("block", start, starts[last - 1] + len(lines[last - 1].rstrip()), first, last, inside[first])
