"""Code, string, comment or documentation: what a character becomes that is typed at the cursor."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache

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

# Text between tags: marks in it mean themselves.
_TEXT = re.compile(r"(?:\w+_)?text")

_ECMASCRIPT = ("javascript", "javascriptreact", "typescript", "typescriptreact")

# What opens a string where the tree has only an error to show. Elsewhere an apostrophe is a character or a lifetime,
# and a backtick a command or a name.
_QUOTES = {
    "python": re.compile(r"\"\"\"|'''|[\"']"),
    "go": re.compile('["`]'),
    **dict.fromkeys(_ECMASCRIPT, re.compile("[\"'`]")),
    **dict.fromkeys(
        ("css", "elixir", "html", "lua", "perl", "php", "r", "ruby", "shellscript", "sql"), re.compile("[\"']")
    ),
}
_QUOTE = re.compile('"')

# What goes on over lines until it is closed, by its opening.
_BLOCK = {"/*": "*/"}
_SPANS = {
    "python": {'"""': '"""', "'''": "'''"},
    **{key: {**_BLOCK, "`": "`"} for key in (*_ECMASCRIPT, "go")},
    "rust": {**_BLOCK, 'r#"': '"#'},
    "cpp": {**_BLOCK, 'R"(': ')"'},
    **{key: {**_BLOCK, '"""': '"""'} for key in ("csharp", "java", "kotlin", "scala")},
    **dict.fromkeys(("c", "css", "dot", "hack", "objective-c", "php", "ql", "sql", "terraform"), _BLOCK),
    "lua": {"--[[": "]]", "[[": "]]"},
    **{key: {"{-": "-}"} for key in ("elm", "haskell")},
    "html": {"<!--": "-->"},
    "julia": {"#=": "=#", '"""': '"""'},
    "lisp": {"#|": "|#"},
    "ocaml": {"(*": "*)"},
}
# How far above the cursor one is looked for that is open.
_REACH_CHARS = 4000
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
    if (span := _open_span(snapshot, snapshot.tree, offset)) is not None:
        return _region_of_span(snapshot, span, offset)
    byte = snapshot.lines.byte_offset(offset)
    node = _node_before(snapshot, snapshot.tree, offset)
    interpolated = False
    while node is not None:
        parent = node.parent
        if parent is not None and _is_comment(parent):
            pass  # A comment as a whole says more than its parts.
        elif _is_comment(node) and (byte < node.end_byte or _runs_on(snapshot, node)):
            return _region_of_comment(snapshot, snapshot.span(node)[0])
        elif _is_string(node) and (byte < node.end_byte or _is_open(node)):
            if interpolated:
                return Region.CODE
            return Region.DOCUMENTATION if _is_docstring(snapshot, node) else Region.STRING
        interpolated = interpolated or (node.is_named and not node.is_error and byte < node.end_byte)
        node = parent
    line_start = snapshot.lines.line_start(snapshot.lines.line_of(offset))
    return Region.STRING if _quote_is_open(snapshot, snapshot.tree, line_start, offset) else Region.CODE


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


def _region_of_comment(snapshot: Snapshot, start: int) -> Region:
    if snapshot.language is None or snapshot.language.docs is None:
        return Region.COMMENT
    style = snapshot.language.docs
    marker = style.opening or style.prefix.rstrip()
    documents = marker != snapshot.language.line_comment and snapshot.text.startswith(marker, start)
    return Region.DOCUMENTATION if documents else Region.COMMENT


def _is_string(node: tree_sitter.Node) -> bool:
    # SQL's grammar has one kind for all literals.
    return node.is_named and (
        _STRING.fullmatch(node.type) is not None or (node.type == "literal" and (node.text or b"")[:1] in (b"'", b'"'))
    )


def _is_open(node: tree_sitter.Node) -> bool:
    """Whether a comment, a string, or a piece of one in half-typed code, lacks its end."""
    if node.child_count:
        return node.children[-1].is_missing
    piece = node.type.endswith(("start", "content", "fragment"))
    return piece and node.parent is not None and node.parent.is_error


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
    first = max(start - _REACH_CHARS, 0)
    above = snapshot.text[first:start].rstrip(_STRING_PREFIXES).splitlines()
    code = [line for line in reversed(above) if line.strip() and not line.lstrip().startswith("#")]
    if not code:
        return first == 0
    if not _HEADER_END.search(code[0]):
        return False
    depth = start - snapshot.lines.line_start(snapshot.lines.line_of(start))
    header = next((line for line in code if _indentation(line) < depth and line.lstrip()[0] not in ")]}"), "")
    return _HEADER.match(header) is not None


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _open_span(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int) -> re.Match[str] | None:
    """The opening before ``offset`` of what may go over lines, if nothing closes it.

    The tree says which openings stand in a comment or a string that is whole. Of all others there is no telling from
    it: what follows an open one was read as code, and not always as an error.
    """
    spans = _SPANS.get(snapshot.language.id) if snapshot.language else None
    at = _first_suspect(snapshot, tree, offset, spans) if spans else None
    if spans is None or at is None:
        return None
    lines, text, openings = snapshot.lines, snapshot.text, _any_of(tuple(spans))
    while span := openings.search(text, at, offset):
        line = lines.line_of(span.start())
        if (end := _whole_end(snapshot, tree, span)) is not None:
            at = max(end, span.end())
        elif _quote_is_open(snapshot, tree, max(at, lines.line_start(line)), span.start()):
            at = max(lines.line_end(line), span.end())
        elif closing := _closing(spans[span[0]]).search(text, span.end(), offset):
            at = closing.end()
        else:
            return span
    return None


def _first_suspect(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int, spans: dict[str, str]) -> int | None:
    """Where the first opening may stand that is still open at ``offset``; None if there is none.

    It stands behind the last closing mark, if that is another than the opening one, or else not before an error.
    """
    text, first = snapshot.text, max(offset - _REACH_CHARS, 0)
    suspects = []
    for opening, closing in spans.items():
        if opening != closing:
            closed = max(text.rfind(closing, first, offset), first)
            suspects.append(text.find(opening, closed, offset))
    if tree.root_node.has_error and any(opening == closing for opening, closing in spans.items()):
        byte = _first_error(tree.walk(), snapshot.lines.byte_offset(first), snapshot.lines.byte_offset(offset))
        suspects.append(-1 if byte is None else max(snapshot.lines.offset_of_byte(byte), first))
    return min((suspect for suspect in suspects if suspect >= 0), default=None)


def _first_error(cursor: tree_sitter.TreeCursor, start: int, end: int) -> int | None:
    """The byte where the first node begins that is an error or lacks a piece, and goes on behind ``start``."""
    node = cursor.node
    if node is None or node.is_error:
        return node.start_byte if node else None
    more = cursor.goto_first_child_for_byte(start) is not None
    while more and (child := cursor.node) is not None and child.start_byte < end:
        if child.is_missing:
            return node.start_byte
        if child.has_error and (byte := _first_error(cursor, start, end)) is not None:
            return byte
        more = cursor.goto_next_sibling()
    if cursor.node != node:
        cursor.goto_parent()
    return None


@cache
def _any_of(openings: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(opening) for opening in openings))


@cache
def _closing(mark: str) -> re.Pattern[str]:
    """A mark that closes; a quote does not behind an odd number of backslashes."""
    return re.compile((r"(?<!\\)(?:\\\\)*" if mark[0] in "\"'`" else "") + re.escape(mark))


def _whole_end(snapshot: Snapshot, tree: tree_sitter.Tree, span: re.Match[str]) -> int | None:
    """Where the comment, string or text ends in which an opening stands; None if there is none, or its end is missing.

    From the root down, since each step up would begin there, too.
    """
    byte = snapshot.lines.byte_offset(span.start())
    cursor, whole = tree.walk(), None
    while cursor.goto_first_child_for_byte(byte) is not None:
        node = cursor.node
        if node is None or node.start_byte > byte:
            break
        if _is_comment(node) or _is_string(node) or _TEXT.fullmatch(node.type):
            whole = whole or node
        elif node.is_named:
            whole = None
    if whole is None or _is_open(whole):
        return None
    start, end = snapshot.span(whole)
    # No regular expression begins like a comment.
    return None if start == span.start() and whole.type.startswith("regex") else end


def _region_of_span(snapshot: Snapshot, span: re.Match[str], offset: int) -> Region:
    if span[0] in dict(_CLOSED_COMMENTS):
        return _region_of_comment(snapshot, span.start())
    interpolates = snapshot.language is not None and snapshot.language.id in _ECMASCRIPT
    if interpolates and _INTERPOLATION.search(snapshot.text, span.end(), offset):
        return Region.CODE
    documents = _has_docstrings(snapshot) and _begins_a_body(snapshot, span.start())
    return Region.DOCUMENTATION if documents else Region.STRING


def _quote_is_open(snapshot: Snapshot, tree: tree_sitter.Tree, start: int, offset: int) -> bool:
    """Whether a part of a line has an error that is an opening quote which nothing closes before ``offset``."""
    text = snapshot.text
    quotes = _QUOTES.get(snapshot.language.id if snapshot.language else "", _QUOTE)
    at = start
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
