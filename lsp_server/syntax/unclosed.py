"""What a half-typed text opens and does not close: quotes, comments and strings that go over lines."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache

import tree_sitter

from lsp_server.syntax.outward import outward
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.text_nodes import is_comment, is_open, is_string, node_before, whole_pieces

ECMASCRIPT = ("javascript", "javascriptreact", "typescript", "typescriptreact")

# What opens a string where the tree has only an error to show. Elsewhere an apostrophe is a character or a lifetime,
# and a backtick a command or a name.
_QUOTES = {
    "python": re.compile(r"\"\"\"|'''|[\"']"),
    "go": re.compile('["`]'),
    **dict.fromkeys(ECMASCRIPT, re.compile("[\"'`]")),
    **dict.fromkeys(
        ("css", "elixir", "html", "lua", "perl", "php", "r", "ruby", "shellscript", "sql"), re.compile("[\"']")
    ),
}
_QUOTE = re.compile('"')

# What goes on over lines until it is closed, by its opening.
_BLOCK = {"/*": "*/"}
_SPANS = {
    "python": {'"""': '"""', "'''": "'''"},
    **{key: {**_BLOCK, "`": "`"} for key in (*ECMASCRIPT, "go")},
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
# How many characters above the cursor one is looked for that is open.
REACH_CHARS = 4000


def open_span(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int) -> re.Match[str] | None:
    """The opening before ``offset`` of what may go over lines, if nothing closes it.

    The tree says which openings stand in a comment or a string that is whole. Of all others there is no telling from
    it: what follows an open one was read as code, and not always as an error.
    """
    spans = _SPANS.get(snapshot.language.id) if snapshot.language else None
    at = _first_suspect(snapshot, tree, offset, spans) if spans else None
    if spans is None or at is None:
        return None
    lines, text, openings = snapshot.lines, snapshot.text, _any_of(tuple(spans))
    whole = whole_pieces(snapshot, tree, at, offset)
    while span := openings.search(text, at, offset):
        line = lines.line_of(span.start())
        index = bisect_right(whole, span.start(), key=lambda piece: piece[0]) - 1
        if index >= 0 and span.start() < whole[index][1]:
            at = whole[index][1]
        elif quote_is_open(snapshot, tree, max(at, lines.line_start(line)), span.start()):
            at = max(lines.line_end(line), span.end())
        elif closing := _closing(spans[span[0]]).search(text, span.end(), offset):
            at = closing.end()
        else:
            return span
    return None


def _first_suspect(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int, spans: dict[str, str]) -> int | None:
    """Where the line begins that may have the first opening which is still open at ``offset``; None if none has.

    It stands behind the last closing mark, if that is another than the opening one, or else not before an error.
    """
    lines, text, first = snapshot.lines, snapshot.text, max(offset - REACH_CHARS, 0)
    suspects = []
    for opening, closing in spans.items():
        if opening != closing:
            closed = max(text.rfind(closing, first, offset), first)
            suspects.append(text.find(opening, closed, offset))
    if tree.root_node.has_error and any(opening == closing for opening, closing in spans.items()):
        byte = _first_error(tree.walk(), lines.byte_offset(first), lines.byte_offset(offset))
        suspects.append(-1 if byte is None else max(lines.offset_of_byte(byte), first))
    suspect = min((suspect for suspect in suspects if suspect >= 0), default=None)
    # What stands before it on its line may be a quote that is open.
    return None if suspect is None else max(lines.line_start(lines.line_of(suspect)), first)


def _first_error(cursor: tree_sitter.TreeCursor, start: int, end: int) -> int | None:
    """The byte where the first node begins that is an error or lacks a piece, and goes on behind ``start``."""
    node = cursor.node
    # The nodes around the one at the cursor; code may be nested deeper than Python calls.
    around: list[tree_sitter.Node] = []
    while node is not None:
        within = node.start_byte < end or not around
        if within and node.is_error:
            return node.start_byte
        if within and node.is_missing and around:
            return around[-1].start_byte
        if within and node.has_error and cursor.goto_first_child_for_byte(start) is not None:
            around.append(node)
        else:
            while not (node.start_byte < end and cursor.goto_next_sibling()):
                if not around or not cursor.goto_parent():
                    return None
                node = around.pop()
        node = cursor.node
    return None


@cache
def _any_of(openings: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(opening) for opening in openings))


@cache
def _closing(mark: str) -> re.Pattern[str]:
    """A mark that closes; a quote does not behind an odd number of backslashes."""
    return re.compile((r"(?<!\\)(?:\\\\)*" if mark[0] in "\"'`" else "") + re.escape(mark))


def quote_is_open(snapshot: Snapshot, tree: tree_sitter.Tree, start: int, offset: int) -> bool:
    """Whether a part of a line has an error that is an opening quote which nothing closes before ``offset``."""
    text = snapshot.text
    quotes = _QUOTES.get(snapshot.language.id if snapshot.language else "", _QUOTE)
    at = start
    while quote := quotes.search(text, at, offset):
        at = quote.end()
        way = outward(tree, node_before(snapshot, tree, at))
        node = next((n for n in way if n.is_error or is_comment(n) or (is_string(n) and not is_open(n))), None)
        if node is not None and node.is_error:
            closing = re.compile(rf"(?:\\.|(?!{quote[0]})[^\\])*{quote[0]}", re.DOTALL).match(text, at, offset)
            if closing is None:
                return True
            at = closing.end()
        elif node is not None:
            at = max(at, snapshot.span(node)[1])
    return False
