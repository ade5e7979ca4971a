"""Python's own tree of some code: whether there is one, and where its nodes stand."""

from __future__ import annotations

import ast

from lsp_server.text.positions import LineIndex


def reads(code: str) -> bool:
    """Whether Python can read some code."""
    try:
        ast.parse(code)
    except (SyntaxError, ValueError):
        return False
    return True


def span(lines: LineIndex, node: ast.expr | ast.stmt) -> tuple[int, int]:
    """A node's offsets in the code with these lines; a tree's own columns count bytes."""

    def offset(line: int, column: int) -> int:
        return lines.line_start(line - 1) + len(lines.line_text(line - 1).encode()[:column].decode())

    return offset(node.lineno, node.col_offset), offset(node.end_lineno or node.lineno, node.end_col_offset or 0)


def called_name(function: ast.expr) -> str:
    """The name that something is called by, without what stands before a dot; empty where it has none."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def unreachable(code: str) -> int:
    """How many statements stand behind one that leaves their block; 0 for what Python cannot read."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return 0
    count = 0
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            for at, statement in enumerate(block if isinstance(block, list) else ()):
                if isinstance(statement, (ast.Return, ast.Raise, ast.Break, ast.Continue)):
                    count += len(block or ()) - at - 1
                    break
    return count
