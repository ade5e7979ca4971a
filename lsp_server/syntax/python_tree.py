"""Python's own tree of some code: whether there is one, and where its nodes stand."""

from __future__ import annotations

import ast

from lsp_server.text.positions import LineIndex


def tree_of(code: str) -> ast.Module | None:
    """Python's tree of some code; None for what it cannot read, or what is nested too deep for it."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def reads(code: str) -> bool:
    """Whether Python can read some code."""
    return tree_of(code) is not None


def span(lines: LineIndex, node: ast.expr | ast.stmt) -> tuple[int, int]:
    """A node's offsets in the code with these lines; a tree's own columns count bytes."""

    def offset(line: int, column: int) -> int:
        return lines.line_start(line - 1) + len(lines.line_text(line - 1).encode()[:column].decode())

    return offset(node.lineno, node.col_offset), offset(node.end_lineno or node.lineno, node.end_col_offset or 0)


def called_name(function: ast.expr) -> str:
    """The name that something is called by, without what stands before a dot; empty where it has none."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def bare(code: str, *, annotations: bool) -> str | None:
    """What code does, without its layout, its comments and its documentation; None for what Python cannot read.

    Args:
        annotations: those of parameters, results and variables are part of it.
    """
    tree = tree_of(code)
    if tree is None:
        return None
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(node, False):
            node.body = node.body[1:]
        if isinstance(node, ast.ExceptHandler) and not _is_read(node.name, node.body):
            node.name = None
        if not annotations and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        if not annotations and isinstance(node, ast.arg):
            node.annotation = None
    return ast.dump(tree)


def _is_read(name: str | None, body: list[ast.stmt]) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for part in body for one in ast.walk(part))


def unreachable(code: str) -> int:
    """How many statements stand behind one that leaves their block; 0 for what Python cannot read."""
    count = 0
    for node in ast.walk(tree_of(code) or ast.Module([], [])):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            for at, statement in enumerate(block if isinstance(block, list) else ()):
                if isinstance(statement, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
                    count += len(block or ()) - at - 1
                    break
    return count
