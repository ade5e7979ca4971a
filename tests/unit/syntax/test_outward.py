from __future__ import annotations

import random
from types import SimpleNamespace
from typing import cast

import pytest
import tree_sitter

from lsp_server.syntax.hole import extent_at
from lsp_server.syntax.outward import outward
from lsp_server.syntax.regions import region_at
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.statements import whole_statements
from tests.unit.syntax.samples import SAMPLES

BITS = (
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "`",
    "${",
    "/*",
    "*/",
    "# ",
    "// ",
    "\n",
    "    ",
    ":",
    ",",
    "f(",
    "x",
    '"""',
)


def by_parents(node: tree_sitter.Node | None) -> list[tree_sitter.Node]:
    """What `outward` is, found the slow way."""
    found = []
    while node is not None:
        found.append(node)
        node = node.parent
    return found


def garbled(language: str, seed: int) -> Snapshot:
    """A sample with something put in and something cut out, so that its tree has errors and missing pieces."""
    rng = random.Random(seed)  # noqa: S311
    text = SAMPLES[language].text.replace("<|>", "")
    for _ in range(rng.randrange(6)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(BITS) + text[at + rng.randrange(3) :]
    return Snapshot.open(text, language)


@pytest.mark.parametrize("language", SAMPLES)
def test_it_is_the_way_by_parents(language: str) -> None:
    for seed in range(40):
        snapshot = garbled(language, seed)
        if snapshot.tree is None:
            pytest.skip("the grammar is not installed")
        rng = random.Random(seed)  # noqa: S311
        size = len(snapshot.text.encode())
        for _ in range(40):
            first = rng.randrange(size + 1)
            last = min(size, first + rng.randrange(4))
            node = snapshot.tree.root_node.descendant_for_byte_range(first, last)
            assert list(outward(snapshot.tree, node)) == by_parents(node)


@pytest.mark.parametrize("language", ["python", "javascript", "go", "rust"])
def test_what_is_found_on_the_way_is_the_same(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def answers(snapshot: Snapshot) -> list[object]:
        places = range(len(snapshot.text) + 1)
        return [
            (region_at(snapshot, at), extent_at(snapshot, at), whole_statements(snapshot, at, at + 3)) for at in places
        ]

    snapshots = [garbled(language, seed) for seed in range(12)]
    quick = [answers(snapshot) for snapshot in snapshots]
    for user in ("regions", "hole", "around", "statements", "unclosed"):
        monkeypatch.setattr(f"lsp_server.syntax.{user}.outward", lambda _tree, node: iter(by_parents(node)))
    assert [answers(snapshot) for snapshot in snapshots] == quick


def test_nothing_is_around_nothing() -> None:
    snapshot = Snapshot.open("x", "python")
    assert snapshot.tree
    assert list(outward(snapshot.tree, None)) == []


class Nested:
    """A node with one child, which knows how often it was asked for it."""

    def __init__(self, inner: Nested | None) -> None:
        self.inner = inner
        self.asked = 0

    def child_with_descendant(self, _node: object) -> Nested | None:
        self.asked += 1
        return self.inner


def test_the_way_is_gone_once_however_deep_it_is() -> None:
    nodes = [Nested(None)]
    for _ in range(500):
        nodes.append(Nested(nodes[-1]))
    tree = SimpleNamespace(root_node=nodes[-1])
    assert list(outward(cast(tree_sitter.Tree, tree), cast(tree_sitter.Node, nodes[0]))) == nodes
    assert [node.asked for node in nodes] == [0] + [1] * 500
