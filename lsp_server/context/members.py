"""All that may stand behind the dot at a cursor, where the workspace tells that for certain."""

from __future__ import annotations

import re

from lsp_server.context.candidates import Sources
from lsp_server.context.definitions import Definitions
from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.receiver import OWN, receiver_at
from lsp_server.context.spot import Spot

# Where the classes of a workspace say themselves what their objects have.
_LANGUAGES = {"python", "javascript", "javascriptreact", "typescript", "typescriptreact"}
# What base classes of other packages bring along; one that is not named here may bring anything.
_ERROR = ("args", "with_traceback", "add_note")
_BASES: dict[str, tuple[str, ...]] = {
    "object": (),
    "ABC": (),
    "Protocol": (),
    "Generic": (),
    "Enum": ("name", "value"),
    "NamedTuple": ("_asdict", "_replace", "_fields"),
    "Exception": _ERROR,
    "Error": ("name", "message", "stack", "cause"),
}
_ANY_ERROR = re.compile(r"[A-Z]\w*(?:Error|Exception|Warning)")
# With one of these an object may have names that nobody declares.
_MAKES_NAMES = {"__getattr__", "__getattribute__"}
_ALWAYS = {*dir(object), "__dict__", "__module__", "__name__", "__qualname__"}
_MOST_CLASSES = 12
_MOST_NAMES = 400
_ARGUMENTS = re.compile(r"\((.*)\)", re.DOTALL)
_NESTED = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
_STATEMENT = re.compile(r"\s*\w+\s*\??\.\s*\w*")
_EXTENDS = re.compile(r"\bextends\s+([\w.$]+)")


def members_at(spot: Spot, sources: Sources) -> tuple[str, ...]:
    """The names that may be written at a cursor; empty where it is behind no dot, or nobody can tell."""
    language, receiver = spot.snapshot.language, receiver_at(spot)
    if receiver is None or not receiver.told or language is None or language.id not in _LANGUAGES:
        return ()
    if not spot.path.is_absolute():
        return ()
    definitions = Definitions(spot, sources.symbols, sources.workspace)
    found = None
    if receiver.name not in OWN:
        if receiver.told == receiver.name and not receiver.made:
            found = definitions.names_of_module(receiver.name)
        if found is None:
            found = _of_class(definitions.type_told(receiver.told, made=receiver.made), definitions)
    elif not _begins_statement(spot):
        # There an object gets what it does not have yet.
        found = _of_class(definitions.own_class(), definitions)
    if not found or len(found) > _MOST_NAMES or found & _MAKES_NAMES:
        return ()
    # A class that others add to counts on what they have, and not all that an object gets can be seen.
    found |= _asked_of(receiver.name, spot)
    return tuple(sorted(found | _ALWAYS if language.id == "python" else found))


def _of_class(owner: IndexedSymbol | None, definitions: Definitions) -> set[str] | None:
    """The names of a class and all its bases; None if one of these is not known."""
    if owner is None:
        return None
    found: set[str] = set()
    classes = [owner]
    for one in classes:
        found.update(member.name for member in definitions.all_members(one))
        for name in _bases(one):
            base, last = definitions.base(one, name), name.rpartition(".")[2]
            if base:
                classes += [base] if base not in classes and len(classes) < _MOST_CLASSES else []
            elif last in _BASES:
                found.update(_BASES[last])
            elif _ANY_ERROR.fullmatch(last):
                found.update(_ERROR)
            else:
                return None
    return found


def _asked_of(name: str, spot: Spot) -> set[str]:
    """The members that the document names of what is called so, but for the one that is being written."""
    names = "|".join(OWN) if name in OWN else re.escape(name)
    member = re.compile(rf"\b(?:{names})\??\.([^\W\d]\w*)")
    return {found[1] for found in member.finditer(spot.snapshot.text) if found.end() != spot.offset}


def _bases(owner: IndexedSymbol) -> list[str]:
    """The names of what a class is made of, as they are written, without type arguments."""
    if extended := _EXTENDS.search(owner.signature):
        return [extended[1]]
    arguments = _ARGUMENTS.search(owner.signature)
    if arguments is None:
        return []
    text, replaced = arguments[1], 1
    while replaced:
        text, replaced = _NESTED.subn("", text)
    return [part.strip() for part in text.split(",") if part.strip() and "=" not in part]


def _begins_statement(spot: Spot) -> bool:
    lines = spot.snapshot.lines
    line = spot.snapshot.text[lines.line_start(lines.line_of(spot.offset)) : spot.offset]
    return _STATEMENT.fullmatch(line) is not None
