"""A file in which one function does nothing any more: what tests say nothing of it if they still pass."""

from __future__ import annotations

import tree_sitter

from lsp_server.syntax.scopes import FunctionScope
from lsp_server.syntax.snapshot import Snapshot

_JAVA_DEFAULTS = {"void": "", "boolean": "return false;", "char": "return '\\0';"}
_JAVA_NUMBERS = ("byte", "short", "int", "long", "float", "double")


def emptied(snapshot: Snapshot, scope: FunctionScope) -> str | None:
    """The text with a function that returns nothing, or the zero of what it returns, or fails where there is no zero.

    None for a function without a body and for a language in which that is not known.
    """
    if scope.body_start == scope.body_end or snapshot.language is None:
        return None
    text, language = snapshot.text, snapshot.language.id
    before, body, after = text[: scope.body_start], text[scope.body_start : scope.body_end], text[scope.body_end :]
    if language == "python":
        return f"{before}return None{after}"
    if language.startswith(("javascript", "typescript")):
        return f"{before}{'{}' if body.startswith('{') else 'undefined'}{after}"
    if language == "rust":
        return f"{before}{{ unimplemented!() }}{after}"
    if language == "java":
        return f"{before}{{ {_java_default(scope)} }}{after}"
    if language == "go":
        return _go(snapshot, scope)
    return None


def _java_default(scope: FunctionScope) -> str:
    kind = (scope.returns or "void").strip()
    return _JAVA_DEFAULTS.get(kind, "return 0;" if kind in _JAVA_NUMBERS else "return null;")


def _go(snapshot: Snapshot, scope: FunctionScope) -> str | None:
    """The function stays there under another name, for an import that nobody uses is an error in Go."""
    byte = snapshot.lines.byte_offset(scope.start)
    node = snapshot.tree.root_node.descendant_for_byte_range(byte, byte + 1) if snapshot.tree else None
    while node is not None and node.type not in ("function_declaration", "method_declaration"):
        node = node.parent
    name = node.child_by_field_name("name") if node else None
    if node is None or name is None:
        return None
    text, (start, end) = snapshot.text, snapshot.span(name)
    emptied_one = f"{text[scope.start : scope.body_start]}{{ {_go_zero(snapshot, node)} }}"
    renamed = f"{text[scope.start : start]}{scope.name}AsItWas{text[end : scope.end]}"
    return f"{text[: scope.start]}{emptied_one}\n\n{renamed}{text[scope.end :]}"


def _go_zero(snapshot: Snapshot, function: tree_sitter.Node) -> str:
    result = function.child_by_field_name("result")
    if result is None:
        return ""
    if result.type != "parameter_list":
        return f"return *new({snapshot.source(result)})"
    if any(one.child_by_field_name("name") for one in result.named_children):
        return "return"
    return f"return {', '.join(f'*new({snapshot.source(one)})' for one in result.named_children)}"
