"""Whose members may be written at a cursor: what stands before its dot, and what that is likely to be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.context.declared import Told, declarations, told_by, types_in
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
_OWNER = re.compile(r"([^\W\d]\w*|\W)\s*(?:\?\.|!\.|\.|->|::)\s*$")
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
        told: what does tell it; None if its nearest declaration leaves that open. Its own name where it has none: it
            may be a class or a module.
    """

    name: str
    types: tuple[str, ...]
    is_own: bool = False
    told: Told | None = None


def receiver_at(spot: Spot) -> Receiver | None:
    """The receiver of the member that is written at a cursor; None if none is."""
    text = spot.snapshot.text
    line_start = spot.snapshot.lines.line_start(spot.snapshot.lines.line_of(spot.offset))
    found = _RECEIVER.search(text, max(line_start, spot.offset - _MOST_CHARS), spot.offset)
    if found is None:
        return None
    name, own = found["name"], own_names(spot)
    declared = [] if found["called"] else declarations(name, text, *_reach(spot))
    types = [word for match in declared for word in types_in(match)]
    types += [name, "".join(part.capitalize() for part in name.split("_"))]
    told: Told | None = Told(name, made=bool(found["called"]))
    if _is_others(text, found.start(), own):
        # A module's class, or another object's member.
        told = Told(name) if name[:1].isupper() else None
    elif declared:
        told = told_by(declared[0], name, found.start())
    return Receiver(name, tuple(dict.fromkeys(types)), name in own, told)


def own_names(spot: Spot) -> frozenset[str]:
    """What calls the object that a method at a cursor is of, in its language."""
    language = spot.snapshot.language
    return _OWN.get(language.id, _OFTEN_OWN) if language else _OFTEN_OWN


def _reach(spot: Spot) -> tuple[int, int]:
    """Where the declarations are that a function sees: from its outermost class or function on to the cursor."""
    start = spot.around[-1].start if spot.around else 0
    return max(start, spot.offset - _MOST_LOOKED_AT), spot.offset


def _is_others(text: str, start: int, own: frozenset[str]) -> bool:
    """Whether a name that begins there is a member of something else than the object itself."""
    owner = _OWNER.search(text, max(start - _MOST_CHARS, 0), start)
    return owner is not None and owner[1] not in own
