"""All that may stand behind a dot, at a cursor or in what is written there, where the workspace tells that."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lsp_server.context.candidates import Sources
from lsp_server.context.declared import Told, all_told
from lsp_server.context.definitions import Definitions
from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.receiver import own_names, receiver_at
from lsp_server.context.spot import Spot, is_class
from lsp_server.text.known_names import KnownNames

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
# More or longer ones the engine would refuse, or take its time with.
_MOST_NAMES, _LONGEST_NAME = 600, 100
_MOST_RECEIVERS = 10
_MOST_LOOKED_AT = 20_000
_WORD = re.compile(r"[^\W\d]\w*")
_ARGUMENTS = re.compile(r"\((.*)\)", re.DOTALL)
_NESTED = re.compile(r"\[[^\[\]]*\]|\([^()]*\)")
_STATEMENT = re.compile(r"\s*\w+\s*\??\.\s*\w*")
_EXTENDS = re.compile(r"\bextends\s+([\w.$]+)")


def members_at(spot: Spot, sources: Sources) -> tuple[str, ...]:
    """The names that may be written at a cursor; empty where it is behind no dot, or nobody can tell."""
    receiver = receiver_at(spot)
    if receiver is None or receiver.told is None or not _tells(spot):
        return ()
    # There an object gets what it does not have yet.
    if receiver.is_own and _begins_statement(spot):
        return ()
    return _names(receiver.name, receiver.told, spot, Definitions(spot, sources.symbols, sources.workspace))


def members_around(spot: Spot, sources: Sources) -> tuple[KnownNames, ...]:
    """The names that may stand behind dots in what is written at a cursor, for what its function and class know."""
    if not _tells(spot):
        return ()
    definitions = Definitions(spot, sources.symbols, sources.workspace)
    function = next((scope for scope in spot.around if not is_class(scope.kind)), None)
    start = max(function.start if function else 0, spot.offset - _MOST_LOOKED_AT)
    text = spot.snapshot.text
    near = set(_WORD.findall(text, start, spot.offset)) if function else set()
    told = all_told(text, start, spot.offset) if function else {}
    imported = (*definitions.modules.values(), *(n for n in definitions.here.values() if n[:1].isupper()))
    told |= {name: Told(name) for name in imported if name in near or not function}
    found = []
    own = sorted(own_names(spot)) if spot.own_class else []
    if own and (names := _names(own[0], Told(own[0]), spot, definitions)):
        found = [KnownNames(name, names, may_be_new=True) for name in own]
    for name, tells in list(told.items())[:_MOST_RECEIVERS]:
        if name not in own and (names := _names(name, tells, spot, definitions)):
            found.append(KnownNames(name, names))
    return tuple(found)


def _tells(spot: Spot) -> bool:
    language = spot.snapshot.language
    return language is not None and language.id in _LANGUAGES and spot.path.is_absolute()


def _is_python(spot: Spot) -> bool:
    return spot.snapshot.language is not None and spot.snapshot.language.id == "python"


def _names(name: str, told: Told, spot: Spot, definitions: Definitions) -> tuple[str, ...]:
    """All names behind a receiver of which something tells the type; empty if some may not be known."""
    found, is_own = None, name in own_names(spot)
    if is_own:
        found = _of_class(definitions.own_class(), definitions)
    elif told == Told(name):
        found = definitions.names_of_module(name)
    if found is None and not is_own:
        found = _of_class(definitions.type_told(told), definitions)
    if not found or found & _MAKES_NAMES:
        return ()
    # A class that others add to counts on what they have, and not all that an object gets can be seen.
    found.update(_asked_of(name, spot), _ALWAYS if _is_python(spot) else ())
    return () if len(found) > _MOST_NAMES or max(map(len, found)) > _LONGEST_NAME else tuple(sorted(found))


def _of_class(owner: IndexedSymbol | None, definitions: Definitions) -> set[str] | None:
    """The names of a class and all its bases; None if one of these is not known."""
    if owner is None:
        return None
    found: set[str] = set()
    classes = [owner]
    for one in classes:
        found |= definitions.member_names(one)
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


def _asked_of(name: str, spot: Spot) -> Iterator[str]:
    """The members that the document names of what is called so, but for the one that is being written."""
    own, text = own_names(spot), spot.snapshot.text
    for called in own if name in own else (name,):
        dotted, at = f"{called}.", 0
        # A regular expression for each name takes longer than all the rest.
        while (at := text.find(dotted, at)) >= 0:
            found = _WORD.match(text, at + len(dotted))
            if found and found.end() != spot.offset and not (at and (text[at - 1].isalnum() or text[at - 1] == "_")):
                yield found.group()
            at += len(dotted)


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
