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
# `name =`, `name, other =`, `for name in`, `as name`.
_GIVES = re.compile(
    r"(?<![\w.])(?P<name>[^\W\d]\w*)\s*(?=:?=(?!=)|,[^=\n()]*=(?!=))"
    r"|\bfor\b(?P<others>[^\n]*?)\bin\b|\bas\s+(?P<other>[^\W\d]\w*)"
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
    return None if name in _given(declaration.string, declaration.end(), end) else _told(declaration)


def all_told(text: str, start: int, end: int) -> dict[str, Told]:
    """The variables whose types are told between two offsets, and hold at the second one."""
    last = {found["name"]: found for found in _ANY_DECLARED.finditer(text, start, end)}
    given = _given(text, start, end)
    holds = (found for name, found in last.items() if given.get(name, start) < found.end())
    return {found["name"]: told for found in holds if (told := _told(found))}


def _told(declaration: re.Match[str]) -> Told | None:
    found = declaration.groupdict()
    if (made := found["made"]) and _ends_statement(declaration.string, declaration.end()):
        return Told(_WORD.findall(made)[-1], made=True)
    plain = _PLAIN_TYPE.fullmatch((found["annotated"] or found.get("before") or "").strip())
    return Told(plain[1]) if plain else None


def _given(text: str, start: int, end: int) -> dict[str, int]:
    """The names that are given something between two offsets, and where at last; a keyword of a call is not."""
    given: dict[str, int] = {}
    for found in _GIVES.finditer(text, start, end):
        if name := found["name"]:
            if not text[max(found.start() - _LOOKS_BACK, 0) : found.start()].rstrip().endswith(("(", ",")):
                given[name] = found.start()
        else:
            given |= dict.fromkeys(_WORD.findall(found["others"] or found["other"]), found.start())
    return given


def _ends_statement(text: str, start: int) -> bool:
    """Whether nothing comes behind the bracket that was opened before ``start``."""
    depth = 1
    for at in range(start, min(start + _MOST_CHARS, len(text))):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if not depth:
            return text[at + 1 :].split("\n", 1)[0].strip(" \t\r;") == ""
    return False
