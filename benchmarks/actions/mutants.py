"""Small bugs put into functions, of the kinds that people make: the same in all languages."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lsp_server.syntax.checks import error_count
from lsp_server.syntax.names import names_in
from lsp_server.syntax.scopes import FunctionScope
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.text_nodes import whole_pieces
from lsp_server.text.edits import TextEdit

# Spaces around an operator keep types and pointers out.
_CHANGES: dict[str, tuple[tuple[str, str], ...]] = {
    "bound": ((r" < ", " <= "), (r" <= ", " < "), (r" > ", " >= "), (r" >= ", " > ")),
    "off by one": ((r"(?<=[\[(, ])0(?=[\]), ;:])", "1"), (r"(?<=[\[(, ])1(?=[\]), ;:])", "0"), (r" [+-] 1\b", "")),
    "equality": (
        *((r" === ", " !== "), (r" !== ", " === "), (r" == ", " != "), (r" != ", " == ")),
        *((r" is not ", " is "), (r" is (?!not)", " is not "), (r" not in ", " in ")),
    ),
    "arithmetic": ((r" \+ (?!1\b)", " - "), (r" - (?!1\b)", " + "), (r" \* ", " + "), (r" \+= ", " -= ")),
    "logic": ((r" and ", " or "), (r" or ", " and "), (r" && ", " || "), (r" \|\| ", " && ")),
    "negation": ((r"\b(if|while|return|and|or) not ", r"\1 "), (r"(?<=[(&| ])!(?=[\w(])", "")),
    "flag": ((r"\b[Tt]rue\b", "false"), (r"\b[Ff]alse\b", "true")),
    "arguments": ((r"\((\w+), (\w+)\)", r"(\2, \1)"),),
}
_NAME = "name"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A function with a bug: of what kind, the edit in its document, and the line there, counted from 0."""

    kind: str
    edit: TextEdit
    line: int


def mutants(snapshot: Snapshot, scope: FunctionScope, choice: random.Random) -> list[Mutant]:
    """All that fit, in an order by chance in which the kinds take turns; each still parses."""
    found: dict[str, list[Mutant]] = {}
    for kind, edit in (*_changed(snapshot, scope), *_mixed_up(snapshot, scope, choice)):
        if error_count(snapshot.edited([edit], snapshot.version)) == error_count(snapshot):
            found.setdefault(kind, []).append(Mutant(kind, edit, snapshot.lines.line_of(edit.start)))
    for group in found.values():
        choice.shuffle(group)
    kinds = list(found)
    choice.shuffle(kinds)
    turns = max(map(len, found.values()), default=0)
    return [found[kind][turn] for turn in range(turns) for kind in kinds if turn < len(found[kind])]


def _changed(snapshot: Snapshot, scope: FunctionScope) -> Iterator[tuple[str, TextEdit]]:
    tree = snapshot.tree
    texts = whole_pieces(snapshot, tree, scope.body_start, scope.body_end) if tree else []
    for kind, changes in _CHANGES.items():
        for pattern, replacement in changes:
            for match in re.finditer(pattern, snapshot.text[scope.body_start : scope.body_end]):
                start, end = scope.body_start + match.start(), scope.body_start + match.end()
                new = match.expand(replacement)
                if new in ("true", "false") and match[0][0].isupper():
                    new = new.capitalize()
                if new != match[0] and not any(first < end and start < last for first, last in texts):
                    yield kind, TextEdit(start, end, new)


def _mixed_up(snapshot: Snapshot, scope: FunctionScope, choice: random.Random) -> Iterator[tuple[str, TextEdit]]:
    """A name of the function in place of another of its names that no dot stands before."""
    text = snapshot.text
    inside = [
        name
        for name in names_in(snapshot, scope.body_start, scope.body_end)
        if text[name.start - 1] not in ".@>:"
        and not re.match(r"\s*(?:\(|:?=[^=]|:)", text[name.start + len(name.text) :])
    ]
    parameters = [parameter.name.lstrip("*&.$") for parameter in scope.parameters]
    known = sorted({name.text for name in inside} | set(parameters))
    for name in inside:
        # Two of a kind of letter case: a class in place of a variable is no slip.
        others = [one for one in known if one != name.text and one[:1].isupper() == name.text[:1].isupper()]
        if others:
            yield _NAME, TextEdit(name.start, name.start + len(name.text), choice.choice(others))
