"""Where an edited document's tree is not what it was: what was found out about the rest still holds.

Internal to the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import tree_sitter

from lsp_server.syntax.definitions import above, stands_above
from lsp_server.syntax.snapshot import Earlier, Snapshot
from lsp_server.syntax.surroundings import end_above
from lsp_server.text.positions import LineIndex

# What holds statements or members of which none changes what another one is. Elsewhere it may: a constant of Go is
# shown with its `const` if there is no second one.
_LISTS = re.compile(
    r"(?:\w+_)?(?:block|body|declaration_list)|body_statement|compound_statement|preproc_if(?:def)?|object"
)


@dataclass(frozen=True, slots=True)
class Change:
    """A run of statements or members outside of which nothing has changed.

    Attributes:
        start: where it begins, in both texts: where what is before it ends.
        old_end, end: where what is behind it began, and begins.
        behind: what that is, the rest of its own list first.
    """

    start: int
    old_end: int
    end: int
    behind: Sequence[tree_sitter.Node]


def changes(snapshot: Snapshot, earlier: Earlier[Any]) -> list[Change]:
    """The runs that hold all that has changed: each lies in the next, and the last in the list of the whole file.

    A parser takes over what it can of the tree that was before, and what it takes over are the same nodes: nothing has
    to be known of the edits.
    """
    if snapshot.tree is None:
        return []
    old, new = earlier.tree.root_node, snapshot.tree.root_node
    start, old_end = 0, earlier.lines.byte_offset(len(earlier.lines.text))
    end = snapshot.lines.byte_offset(len(snapshot.text))
    moved = end - old_end
    behind: list[tree_sitter.Node] = []
    found: list[Change] = []
    while old.type == new.type:
        olds, news = old.children, new.children
        head = _same(olds, news, 0)
        if head:
            start = news[head - 1].end_byte
            olds, news = olds[head:], news[head:]
        tail = _same(reversed(olds), reversed(news), moved)
        if tail:
            old_end, end = olds[-tail].start_byte, news[-tail].start_byte
            behind = [*news[-tail:], *behind]
            olds, news = olds[:-tail], news[:-tail]
        if not found or _LISTS.fullmatch(new.type):
            first, last = snapshot.lines.offset_of_byte(start), snapshot.lines.offset_of_byte(end)
            change = Change(first, earlier.lines.offset_of_byte(old_end), last, behind)
            # A tab for a blank between two nodes is in neither.
            before, after = earlier.lines.text, snapshot.text
            if before[:first] != after[:first] or before[change.old_end :] != after[last:]:
                break
            found.append(change)
        if not len(olds) == len(news) == 1:
            break
        old, new = olds[0], news[0]
    return found[::-1]


def with_neighbours(snapshot: Snapshot, earlier: Earlier[Any], change: Change) -> Change:
    """The change with what may belong together with it: what stands above it, and what is below what stands there."""
    moved = change.end - change.old_end
    end = change.end
    for node in change.behind:
        first, last = snapshot.span(node)
        apart = _apart(snapshot.lines, first)
        if apart is not None and apart == _apart(earlier.lines, first - moved):
            break
        end = last
        if snapshot.text[first:last].strip() and not stands_above(snapshot, first):
            break
    return Change(above(snapshot, change.start), end - moved, end, change.behind)


def _apart(lines: LineIndex, start: int) -> str | None:
    """What stands before a place in its line, if nothing in the line above does; what is indented is shown without."""
    return lines.text[lines.line_start(lines.line_of(start)) : start] if end_above(lines, start) < 0 else None


def _same(olds: Iterable[tree_sitter.Node], news: Iterable[tree_sitter.Node], moved: int) -> int:
    """How many of the nodes are as they were, and as many bytes from where they were, before the first that is not."""
    count = 0
    for old, new in zip(olds, news, strict=False):
        if not _is_same(old, new, moved):
            break
        count += 1
    return count


def _is_same(old: tree_sitter.Node, new: tree_sitter.Node, moved: int) -> bool:
    pending = [(old, new)]
    while pending:
        old, new = pending.pop()
        if new.start_byte - old.start_byte != moved:
            return False
        # One that was taken over has a new id where the one that it lies in was made anew.
        if old.id == new.id:
            continue
        if old.type != new.type or new.end_byte - old.end_byte != moved:
            return False
        if (old.has_error or new.has_error) and (old.child_count or new.child_count):
            # Sound text of one kind is read in one way, what is broken may be mended in several.
            if old.child_count != new.child_count:
                return False
            pending += zip(old.children, new.children, strict=True)
        elif old.text != new.text or old.is_missing != new.is_missing:
            return False
    return True
