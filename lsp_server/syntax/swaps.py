"""What may have been mixed up in a function: local names, operators with their neighbours, an order, a step of one."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tree_sitter

from lsp_server.syntax.scopes import FunctionScope
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.text_nodes import whole_pieces
from lsp_server.syntax.variables import variables

_NEIGHBOURS = {
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    "==": ("!=",),
    "!=": ("==",),
    "===": ("!==",),
    "!==": ("===",),
    "is": ("is not",),
    "is not": ("is",),
    "in": ("not in",),
    "not in": ("in",),
    "and": ("or",),
    "or": ("and",),
    "&&": ("||",),
    "||": ("&&",),
    "+": ("-",),
    "-": ("+",),
    "*": ("+", "/"),
    "/": ("*",),
    "=": ("+=",),
    "+=": ("-=", "="),
    "-=": ("+=", "="),
    "++": ("--",),
    "--": ("++",),
    "true": ("false",),
    "false": ("true",),
    "True": ("False",),
    "False": ("True",),
    "0": ("1",),
    "1": ("0", "2"),
}
# `<` may as well open a list of types, and `*` say that something is a pointer.
_OPERATION = re.compile(
    r"binary|comparison|boolean|logical|augmented|assignment|update|postfix|prefix|relational|equality|additive"
    r"|conjunction|disjunction|multiplicative"
)
_LITERAL = re.compile(r"(?:true|false|boolean(?:_literal)?|\w*(?:integer|number|int|literal)\w*)")
# Two arguments in the wrong order.
_TWO = re.compile(r"\w\((\$?\w+, \$?\w+)\)")
# One too many or too few, also of what is counted in brackets.
_ONE_MORE = re.compile(r"(?<=[\w)\]])( [+-] 1)(?![\w.])")
_ITEM = re.compile(r"\[\$?\w+(?:[.\w]*\([\w.]*\)|\.\w+)?()\]")
# A condition that is meant the other way round.
_NOT = re.compile(r"\b(?:if|while|elif|and|or|return|assert) (not )?(?=[\w(])")
_BANG = re.compile(r"(?:[(&|] ?|\breturn )(!)?(?=[\w(])")
_NOT_WORDS = frozenset({"python", "lua"})
_MOST_NAMES = 24


@dataclass(frozen=True, slots=True)
class Swap:
    """A place in a document, ``text[start:end]``, and what might have been meant there."""

    start: int
    end: int
    alternatives: tuple[str, ...]


def swaps(snapshot: Snapshot, function: FunctionScope) -> tuple[Swap, ...]:
    """What may have been mixed up in a function's body, in order of places.

    A name is replaced by others that the function itself has bound before: parameters, variables. What else there is
    in a file or a library is not asked for: that something does not exist other tools tell better.
    """
    if snapshot.tree is None:
        return ()
    start, end = function.body_start, function.body_end
    texts = whole_pieces(snapshot, snapshot.tree, start, end)
    found = [
        *_names(snapshot, function),
        *_operators(snapshot, snapshot.tree, start, end),
        *(swap for swap in _pieces(snapshot, start, end) if not _touches(swap, texts)),
    ]
    return tuple(sorted(found, key=lambda swap: swap.start))


def _names(snapshot: Snapshot, function: FunctionScope) -> Iterator[Swap]:
    found = variables(snapshot, function)
    for name in found.uses:
        others = [other for other, at in found.bound.items() if other != name.text and at < name.start]
        if found.bound.get(name.text, name.start) < name.start and others:
            yield Swap(name.start, name.start + len(name.text), tuple(others[:_MOST_NAMES]))


def _pieces(snapshot: Snapshot, start: int, end: int) -> Iterator[Swap]:
    """What is more or less than a word: an order, a negation, a step of one."""
    words = snapshot.language_id in _NOT_WORDS
    for look, others in (
        (_TWO, None),
        (_ONE_MORE, ("",)),
        (_ITEM, (" - 1", " + 1")),
        (_NOT if words else _BANG, ("not ",) if words else ("!",)),
    ):
        for match in look.finditer(snapshot.text, start, end):
            first, last = match.span(1)
            if others is None:
                one, two = match[1].split(", ")
                yield Swap(first, last, (f"{two}, {one}",))
            elif first < 0:
                # A negation that is not there, where it would be.
                yield Swap(match.end(), match.end(), others)
            else:
                yield Swap(first, last, others if first == last else ("",))


def _touches(swap: Swap, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a place lies within one of some texts, which come in order."""
    at = bisect_right(spans, (swap.start, swap.start)) - 1
    return any(first <= swap.start < last for first, last in spans[max(at, 0) : at + 2])


def _operators(snapshot: Snapshot, tree: tree_sitter.Tree, start: int, end: int) -> Iterator[Swap]:
    first, last = snapshot.lines.byte_offset(start), snapshot.lines.byte_offset(end)
    pending: list[tuple[tree_sitter.Node, tree_sitter.Node | None]] = [(tree.root_node, None)]
    while pending:
        node, parent = pending.pop()
        if node.end_byte <= first or node.start_byte >= last:
            continue
        pending += ((child, node) for child in node.children)
        if node.child_count > 1 or parent is None:
            continue
        alternatives = _NEIGHBOURS.get(snapshot.source(node))
        kind = parent.type if not node.is_named else node.type
        if alternatives and (_LITERAL.fullmatch(kind) if node.is_named else _OPERATION.search(kind)):
            yield Swap(*snapshot.span(node), alternatives)
