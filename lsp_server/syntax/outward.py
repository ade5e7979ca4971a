"""The way from a node out to the whole text."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter


def outward(tree: tree_sitter.Tree, node: tree_sitter.Node | None) -> Iterator[tree_sitter.Node]:
    """A node of a tree and those around it, the innermost first; nothing for None.

    A node does not know what it is in: `Node.parent` goes down to it from the root, so that to go out by it takes the
    square of the depth. This goes down once.
    """
    if node is None:
        return
    way = []
    at: tree_sitter.Node | None = tree.root_node
    while at is not None and at != node:
        way.append(at)
        at = at.child_with_descendant(node)
    yield node
    yield from reversed(way)
