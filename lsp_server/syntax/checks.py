"""Is it still code, and is it still the same code?"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

import tree_sitter

from lsp_server.syntax.scopes import doc_spans
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.text_nodes import is_comment

# What a docstring is as a node; a block or file that holds nothing else covers the same span.
_DOCSTRING_NODES = ("expression_statement", "string", "concatenated_string")


def has_error(snapshot: Snapshot) -> bool:
    """Whether the grammar finds fault with the text; False where there is no grammar to ask."""
    return snapshot.tree is not None and snapshot.tree.root_node.has_error


def error_count(snapshot: Snapshot) -> int:
    """How many stretches of the text are errors or lack something; 0 where there is no grammar to ask."""
    if snapshot.tree is None:
        return 0
    count, pending = 0, [snapshot.tree.root_node]
    while pending:
        node = pending.pop()
        if node.is_error or node.is_missing:
            count += 1
        pending += (child for child in node.children if child.has_error or child.is_missing)
    return count


def error_begins_in(snapshot: Snapshot, start: int, end: int) -> bool:
    """Whether an error or a missing piece begins in ``text[start:end]``, its end included."""
    if snapshot.tree is None:
        return False
    first, last = snapshot.lines.byte_offset(start), snapshot.lines.byte_offset(end)
    pending = [snapshot.tree.root_node]
    while pending:
        node = pending.pop()
        if (node.is_error or node.is_missing) and first <= node.start_byte <= last:
            return True
        if node.start_byte <= last and node.end_byte >= first:
            pending += (child for child in node.children if child.has_error or child.is_missing)
    return False


def parses(text: str, language_id: str) -> bool:
    """Whether a whole text is without syntax errors; True where there is no grammar to ask."""
    return not has_error(Snapshot.open(text, language_id))


def equal_without_docs(before: Snapshot, after: Snapshot) -> bool:
    """Whether two texts are the same code and the same comments, but for documentation and layout.

    Documentation is what `scopes.doc_spans` finds. Code is equal if its trees are, so a statement that moved into
    another block counts as a change. Without a grammar only equal texts are equal.
    """
    if before.tree is None or after.tree is None:
        return before.text == after.text
    one, other = _Essence(before), _Essence(after)
    return one.code == other.code and one.comments == other.comments


class _Essence:
    """A text's code as nested node types and token texts, and its comments, which may hang anywhere in a tree."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._docs = doc_spans(snapshot)
        self._docstrings = set(self._docs)
        self.comments: list[str] = []
        self.code = list(self._walk())

    def _walk(self) -> Iterator[str | None]:
        tree = self._snapshot.tree
        pending: list[tree_sitter.Node | None] = [tree.root_node] if tree else []
        while pending:
            node = pending.pop()
            if node is None:
                yield None
            elif node.is_extra and is_comment(node):
                self._note_comment(node)
            elif node.type not in _DOCSTRING_NODES or self._snapshot.span(node) not in self._docstrings:
                yield node.type
                if not node.child_count and node.end_byte > node.start_byte:
                    yield self._snapshot.source(node)
                pending += (None, *reversed(node.children))

    def _note_comment(self, node: tree_sitter.Node) -> None:
        start, end = self._snapshot.span(node)
        text = self._snapshot.text[start:end].rstrip()
        # The last documentation that begins no later: none overlaps another.
        index = bisect_right(self._docs, start, key=lambda span: span[0]) - 1
        if index < 0 or start + len(text) > self._docs[index][1]:
            self.comments.append(text)
