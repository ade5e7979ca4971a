"""Whose members may be written at a cursor: what stands before its dot, and what that is likely to be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.context.spot import Spot

# What calls the object that a method is of, or its class, or their members that it has from others.
_ECMASCRIPT = frozenset({"this", "super"})
_OWN = {
    "python": frozenset({"self", "cls", "super"}),
    "javascript": _ECMASCRIPT,
    "javascriptreact": _ECMASCRIPT,
    "typescript": _ECMASCRIPT,
    "typescriptreact": _ECMASCRIPT,
    "java": frozenset({"this", "super"}),
    "kotlin": frozenset({"this", "super"}),
    "csharp": frozenset({"this", "base"}),
    "php": frozenset({"this", "self", "static", "parent"}),
    "rust": frozenset({"self", "Self"}),
    "ruby": frozenset({"self", "super"}),
}
_OFTEN_OWN = frozenset({"self", "this"})

# `name.`, `name->`, `name::`, `name?.`, `Name(...).` and the begun word behind it.
_RECEIVER = re.compile(r"(?P<name>[^\W\d]\w*)(?P<called>\([^()]*\))?\s*(?:\?\.|!\.|\.|->|::)\s*(?:[^\W\d]\w*)?$")
_WORD = re.compile(r"[^\W\d]\w*")
# Of a line as long as this nobody wrote more by hand.
_MOST_CHARS = 500
# Where a variable of the function may have its type from.
_MOST_LOOKED_AT = 20_000


@dataclass(frozen=True, slots=True)
class Receiver:
    """What stands before the dot at a cursor.

    Attributes:
        name: the last name of it; of a call the one that is called.
        types: names that may tell its type, the likeliest first: of an annotation, of what it is made by or returned
            from, and its own, as its type's may be written.
        is_own: it calls the object that the method at the cursor is of.
    """

    name: str
    types: tuple[str, ...]
    is_own: bool = False


def receiver_at(spot: Spot) -> Receiver | None:
    """The receiver of the member that is written at a cursor; None if none is."""
    text = spot.snapshot.text
    line_start = spot.snapshot.lines.line_start(spot.snapshot.lines.line_of(spot.offset))
    found = _RECEIVER.search(text, max(line_start, spot.offset - _MOST_CHARS), spot.offset)
    if found is None:
        return None
    name = found["name"]
    types = [name] if found["called"] else _types_of(name, text, *_reach(spot))
    types += [name, "".join(part.capitalize() for part in name.split("_"))]
    return Receiver(name, tuple(dict.fromkeys(types)), name in _own_names(spot))


def _own_names(spot: Spot) -> frozenset[str]:
    """What calls the object that a method at a cursor is of, in its language."""
    language = spot.snapshot.language
    return _OWN.get(language.id, _OFTEN_OWN) if language else _OFTEN_OWN


def _reach(spot: Spot) -> tuple[int, int]:
    """Where the declarations are that a function sees: from its outermost class or function on to the cursor."""
    start = spot.around[-1].start if spot.around else 0
    return max(start, spot.offset - _MOST_LOOKED_AT), spot.offset


def _types_of(name: str, text: str, start: int, end: int) -> list[str]:
    """The names that the declarations of a variable mention, the nearest declaration first."""
    word = re.escape(name)
    # All of it is bounded: in a file of data a line may be as long as it likes.
    declared = re.compile(
        # `name: Type`, `name = Type(`, `name := pkg.Type{`, `name = new Type(`, `name = await make(`
        rf"\b{word}[ \t]{{0,9}}(?::(?!=)\s{{0,9}}(?P<annotated>[^=\n(){{}};,]{{1,200}})"
        rf"|:?=\s{{0,9}}(?:(?:new|await)\s{{1,9}}|&)?(?P<made>[\w.:]{{1,200}})\s{{0,9}}(?:<[^<>\n]{{0,200}}>)?[({{])"
        # `Type name`, `Type<X> &name`, `Type $name`
        rf"|\b(?P<before>[A-Z]\w{{0,99}})(?:<[^<>\n]{{0,200}}>)?(?:[ \t]{{1,9}}[*&]?|[*&])[ \t]{{0,9}}\$?\b{word}\b"
        # `name *pkg.Type`
        rf"|\b{word}[ \t]{{1,9}}\*?(?P<behind>(?:\w{{1,99}}\.)?[A-Z]\w{{0,99}})"
        # `with open(path) as name`
        rf"|(?<![\w.])(?P<called>[\w.]{{1,200}})\([^()\n]{{0,200}}\)[ \t]{{1,9}}as[ \t]{{1,9}}{word}\b"
    )
    found: list[str] = []
    for match in reversed(list(declared.finditer(text, start, end))):
        parts = (match["annotated"], match["before"], match["made"], match["behind"], match["called"])
        # Of `pkg.Type` it is the last name that counts.
        found += (word for part in parts if part for word in reversed(_WORD.findall(part)))
    return found
