"""How a project itself calls something or makes an object, as far as such a call can stand alone."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from lsp_server.context.counterparts import is_test
from lsp_server.syntax.python_tree import called_name
from lsp_server.testing.project import Project

_NOT_LOOKED_INTO = ("venv", "tests", "node_modules")
_MOST_FILES, _MOST_CALLS, _LONGEST = 400, 12, 200


def usages(name: str, project: Project) -> list[str]:
    """Calls of a name in a project's Python code that only have values in them, the shortest first.

    Tests are left out: what they call is tested already.
    """
    calls: set[str] = set()
    pattern = re.compile(rf"(?<!def )(?<!class )\b{re.escape(name)}\(")
    for path in python_files(project.folder):
        text = project.workspace.read(path) or ""
        if pattern.search(text):
            calls.update(_calls(text, name))
    return sorted(calls, key=lambda call: (len(call), call))[:_MOST_CALLS]


def factories(owner: str, text: str) -> list[str]:
    """Calls of a class's own methods that make one and need nothing, as ``Lexer.get_default_instance()``.

    Args:
        text: of the file that the class is in; one that Python cannot read has none.
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return []
    methods = (
        method
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and node.name == owner
        for method in node.body
        if isinstance(method, ast.FunctionDef)
    )
    return [f"{owner}.{method.name}()" for method in methods if _makes_one(method, owner)]


def _makes_one(method: ast.FunctionDef, owner: str) -> bool:
    """Whether it is a class's or static method that can be called with nothing and calls its class."""
    kinds = {decorator.id for decorator in method.decorator_list if isinstance(decorator, ast.Name)}
    given = method.args
    needed = len(given.posonlyargs) + len(given.args) - len(given.defaults) - ("classmethod" in kinds)
    if not kinds & {"classmethod", "staticmethod"} or needed > 0 or None in given.kw_defaults:
        return False
    returns = any(isinstance(node, ast.Return) and node.value is not None for node in ast.walk(method))
    called = {called_name(node.func) for node in ast.walk(method) if isinstance(node, ast.Call)}
    return returns and not called.isdisjoint(("cls", owner))


def python_files(folder: Path) -> Iterator[Path]:
    """The Python files of a project, tests and what is hidden left out; of a large one the first."""
    paths = (path for path in walked(folder, _NOT_LOOKED_INTO) if path.suffix == ".py" and not is_test(path))
    return islice(paths, _MOST_FILES)


def walked(folder: Path, left_out: Collection[str]) -> Iterator[Path]:
    """The files below a folder in an order that stays; without folders of some names, and hidden or private ones."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(one for one in folders if not one.startswith((".", "_")) and one not in left_out)
        yield from (Path(place) / name for name in sorted(names))


def _calls(text: str, name: str) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if called_name(node.func) != name or not (node.args or node.keywords):
            continue
        given = [*node.args, *(keyword.value for keyword in node.keywords)]
        if any(isinstance(inside, (ast.Name, ast.Await, ast.Starred)) for one in given for inside in ast.walk(one)):
            continue
        code = ast.unparse(ast.Call(ast.Name(name), node.args, node.keywords))
        if len(code) <= _LONGEST and "\n" not in code:
            yield code
