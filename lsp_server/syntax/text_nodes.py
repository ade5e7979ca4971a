"""The nodes of a tree that are text: comments and strings, by what the grammars call them."""

from __future__ import annotations

import re
from functools import cache

import tree_sitter

from lsp_server.syntax.queries import named_kinds, query_of
from lsp_server.syntax.snapshot import Snapshot

# SQL's grammar has a kind for each keyword, one of which is `COMMENT`.
_COMMENT = re.compile(r"(?!keyword)(?:\w+_)?comments?|qldoc|marginalia")

# Strings and their parts, whatever a grammar calls them. Between concatenated strings and those of a list stands code.
_STRING = re.compile(
    r"(?!concatenated|chained|keyword|\w+_(?:array|interpolation|get_expression))"
    r"(?:\w*string\w*|(?:char|character|rune|regex)(?:_\w+)?|heredoc(?:_body|_content|_template)?|nowdoc\w*|sigil"
    r"|quoted_\w+|(?:\w+_)?(?:content|fragment)|escape_sequence|attribute_value|template_literal_type"
    r"|(?:double|single)_quote_scalar|block_scalar)"
)

# What may hold an opening mark that opens nothing: a whole comment or string, or text between tags.
_WHOLE = re.compile(
    r"(?!(?:\w+_)?(?:start|content|fragment|end)$)"
    rf"(?:{_COMMENT.pattern}|{_STRING.pattern}|literal|(?:\w+_)?text)"
)


def is_comment(node: tree_sitter.Node) -> bool:
    """Whether a node is a comment, of code or of documentation."""
    return node.is_named and _COMMENT.fullmatch(node.type) is not None


def is_string(node: tree_sitter.Node) -> bool:
    """Whether a node is a string, a character or a regular expression, or a part of one."""
    # SQL's grammar has one kind for all literals.
    return node.is_named and (
        _STRING.fullmatch(node.type) is not None or (node.type == "literal" and (node.text or b"")[:1] in (b"'", b'"'))
    )


def is_open(node: tree_sitter.Node) -> bool:
    """Whether a comment, a string, or a piece of one in half-typed code, lacks its end."""
    if node.child_count:
        return node.children[-1].is_missing
    piece = node.type.endswith(("start", "content", "fragment"))
    return piece and node.parent is not None and node.parent.is_error


def node_before(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int) -> tree_sitter.Node | None:
    """The smallest node that holds the character before ``offset``."""
    lines = snapshot.lines
    return tree.root_node.descendant_for_byte_range(lines.byte_offset(offset - 1), lines.byte_offset(offset))


def whole_pieces(snapshot: Snapshot, tree: tree_sitter.Tree, start: int, end: int) -> list[tuple[int, int]]:
    """The comments, strings and texts of a part that do not lack their end, the outermost ones, in order."""
    query = _pieces(tree.language)
    if query is None:
        return []
    cursor = tree_sitter.QueryCursor(query)
    cursor.set_byte_range(snapshot.lines.byte_offset(start), snapshot.lines.byte_offset(end))
    whole: list[tuple[int, int]] = []
    last = -1
    for node in sorted(
        cursor.captures(tree.root_node).get("piece", []), key=lambda node: (node.start_byte, -node.end_byte)
    ):
        # No regular expression begins as a comment does.
        if node.end_byte <= last or is_open(node) or (node.type == "regex" and (node.text or b"").startswith(b"/*")):
            continue
        whole.append(snapshot.span(node))
        last = node.end_byte
    return whole


@cache
def _pieces(grammar: tree_sitter.Language) -> tree_sitter.Query | None:
    return query_of(grammar, [f"({kind}) @piece" for kind in named_kinds(grammar, _WHOLE)])
