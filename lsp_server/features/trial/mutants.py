"""A Python function with small bugs in it, to see which calls notice them.

The kinds are those of mutation testing: a bound moved by one, a condition turned round, an operator or a number
changed, a statement or a result left out.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from lsp_server.syntax.python_tree import reads, span
from lsp_server.text.positions import LineIndex

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
}


def mutants(code: str, most: int) -> list[str]:
    """So many variants at most of a function at column 0, each with one bug, spread over its lines."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return []
    lines = LineIndex(code)
    found = []
    for node, new in _changes(tree):
        start, end = span(lines, node)
        found.append((node.lineno, code[:start] + new + code[end:]))
    found = [(line, text) for line, text in found if text != code and reads(text)]
    # Of each line one, then another of each.
    turns: dict[int, int] = {}
    order = []
    for line, text in found:
        turns[line] = turns.get(line, -1) + 1
        order.append((turns[line], line, text))
    return list(dict.fromkeys(text for _, _, text in sorted(order)))[:most]


def _changes(tree: ast.Module) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    # Documentation, and what a text with values in it is made of.
    apart = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    apart |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in apart and not isinstance(node, ast.Call):
            continue
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _COMPARED:
            other = ast.Compare(node.left, [_COMPARED[type(node.ops[0])]()], node.comparators)
            yield node, f"({ast.unparse(other)})"
        elif isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED and not _is_text(node):
            yield node, f"({ast.unparse(ast.BinOp(node.left, _COMPUTED[type(node.op)](), node.right))})"
        elif isinstance(node, ast.AugAssign) and type(node.op) in _COMPUTED:
            yield node, ast.unparse(ast.AugAssign(node.target, _COMPUTED[type(node.op)](), node.value))
        elif isinstance(node, ast.BoolOp):
            other_op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, f"({ast.unparse(ast.BoolOp(other_op, node.values))})"
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, f"({ast.unparse(node.operand)})"
        elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
            if not isinstance(node.test, (ast.Compare, ast.BoolOp, ast.UnaryOp)):
                yield node.test, f"(not ({ast.unparse(node.test)}))"
        elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
            yield node, str(not node.value)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield node, f"({node.value + 1})"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            yield node, "''"
        elif isinstance(node, ast.Return) and node.value is not None and not isinstance(node.value, ast.Constant):
            yield node.value, "None"
        elif isinstance(node, ast.Call) and len(node.args) == 2 and not node.keywords:
            yield node, ast.unparse(ast.Call(node.func, node.args[::-1], []))
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node, "pass"


def _is_text(node: ast.BinOp) -> bool:
    """Whether an operand is a text, which can only be added to."""
    sides = (node.left, node.right)
    return any(isinstance(s, (ast.JoinedStr, ast.Constant)) and not _is_number(s) for s in sides)


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))
