"""All that may stand behind a dot, at a cursor or in what is written there, where the workspace tells that.

A name that is missing here is one that a model is kept from. So nothing is told where there is any doubt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from lsp_server.context.candidates import Sources
from lsp_server.context.definitions import CLASS_KINDS
from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.python_locals import (
    LONGEST_LINE,
    MOST_LOOKED_AT,
    Told,
    Unbound,
    is_own,
    is_part,
    own_attribute,
    told,
)
from lsp_server.context.python_names import PythonNames
from lsp_server.context.spot import Spot
from lsp_server.syntax.regions import Region, region_at
from lsp_server.text.known_names import KnownNames

_OWN = ("self", "cls", "super")
# What all objects, classes and modules have.
_ALWAYS = {*dir(object), *dir(type), "__dict__", "__annotations__", "__cause__", "__context__", "__traceback__"}
# More or longer ones the engine would refuse, or take its time with.
_MOST_NAMES, _LONGEST_NAME = 600, 100
_MOST_RECEIVERS = 10
_WORD = re.compile(r"[^\W\d]\w*")
# What stands before the dot at a cursor, and the begun name behind it.
_RECEIVER = re.compile(
    r"(?<![\w.)\]}\"'])(?P<name>(?:[^\W\d]\w*\.)*[^\W\d]\w*)(?P<called>\([^()\n]{0,200}\))?[ \t]*\.[ \t]*\w*$"
)
_IMPORT = re.compile(r"\s*(?:from|import)\b")
# There an object gets what it does not have yet.
_TARGETS = re.compile(r"\s*(?:[\w.]+\s*,\s*)*\w+\.\w*")
_GETS = re.compile(r"\b(?:as|for)\s+\w+\.\w*$")
_DECLARED = re.compile(r"^[ \t]*(?P<name>[^\W\d]\w*)[ \t]*(?::[ \t]*[\w\"'.]|=[ \t]*[\w.]{1,200}\()", re.MULTILINE)


def members_at(spot: Spot, sources: Sources) -> tuple[str, ...]:
    """The names that may be written at a cursor; empty where it is behind no dot, or nobody can tell."""
    lines = spot.snapshot.lines
    line = spot.snapshot.text[lines.line_start(lines.line_of(spot.offset)) : spot.offset]
    found = _RECEIVER.search(line) if len(line) <= LONGEST_LINE and _tells(spot) else None
    if found is None or _IMPORT.match(line) or region_at(spot.snapshot, spot.offset) is not Region.CODE:
        return ()
    if found["name"] in _OWN and (_TARGETS.fullmatch(line) or _GETS.search(line)):
        return ()
    return _names(found["name"], spot, _python_names(spot, sources), called=bool(found["called"]))


def members_around(spot: Spot, sources: Sources) -> tuple[KnownNames, ...]:
    """The names that may stand behind dots in what is written at a cursor, for what its function and class know."""
    if not _tells(spot):
        return ()
    names = _python_names(spot, sources)
    function = next(iter(spot.functions), None)
    start = max(function.start if function else 0, spot.offset - MOST_LOOKED_AT)
    text = spot.snapshot.text
    near = dict.fromkeys(_WORD.findall(text, start, spot.offset))
    imported = {
        name
        for found in sources.symbols.imports_of(spot.path)
        if found.target
        for name in (*found.names, found.target.stem, found.target.parent.name, *(here for _, here in found.aliases))
    }
    signature = _WORD.findall(text, function.signature_start, function.signature_end) if function else []
    declared = (found["name"] for found in _DECLARED.finditer(text, start, spot.offset))
    wanted = dict.fromkeys((*declared, *signature, *(name for name in near if name in imported)))
    found = []
    for name in ("self", "cls"):
        if spot.own_class and (own := _names(name, spot, names)):
            found += [KnownNames(one, own, may_be_new=True) for one in (name, "super")]
    for name in list(wanted)[: 3 * _MOST_RECEIVERS]:
        if name not in _OWN and len(found) < _MOST_RECEIVERS and (those := _names(name, spot, names)):
            found.append(KnownNames(name, those))
    return tuple(found)


def _tells(spot: Spot) -> bool:
    language = spot.snapshot.language
    return language is not None and language.id == "python" and spot.path.is_absolute()


def _python_names(spot: Spot, sources: Sources) -> PythonNames:
    def text_of(path: Path) -> str | None:
        return spot.snapshot.text if path == spot.path else sources.files.text(path, sources.workspace)

    return PythonNames(sources.symbols, text_of)


def _names(name: str, spot: Spot, names: PythonNames, *, called: bool = False) -> tuple[str, ...]:
    """All names behind a receiver; empty if some may not be known."""
    found = _told_names(name, spot, names, called=called)
    if not found:
        return ()
    # Not all that an object gets can be seen.
    found = {*found, *_asked_of(name, spot), *_ALWAYS}
    return () if len(found) > _MOST_NAMES or max(map(len, found)) > _LONGEST_NAME else tuple(sorted(found))


def _told_names(name: str, spot: Spot, names: PythonNames, *, called: bool) -> set[str] | None:
    first, _, rest = name.partition(".")
    if first in _OWN:
        # An object that is called makes something else.
        own = (is_own("self", spot) or is_own("cls", spot)) if first == "super" else is_own(first, spot)
        if not own or (called and first == "self"):
            return None
        if not rest:
            return _of_own_class(spot, names)
        attribute = own_attribute(rest, spot) if first == "self" and "." not in rest and not called else None
        return _of(attribute, spot, names) if attribute else None
    variable = told(first, spot)
    if isinstance(variable, Told):
        return _of(variable, spot, names) if not rest and not called else None
    if variable is None:
        return None
    if called:
        return _of(Told(name, made=True), spot, names)
    meaning = names.meaning(spot.path, name)
    return names.of_module(meaning) if isinstance(meaning, Path) else _of(Told(name), spot, names)


def _of(variable: Told, spot: Spot, names: PythonNames) -> set[str] | None:
    first = variable.name.partition(".")[0]
    if not isinstance(told(first, spot), Unbound):
        return None
    owner = (names.made_by if variable.made else names.class_named)(spot.path, variable.name)
    # What Python's own classes have a model knows.
    return names.of_class(owner) if isinstance(owner, IndexedSymbol) else None


def _of_own_class(spot: Spot, names: PythonNames) -> set[str] | None:
    here = names.symbols_in(spot.path)
    owners = [s for s in here if s.kind in CLASS_KINDS and s.dotted == spot.own_class]
    return names.of_class(owners[0]) if len(owners) == 1 else None


def _asked_of(name: str, spot: Spot) -> Iterator[str]:
    """The members that the document names of what is called so, but for the one that is being written."""
    text = spot.snapshot.text
    for called in _OWN if name in _OWN else (name,):
        dotted, at = f"{called}.", 0
        # A regular expression for each name takes longer than all the rest.
        while (at := text.find(dotted, at)) >= 0:
            found = _WORD.match(text, at + len(dotted))
            if found and found.end() != spot.offset and not (at and is_part(text[at - 1])):
                yield found.group()
            at += len(dotted)
