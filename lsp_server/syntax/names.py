"""The identifiers of a text, in whatever grammar: what code uses and defines, by name alone."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import cache

import tree_sitter

from lsp_server.syntax.queries import named_kinds, query_of
from lsp_server.syntax.snapshot import Snapshot

# What grammars call an identifier. The same words also name compounds, so only nodes without children count.
_KIND = re.compile(
    r"(?!operator|special|keyword|heredoc|format)"
    r"(?:\w+_)?(?:identifier(?:_pattern)?|name|variable|constant|constructor)|alias|atom|bareword|simpleId|[a-z]+Name|sym_lit|(?:hash_key_)?symbol|var"
)
# Where a word is a name only in some places. Each is used with the grammars that it fits.
_PATTERNS = (
    "(command_name (word) @name)",
    "(function_definition name: (word) @name)",
    "(targets (word) @name)",
    "(prerequisites (word) @name)",
)
# `$1` and `:` are no names, `@x`, `#x` and `'a` are.
_NAME = re.compile(r"\W*[^\W\d]")
_WORD = re.compile(r"(?<!\w)[^\W\d]\w*")


@dataclass(frozen=True, slots=True)
class Name:
    """An identifier as it is written, and the offset where it begins."""

    text: str
    start: int


def names_in(snapshot: Snapshot, start: int, end: int) -> tuple[Name, ...]:
    """The identifiers that begin in ``text[start:end]``, in source order, each as often as it stands there.

    Keywords and what stands in strings and comments are no identifiers; without a grammar every word is one. The cost
    depends on the range, not on the file.
    """
    if start >= end:
        return ()
    if snapshot.tree is None:
        words = _WORD.finditer(snapshot.text, max(start, 0), _word_end(snapshot.text, end))
        return tuple(Name(word[0], word.start()) for word in words if word.start() < end)
    first, last = snapshot.lines.byte_offset(start), snapshot.lines.byte_offset(end)
    nodes = [node for node in _nodes(snapshot.tree, (first, last)) if first <= node.start_byte < last]
    names = (
        Name(_decoded(node.text), snapshot.lines.offset_of_byte(node.start_byte))
        for node in sorted(nodes, key=lambda node: node.start_byte)
    )
    return tuple(name for name in names if _NAME.match(name.text))


def name_counts(snapshot: Snapshot) -> Counter[str]:
    """How often each identifier stands in the whole text."""
    if snapshot.tree is None:
        return Counter(_WORD.findall(snapshot.text))
    counts = Counter(node.text for node in _nodes(snapshot.tree))
    names = {_decoded(text): count for text, count in counts.items()}
    return Counter({name: count for name, count in names.items() if _NAME.match(name)})


def _nodes(tree: tree_sitter.Tree, span: tuple[int, int] | None = None) -> list[tree_sitter.Node]:
    query = _query(tree.language)
    if query is None:
        return []
    cursor = tree_sitter.QueryCursor(query)
    if span:
        cursor.set_byte_range(*span)
    found = cursor.captures(tree.root_node).get("name", [])
    return [node for node in found if not node.child_count]


@cache
def _query(grammar: tree_sitter.Language) -> tree_sitter.Query | None:
    return query_of(grammar, [*(f"({kind}) @name" for kind in named_kinds(grammar, _KIND)), *_PATTERNS])


def _word_end(text: str, offset: int) -> int:
    """``offset``, or the end of the word that it lies in."""
    while 0 < offset < len(text) and (text[offset].isalnum() or text[offset] == "_"):
        offset += 1
    return offset


def _decoded(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "surrogatepass")
