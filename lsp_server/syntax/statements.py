"""The statements of a text, as far as a selection touches them."""

from __future__ import annotations

import tree_sitter

from lsp_server.syntax.outward import outward
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.surroundings import Span

# What stands between statements and belongs to none.
_BETWEEN = (";", ",", "\n")


def whole_statements(snapshot: Snapshot, start: int, end: int) -> Span | None:
    """The smallest run of whole lines of code that holds a selection; None if that holds none.

    It begins and ends where nodes do that stand alone on their lines, so that something else can stand in its place.
    """
    text, lines = snapshot.text, snapshot.lines
    touched = text[start:end]
    start, end = start + len(touched) - len(touched.lstrip()), end - len(touched) + len(touched.rstrip())
    if start >= end:
        return None
    if snapshot.tree is None:
        return _to_lines(snapshot, start, end)
    inner = snapshot.tree.root_node.descendant_for_byte_range(lines.byte_offset(start), lines.byte_offset(end) - 1)
    for node in outward(snapshot.tree, inner):
        first, last = _covering(snapshot, node, start, end)
        if _alone(snapshot, first, last):
            return first, last
    return _to_lines(snapshot, start, end)


def _covering(snapshot: Snapshot, node: tree_sitter.Node, start: int, end: int) -> Span:
    """The children of a node that a span touches, from the first one's begin to the last one's end.

    With a bracket or a keyword of it the whole node is touched.
    """
    touched = [(child, span) for child in node.children if (span := snapshot.span(child))[0] < end and start < span[1]]
    if not touched or any(not (child.is_named or child.type in _BETWEEN) for child, _ in touched):
        return snapshot.span(node)
    return touched[0][1][0], max(last for _, (_, last) in touched)


def _alone(snapshot: Snapshot, start: int, end: int) -> bool:
    """Whether nothing else stands on the lines of a span."""
    first, last = _to_lines(snapshot, start, end)
    return first == start and last <= end


def _to_lines(snapshot: Snapshot, start: int, end: int) -> Span:
    """The text of the lines of a span, without blanks at both ends."""
    lines = snapshot.lines
    first, last = lines.line_start(lines.line_of(start)), lines.line_end(lines.line_of(end - 1))
    whole = snapshot.text[first:last]
    return first + len(whole) - len(whole.lstrip()), last - len(whole) + len(whole.rstrip())
