"""The names of Python code as Python itself sees them."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator

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
    try:
        tables = list(_tables(text))
        imports = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
    except (SyntaxError, ValueError):
        return None
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
