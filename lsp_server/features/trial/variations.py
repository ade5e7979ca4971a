"""A call that works, with other values in it: what a small model does not think of."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from lsp_server.syntax.python_tree import called_name, reads, span
from lsp_server.text.positions import LineIndex

# What a value is replaced by, by its kind: the ends of its range first.
_INSTEAD: dict[type, tuple[str, ...]] = {
    int: ("0", "-1", "2", "10", "'1'", "None"),
    float: ("0.0", "-1.5", "1"),
    str: ("''", "'a'", "'Ab 1'", "'a,b'", "None"),
    bytes: ("b''",),
    type(None): ("0", "1", "'a'", "[]"),
}
_MOST_LITERALS, _LONGEST_LITERAL, _MOST_OF_A_TABLE = 9, 30, 4
_UNGIVEN = {"True": ("False",), "False": ("True",), "None": ("1", "'a'", "[1]", "True")}


def literals(code: str, text: str = "") -> dict[type, tuple[str, ...]]:
    """The numbers and texts in a function, and the numbers beside them: where it is likely to do something else.

    Args:
        text: of the file: the keys and values of its tables count where the function names them.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return {int: (), str: ()}
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    found = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in documentation]
    numbers = [one for one in found if type(one) is int]
    beside = [near for one in numbers for near in (one, one - 1, one + 1)]
    texts = [one for one in found if isinstance(one, str) and 0 < len(one) <= _LONGEST_LITERAL]
    named = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    texts += [one for name, table in _tables(text).items() if name in named for one in table]
    return {
        int: tuple(repr(one) for one in dict.fromkeys(beside))[:_MOST_LITERALS],
        str: tuple(repr(one) for one in dict.fromkeys(texts))[:_MOST_LITERALS],
    }


def _tables(text: str) -> dict[str, list[str]]:
    """The tables at the top of a file: name → the texts that one finds something by, or that are in it."""
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return {}
    found: dict[str, list[str]] = {}
    for node in body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)):
            continue
        target, value = node.targets[0] if isinstance(node, ast.Assign) else node.target, node.value
        inside = value.keys if isinstance(value, ast.Dict) else getattr(value, "elts", [])
        texts = [one.value for one in inside if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if texts and isinstance(target, ast.Name):
            found[target.id] = [one for one in texts if 0 < len(one) <= _LONGEST_LITERAL][:_MOST_OF_A_TABLE]
    return found


def variations(
    pieces: list[str], name: str, defaults: Mapping[str, str], more: Mapping[type, tuple[str, ...]] | None = None
) -> Iterator[list[str]]:
    """The pieces of code with one value replaced, or one more argument given, in each.

    Args:
        pieces: what belongs together; the last one calls the function.
        name: the function's.
        defaults: its parameters that need not be given → what stands for them then, as code.
        more: values to try besides, by their kind.
    """
    for at in range(len(pieces) - 1, -1, -1):
        code = pieces[at]
        tree = ast.parse(code)
        if isinstance(tree.body[0], (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)):
            continue
        changes = [*_given(tree, code, name, defaults)] if at == len(pieces) - 1 else []
        for start, end, new in (*changes, *_replaced(tree, code, more or {})):
            other = code[:start] + new + code[end:]
            if reads(other):
                yield [*pieces[:at], other, *pieces[at + 1 :]]


def _given(tree: ast.Module, code: str, name: str, defaults: Mapping[str, str]) -> Iterator[tuple[int, int, str]]:
    """One of the arguments more that need not be given."""
    lines = LineIndex(code)
    for node in ast.walk(tree):
        if (
            not isinstance(node, ast.Call)
            or called_name(node.func) != name
            or any(k.arg is None for k in node.keywords)
        ):
            continue
        end = span(lines, node)[1] - 1
        comma = ", " if node.args or node.keywords else ""
        for parameter, default in defaults.items():
            if parameter not in {keyword.arg for keyword in node.keywords}:
                for value in _others(default):
                    yield end, end, f"{comma}{parameter}={value}"


def _others(default: str) -> tuple[str, ...]:
    if default in _UNGIVEN:
        return _UNGIVEN[default]
    try:
        kind = type(ast.literal_eval(default))
    except (ValueError, SyntaxError):
        return ()
    return tuple(one for one in _INSTEAD.get(kind, ()) if one != default and type(ast.literal_eval(one)) is kind)


def _replaced(tree: ast.Module, code: str, more: Mapping[type, tuple[str, ...]]) -> Iterator[tuple[int, int, str]]:
    """Another value in place of one."""
    lines = LineIndex(code)
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set)):
            continue
        start, end = span(lines, node)
        for new in dict.fromkeys(_instead(node, more)):
            if new != code[start:end]:
                yield start, end, new


def _instead(node: ast.expr, more: Mapping[type, tuple[str, ...]]) -> tuple[str, ...]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            return (str(not node.value),)
        return (*more.get(type(node.value), ()), *_INSTEAD.get(type(node.value), ()))
    if isinstance(node, ast.Dict):
        return ("{}",)
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [ast.unparse(item) for item in node.elts]
        shown = [*dict.fromkeys((", ".join(items[::-1]), ", ".join(items[:1]), ", ".join([*items, *items[:1]]), ""))]
        opening, closing = ("[", "]") if isinstance(node, ast.List) else ("(", ",)")
        return tuple(f"{opening}{one}{closing}" if one else ("[]" if closing == "]" else "()") for one in shown)
    return ()
