"""The names of Python code as Python itself sees them."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator

from lsp_server.syntax.python_tree import tree_of

# A module has these without saying so.
_GIVEN = frozenset(dir(builtins)) | {"__file__", "__name__", "__doc__", "__path__", "__package__", "__spec__"}


def function_tables(text: str) -> dict[str, list[symtable.SymbolTable]]:
    """The symbol tables of a text's functions by their names.

    Raises:
        SyntaxError, ValueError: the text is no Python.
    """
    found: dict[str, list[symtable.SymbolTable]] = {}
    for table in _tables(text):
        if table.get_type() == "function":
            found.setdefault(table.get_name(), []).append(table)
    return found


def unknown_names(text: str) -> frozenset[str] | None:
    """The names that a module uses and nobody gives it: not assigned, not imported, not built in.

    None if that cannot be told: where there is a ``*`` import, which may give any, and in a text that is no Python.
    """
    tree = tree_of(text)
    if tree is None:
        return None
    try:
        # Otherwise names in annotations would be nothing but text.
        tables = list(_tables(text.replace("from __future__ import annotations\n", "pass\n")))
    except (SyntaxError, ValueError, RecursionError):
        return None
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    if any(alias.name == "*" for node in imports for alias in node.names):
        return None
    module = tables[0]
    known = {one.get_name() for one in module.get_symbols() if one.is_assigned() or one.is_imported()} | _GIVEN
    # What a function declares global, it may give.
    known |= {one.get_name() for t in tables for one in t.get_symbols() if one.is_declared_global()}
    used = {
        one.get_name()
        for table in tables
        for one in table.get_symbols()
        if one.is_referenced() and (one.is_global() or table is module)
    }
    return frozenset(used - known)


def _tables(text: str) -> Iterator[symtable.SymbolTable]:
    pending = [symtable.symtable(text, "<text>", "exec")]
    while pending:
        table = pending.pop()
        pending += table.get_children()
        yield table


def import_statements(code: str) -> dict[str, str]:
    """What some code imports at its top: name → the statement that brings this one alone, in order.

    Stars are left out, and so is all of what Python cannot read.
    """
    found: dict[str, str] = {}
    for node in _top(code):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            start = (
                f"from {'.' * node.level}{node.module or ''} import " if isinstance(node, ast.ImportFrom) else "import "
            )
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                said = f"{alias.name} as {alias.asname}" if alias.asname else alias.name
                if name != "*":
                    found[name] = start + said
    return found


def defined_names(code: str) -> set[str]:
    """The names that some code gives a meaning at its top, other than by an import."""
    found: set[str] = set()
    for node in _top(code):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    return found


def _top(code: str) -> list[ast.stmt]:
    """The statements at the top of some code, those for a type checker alone among them."""
    tree = tree_of(code)
    body = tree.body if tree else []
    return [*body, *(one for node in body if isinstance(node, ast.If) for one in node.body)]
