"""Whose members may be written at a cursor: what stands before its dot, and what that is likely to be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.context.spot import Spot

# What calls the object that a method is of.
OWN = frozenset({"self", "this", "cls", "super", "Self", "parent", "static", "base"})

# `name.`, `name->`, `name::`, `name?.`, `Name(...).` and the begun word behind it.
_RECEIVER = re.compile(r"(?P<name>[^\W\d]\w*)(?P<called>\([^()]*\))?\s*(?:\?\.|!\.|\.|->|::)\s*(?:[^\W\d]\w*)?$")
_WORD = re.compile(r"[^\W\d]\w*")
_OWNER = re.compile(r"([^\W\d]\w*|\W)\s*(?:\?\.|!\.|\.|->|::)\s*$")
# `Type`, `pkg.Type`, `"Type"`, `Type | None`, `Optional[Type]`.
_PLAIN_TYPE = re.compile(
    r"""(?:\w+\.)*(?:Optional\[)?["']?(?:\w+\.)*([^\W\d]\w*)["']?\]?(?:\s*\|\s*(?:None|null|undefined))?"""
)
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
        told: the name that does tell it: of its class, or where ``made`` of a function that returns it; empty if its
            nearest declaration leaves that open. Its own name where it has none: it may be a class or a module.
    """

    name: str
    types: tuple[str, ...]
    told: str = ""
    made: bool = False


def receiver_at(spot: Spot) -> Receiver | None:
    """The receiver of the member that is written at a cursor; None if none is."""
    text = spot.snapshot.text
    line_start = spot.snapshot.lines.line_start(spot.snapshot.lines.line_of(spot.offset))
    found = _RECEIVER.search(text, max(line_start, spot.offset - _MOST_CHARS), spot.offset)
    if found is None:
        return None
    name = found["name"]
    declarations = [] if found["called"] else _declarations(name, text, *_reach(spot))
    types = [word for match in declarations for word in _types_in(match)]
    types += [name, "".join(part.capitalize() for part in name.split("_"))]
    told, made = name, bool(found["called"])
    if _is_others(text, found.start()):
        # A module's class, or another object's member.
        told = name if name[:1].isupper() else ""
    elif declarations:
        told, made = _told_by(declarations[0], text)
    return Receiver(name, tuple(dict.fromkeys(types)), told, made)


def _reach(spot: Spot) -> tuple[int, int]:
    """Where the declarations are that a function sees: from its outermost class or function on to the cursor."""
    start = spot.around[-1].start if spot.around else 0
    return max(start, spot.offset - _MOST_LOOKED_AT), spot.offset


def _declarations(name: str, text: str, start: int, end: int) -> list[re.Match[str]]:
    """Where a variable is declared, the nearest first."""
    word = re.escape(name)
    declared = re.compile(
        # `name: Type`, `name = Type(`, `name := pkg.Type{`, `name = new Type(`, `name = await make(`
        rf"\b{word}\s*(?::(?!=)\s*(?P<annotated>[^=\n(){{}};,]+)"
        rf"|:?=\s*(?:new\s+|await\s+|&)*(?P<made>[\w.:]+)\s*(?:<[^<>\n]*>)?[({{])"
        # `Type name`, `Type<X> &name`, `Type $name`
        rf"|\b(?P<before>[A-Z]\w*)(?:<[^<>\n]*>)?\s*[*&]?\s*\$?\b{word}\b"
        # `name *pkg.Type`
        rf"|\b{word}\s+\*?(?P<behind>(?:\w+\.)?[A-Z]\w*)"
        # `with open(path) as name`
        rf"|(?P<called>[\w.]+)\([^()\n]*\)\s+as\s+{word}\b"
    )
    return list(reversed(list(declared.finditer(text, start, end))))


def _types_in(declaration: re.Match[str]) -> list[str]:
    """The names that a declaration mentions, the likeliest to be the type first."""
    parts = (declaration[part] for part in ("annotated", "before", "made", "behind", "called"))
    # Of `pkg.Type` it is the last name that counts.
    return [word for part in parts if part for word in reversed(_WORD.findall(part))]


def _told_by(declaration: re.Match[str], text: str) -> tuple[str, bool]:
    """The type of a declaration, or what it is made by and True; empty if it is not as simple as that."""
    if (made := declaration["made"]) and _ends_statement(text, declaration.end()):
        return _WORD.findall(made)[-1], True
    plain = _PLAIN_TYPE.fullmatch((declaration["annotated"] or declaration["before"] or "").strip())
    return (plain[1], False) if plain else ("", False)


def _ends_statement(text: str, start: int) -> bool:
    """Whether nothing comes behind the bracket that was opened before ``start``."""
    depth = 1
    for at in range(start, min(start + _MOST_CHARS, len(text))):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if not depth:
            return text[at + 1 :].split("\n", 1)[0].strip(" \t\r;") == ""
    return False


def _is_others(text: str, start: int) -> bool:
    """Whether a name that begins there is a member of something else than the object itself."""
    owner = _OWNER.search(text, max(start - _MOST_CHARS, 0), start)
    return owner is not None and owner[1] not in OWN
