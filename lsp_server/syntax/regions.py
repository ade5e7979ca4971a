"""Code, string, comment or documentation: what a character becomes that is typed at the cursor."""

from __future__ import annotations

import re
from enum import Enum

import tree_sitter

from lsp_server.syntax.snapshot import Snapshot

_COMMENT = re.compile(r"(?:\w+_)?comments?|qldoc|marginalia")
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

# Strings and their parts, whatever a grammar calls them. Between concatenated strings and those of a list stands code.
_STRING = re.compile(
    r"(?!concatenated|chained|keyword|\w+_(?:array|interpolation|get_expression))"
    r"(?:\w*string\w*|(?:char|character|rune|regex)(?:_\w+)?|heredoc(?:_body|_content|_template)?|nowdoc\w*|sigil"
    r"|quoted_\w+|(?:\w+_)?(?:content|fragment)|escape_sequence|attribute_value|template_literal_type"
    r"|(?:double|single)_quote_scalar|block_scalar)"
)

# What opens a string where the tree has only an error to show. Elsewhere an apostrophe is a character or a lifetime,
# and a backtick a command or a name.
_QUOTES = {
    "python": re.compile(r"\"\"\"|'''|[\"']"),
    "go": re.compile('["`]'),
    **dict.fromkeys(("javascript", "javascriptreact", "typescript", "typescriptreact"), re.compile("[\"'`]")),
    **dict.fromkeys(
        ("css", "elixir", "html", "lua", "perl", "php", "r", "ruby", "shellscript", "sql"), re.compile("[\"']")
    ),
}
_QUOTE = re.compile('"')


class Region(Enum):
    """What a place in a text is part of."""

    CODE = "code"
    STRING = "string"
    COMMENT = "comment"
    DOCUMENTATION = "documentation"


def region_at(snapshot: Snapshot, offset: int) -> Region:
    """What a character typed at ``offset`` would become part of.

    The end of a line comment still belongs to it, the place behind a closing quote or ``*/`` does not, and what is
    interpolated into a string is code. A quote that nothing closes opens a string up to the line's end. Documentation
    is a docstring, or a comment of the form that only documentation has. Without a grammar all is code.
    """
    if snapshot.tree is None or offset <= 0:
        return Region.CODE
    byte = snapshot.lines.byte_offset(offset)
    node = _node_before(snapshot, snapshot.tree, offset)
    interpolated = False
    while node is not None:
        parent = node.parent
        if parent is not None and _is_comment(parent):
            pass  # A comment as a whole says more than its parts.
        elif _is_comment(node) and (byte < node.end_byte or _runs_on(snapshot, node)):
            return Region.DOCUMENTATION if _documents(snapshot, node) else Region.COMMENT
        elif _is_string(node) and (byte < node.end_byte or _is_open(node)):
            if interpolated:
                return Region.CODE
            return Region.DOCUMENTATION if _is_docstring(snapshot, node) else Region.STRING
        interpolated = interpolated or (node.is_named and not node.is_error and byte < node.end_byte)
        node = parent
    return Region.STRING if _quote_is_open(snapshot, snapshot.tree, offset) else Region.CODE


def _node_before(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int) -> tree_sitter.Node | None:
    """The smallest node that holds the character before ``offset``."""
    lines = snapshot.lines
    return tree.root_node.descendant_for_byte_range(lines.byte_offset(offset - 1), lines.byte_offset(offset))


def _is_comment(node: tree_sitter.Node) -> bool:
    return node.is_named and _COMMENT.fullmatch(node.type) is not None


def _runs_on(snapshot: Snapshot, comment: tree_sitter.Node) -> bool:
    """Whether what is typed behind a comment belongs to it."""
    text = snapshot.source(comment)
    closed = any(text.startswith(opening) and text.endswith(closing) for opening, closing in _CLOSED_COMMENTS)
    return not closed and not text.endswith("\n")


def _documents(snapshot: Snapshot, comment: tree_sitter.Node) -> bool:
    if snapshot.language is None or snapshot.language.docs is None:
        return False
    style = snapshot.language.docs
    marker = style.opening or style.prefix.rstrip()
    return marker != snapshot.language.line_comment and snapshot.source(comment).startswith(marker)


def _is_string(node: tree_sitter.Node) -> bool:
    # SQL's grammar has one kind for all literals.
    return node.is_named and (
        _STRING.fullmatch(node.type) is not None or (node.type == "literal" and (node.text or b"")[:1] in (b"'", b'"'))
    )


def _is_open(string: tree_sitter.Node) -> bool:
    """Whether a string, or a piece of one in half-typed code, lacks its end."""
    if string.child_count:
        return string.children[-1].is_missing
    piece = string.type.endswith(("start", "content", "fragment"))
    return piece and string.parent is not None and string.parent.is_error


def _is_docstring(snapshot: Snapshot, string: tree_sitter.Node) -> bool:
    if snapshot.language is None or snapshot.language.docs is None or snapshot.language.docs.placement != "inside":
        return False
    node: tree_sitter.Node | None = string
    while node is not None and "string" in node.type:
        node = node.parent
    if node is None or node.type != "expression_statement" or node.parent is None:
        return False
    body = node.parent
    first = next((child for child in body.named_children if not child.is_extra), None)
    owner = body.parent
    return first == node and (owner is None or owner.type in ("function_definition", "class_definition"))


def _quote_is_open(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int) -> bool:
    """Whether the line has an error before ``offset`` that is an opening quote which nothing closes."""
    lines, text = snapshot.lines, snapshot.text
    quotes = _QUOTES.get(snapshot.language.id if snapshot.language else "", _QUOTE)
    at = lines.line_start(lines.line_of(offset))
    while quote := quotes.search(text, at, offset):
        at = quote.end()
        node = _node_before(snapshot, tree, at)
        while node is not None and not (
            node.is_error or _is_comment(node) or (_is_string(node) and not _is_open(node))
        ):
            node = node.parent
        if node is not None and node.is_error:
            closing = re.compile(rf"(?:\\.|(?!{quote[0]})[^\\])*{quote[0]}", re.DOTALL).match(text, at, offset)
            if closing is None:
                return True
            at = closing.end()
        elif node is not None:
            at = max(at, snapshot.span(node)[1])
    return False
