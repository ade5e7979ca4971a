"""What a function's text says of the types of its variables."""

from __future__ import annotations

import re
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d]\w*")
# `Type`, `pkg.Type`, `"Type"`, `Type | None`, `Optional[Type]`.
_PLAIN_TYPE = re.compile(
    r"""(?:(?:\w+\.)*Optional\[)?["']?(?:\w+\.)*([^\W\d]\w*)["']?\]?(?:\s*\|\s*(?:None|null|undefined))?"""
)
# `name: Type`, `name = Type(`, in the languages in which one tells names from others' members by a dot.
_ANY_DECLARED = re.compile(
    r"(?<![\w.])(?P<name>[^\W\d]\w*)\s*"
    r"(?::(?!=)[ \t]*(?P<annotated>[^=\n(){};,]+)|=\s*(?:new\s+|await\s+)?(?P<made>[\w.]+)[ \t]*(?:<[^<>\n]*>)?\()"
)
# Where a call ends, if it is a simple one; and so far apart are a keyword and the comma or bracket before it.
_MOST_CHARS = 500
_LOOKS_BACK = 80


@dataclass(frozen=True, slots=True)
class Told:
    """What tells a type: the name of a class, or where ``made`` that of what is called to make it."""

    name: str
    made: bool = False


def declarations(name: str, text: str, start: int, end: int) -> list[re.Match[str]]:
    """Where a variable is declared, the nearest first; for `types_in` and `told_by`."""
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


def types_in(declaration: re.Match[str]) -> list[str]:
    """The names that a declaration mentions, the likeliest to be the type first."""
    parts = (declaration[part] for part in ("annotated", "before", "made", "behind", "called"))
    # Of `pkg.Type` it is the last name that counts.
    return [word for part in parts if part for word in reversed(_WORD.findall(part))]


def told_by(declaration: re.Match[str], name: str, end: int) -> Told | None:
    """The type that a declaration tells; None if it is not as simple as that, or does not hold any more at ``end``."""
    found, text = declaration.groupdict(), declaration.string
    if _is_bound(name, text, declaration.end(), end):
        return None
    if (made := found["made"]) and _ends_statement(text, declaration.end()):
        return Told(_WORD.findall(made)[-1], made=True)
    plain = _PLAIN_TYPE.fullmatch((found["annotated"] or found.get("before") or "").strip())
    return Told(plain[1]) if plain else None


def all_told(text: str, start: int, end: int) -> dict[str, Told]:
    """The variables whose types are told between two offsets, and hold at the second one."""
    last = {found["name"]: found for found in _ANY_DECLARED.finditer(text, start, end)}
    return {name: told for name, found in last.items() if (told := told_by(found, name, end))}


def _is_bound(name: str, text: str, start: int, end: int) -> bool:
    """Whether a name is given something between two offsets; a keyword of a call is none."""
    word = re.escape(name)
    bound = re.compile(
        rf"(?<![\w.]){word}\s*(?::?=(?!=)|,[^=\n()]*=(?!=))|\bfor\b[^\n]*\b{word}\b[^\n]*\bin\b|\bas\s+{word}\b"
    )
    before = (text[max(found.start() - _LOOKS_BACK, 0) : found.start()] for found in bound.finditer(text, start, end))
    return any(not part.rstrip().endswith(("(", ",")) for part in before)


def _ends_statement(text: str, start: int) -> bool:
    """Whether nothing comes behind the bracket that was opened before ``start``."""
    depth = 1
    for at in range(start, min(start + _MOST_CHARS, len(text))):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if not depth:
            return text[at + 1 :].split("\n", 1)[0].strip(" \t\r;") == ""
    return False
