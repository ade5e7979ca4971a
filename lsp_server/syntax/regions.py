"""Code, string, comment or documentation: what a character becomes that is typed at the cursor."""

from __future__ import annotations

import re
from enum import Enum
from itertools import zip_longest

import tree_sitter

from lsp_server.syntax.outward import outward
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.text_nodes import is_comment, is_open, is_string, node_before
from lsp_server.syntax.unclosed import ECMASCRIPT, REACH_CHARS, open_span, quote_is_open
from lsp_server.text.edits import indent_of

_CLOSED_COMMENTS = (
    ("/*", "*/"),
    ("<!--", "-->"),
    ("--[[", "]]"),
    ("{-", "-}"),
    ("(*", "*)"),
    ("#|", "|#"),
    ("#=", "=#"),
    ("=", "=cut"),
)

_INTERPOLATION = re.compile(r"\$\{[^{}]*\Z")
_STRING_PREFIXES = "bBrRuU"
_HEADER = re.compile(r"\s*(?:async\s+def|def|class)\b")
_HEADER_END = re.compile(r":\s*(?:#.*)?$")


class Region(Enum):
    """What a place in a text is part of."""

    CODE = "code"
    STRING = "string"
    COMMENT = "comment"
    DOCUMENTATION = "documentation"


def region_at(snapshot: Snapshot, offset: int) -> Region:
    """What a character typed at ``offset`` would become part of.

    The end of a line comment still belongs to it, the place behind a closing quote or ``*/`` does not, and what is
    interpolated into a string is code. A quote that nothing closes opens a string up to the line's end; what may go
    over lines, such as a ``/*``, opens all that follows. Documentation is a docstring, or a comment of the form that
    only documentation has. Without a grammar all is code.
    """
    if snapshot.tree is None or offset <= 0:
        return Region.CODE
    if (span := open_span(snapshot, snapshot.tree, offset)) is not None:
        return _region_of_span(snapshot, span, offset)
    byte = snapshot.lines.byte_offset(offset)
    way = list(outward(snapshot.tree, node_before(snapshot, snapshot.tree, offset)))
    interpolated = False
    for node, parent in zip_longest(way, way[1:]):
        if parent is not None and is_comment(parent):
            pass  # A comment as a whole says more than its parts.
        elif is_comment(node) and (byte < node.end_byte or _runs_on(snapshot, node)):
            return _region_of_comment(snapshot, snapshot.span(node)[0])
        elif is_string(node) and (byte < node.end_byte or is_open(node)):
            if interpolated:
                return Region.CODE
            return Region.DOCUMENTATION if _is_docstring(snapshot, node) else Region.STRING
        interpolated = interpolated or (node.is_named and not node.is_error and byte < node.end_byte)
    line_start = snapshot.lines.line_start(snapshot.lines.line_of(offset))
    return Region.STRING if quote_is_open(snapshot, snapshot.tree, line_start, offset) else Region.CODE


def _runs_on(snapshot: Snapshot, comment: tree_sitter.Node) -> bool:
    """Whether what is typed behind a comment belongs to it."""
    text = snapshot.source(comment)
    closed = any(text.startswith(opening) and text.endswith(closing) for opening, closing in _CLOSED_COMMENTS)
    return not closed and not text.endswith("\n")


def _region_of_comment(snapshot: Snapshot, start: int) -> Region:
    if snapshot.language is None or snapshot.language.docs is None:
        return Region.COMMENT
    style = snapshot.language.docs
    marker = style.opening or style.prefix.rstrip()
    documents = marker != snapshot.language.line_comment and snapshot.text.startswith(marker, start)
    return Region.DOCUMENTATION if documents else Region.COMMENT


def _is_docstring(snapshot: Snapshot, string: tree_sitter.Node) -> bool:
    if not _has_docstrings(snapshot):
        return False
    node: tree_sitter.Node | None = string
    while node is not None and "string" in node.type:
        string, node = node, node.parent
    if snapshot.tree is not None and snapshot.tree.root_node.has_error:
        return _begins_a_body(snapshot, snapshot.span(string)[0])
    if node is None or node.type != "expression_statement" or node.parent is None:
        return False
    body = node.parent
    first = next((child for child in body.named_children if not child.is_extra), None)
    owner = body.parent
    return first == node and (owner is None or owner.type in ("function_definition", "class_definition"))


def _has_docstrings(snapshot: Snapshot) -> bool:
    docs = snapshot.language.docs if snapshot.language else None
    return docs is not None and docs.placement == "inside"


def _begins_a_body(snapshot: Snapshot, start: int) -> bool:
    """Whether a Python string at ``start`` is the first thing in a module, a class or a function, by lines alone."""
    first = max(start - REACH_CHARS, 0)
    above = snapshot.text[first:start].rstrip(_STRING_PREFIXES).splitlines()
    code = [line for line in reversed(above) if line.strip() and not line.lstrip().startswith("#")]
    if not code:
        return first == 0
    if not _HEADER_END.search(code[0]):
        return False
    depth = start - snapshot.lines.line_start(snapshot.lines.line_of(start))
    header = next((line for line in code if len(indent_of(line)) < depth and line.lstrip()[0] not in ")]}"), "")
    return _HEADER.match(header) is not None


def _region_of_span(snapshot: Snapshot, span: re.Match[str], offset: int) -> Region:
    if span[0] in dict(_CLOSED_COMMENTS):
        return _region_of_comment(snapshot, span.start())
    interpolates = snapshot.language is not None and snapshot.language.id in ECMASCRIPT
    if interpolates and _INTERPOLATION.search(snapshot.text, span.end(), offset):
        return Region.CODE
    documents = _has_docstrings(snapshot) and _begins_a_body(snapshot, span.start())
    return Region.DOCUMENTATION if documents else Region.STRING
