"""What is missing at a cursor: the rest of a line, a statement, or a block. The tree says it, where there is one."""

from __future__ import annotations

import enum
import re

import tree_sitter

from lsp_server.syntax.around import Block, block_at
from lsp_server.syntax.outward import outward
from lsp_server.syntax.regions import Region, region_at
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.closers import closes_line


class Extent(enum.Enum):
    """How much belongs into a hole.

    Attributes:
        LINE: the rest of the line, and of the lines that it goes on in while its brackets are open.
        STATEMENT: one statement with the blocks that belong to it.
        BLOCK: statements up to the end of the block.
    """

    LINE = enum.auto()
    STATEMENT = enum.auto()
    BLOCK = enum.auto()


# What a block may begin behind. Whether it does, the tree knows: a colon may also part a key from its value.
_OPENER = re.compile(r"(?::|\{|=>|\b(?:then|do|else|try|begin))\s*$")
_HEADER = re.compile(r"\s*(?:[)\]}]|(?:async|if|elif|else|for|while|def|class|with|try|except|finally|match|case)\b)")
# What has braces, but no statements in them.
_VALUE = re.compile(r"object|dict|hash|map|array|initializer|literal|table|set")
# Parts of node kinds in which a colon is no block's.
_VALUES = ("pair", "slice", "param", "lambda", "annotation", "assignment", "subscript", "property", "field", "type")


def extent_at(snapshot: Snapshot, offset: int) -> Extent:
    """How much is missing at ``offset``. In the middle of a line that is never more than the line."""
    lines = snapshot.lines
    line = lines.line_of(offset)
    before = snapshot.text[lines.line_start(line) : offset]
    after = snapshot.text[offset : lines.line_end(line)] if offset <= lines.line_end(line) else ""
    # In front of the closer that ends a block on a line of its own, the block may be gone on with.
    if not before.strip() and (not after.strip() or (after.lstrip()[0] == "}" and closes_line("", after))):
        return _on_a_blank_line(snapshot, offset)
    # `{}` is how an editor leaves a block to be written.
    between = before.rstrip().endswith("{") and after.lstrip().startswith("}") and closes_line(before, after)
    if (not after.strip() or between) and _opens_block(snapshot, offset, before):
        return Extent.BLOCK
    return Extent.LINE


def _on_a_blank_line(snapshot: Snapshot, offset: int) -> Extent:
    if snapshot.tree is None:
        return Extent.BLOCK
    if (followed := _between_brackets(snapshot, snapshot.tree, offset)) is not None:
        return Extent.LINE if followed else Extent.BLOCK
    block = block_at(snapshot, offset)
    return Extent.STATEMENT if block is None or block.followed or _holds_definitions(block) else Extent.BLOCK


def _between_brackets(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int) -> bool | None:
    """Whether something follows between the brackets of a value or a call around the cursor; None if there are none."""
    byte = snapshot.lines.byte_offset(offset)
    for node in outward(tree, tree.root_node.descendant_for_byte_range(byte, byte)):
        first, last = (node.child(0), node.child(node.child_count - 1)) if node.child_count else (None, None)
        if first is not None and last is not None and first.end_byte <= byte <= last.start_byte:
            if (first.type, last.type) in (("(", ")"), ("[", "]")) or (first.type == "{" and _VALUE.search(node.type)):
                return any(child.start_byte >= byte for child in node.named_children if not child.is_extra)
            if first.type == "{":
                return None
    return None


def _holds_definitions(block: Block) -> bool:
    """Whether the block is a class's or the like: what is written there next is one member."""
    return block.kind != "function" and block.kind is not None


def _opens_block(snapshot: Snapshot, offset: int, before: str) -> bool:
    match = _OPENER.search(before)
    if match is None:
        return False
    if snapshot.tree is None:
        return True
    at = offset - len(before) + match.start()
    if region_at(snapshot, at) is not Region.CODE:
        return False
    if snapshot.text[at] != ":":
        return True
    first = snapshot.lines.byte_offset(at)
    node = snapshot.tree.root_node.descendant_for_byte_range(first, first + 1)
    parent = node.parent if node else None
    if parent is None or parent.is_error:
        # Half-typed: a header begins with its keyword, or goes on behind brackets.
        return snapshot.language is None or snapshot.language.blocks != "indent" or _HEADER.match(before) is not None
    return not any(part in parent.type for part in _VALUES)
