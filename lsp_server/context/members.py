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


class Members:
    """All that may stand behind dots at one spot; empty where nobody can tell."""

    def __init__(self, spot: Spot, sources: Sources) -> None:
        language = spot.snapshot.language
        self._tells = language is not None and language.id == "python" and spot.path.is_absolute()
        self._spot = spot
        self._symbols = sources.symbols
        self._names = PythonNames(sources.symbols, sources.texts(spot))
        self._told: dict[str, Told | Unbound | None] = {}

    def at_cursor(self) -> tuple[str, ...]:
        """The names that may be written at the cursor; none where it is behind no dot."""
        spot, lines = self._spot, self._spot.snapshot.lines
        line = spot.snapshot.text[lines.line_start(lines.line_of(spot.offset)) : spot.offset]
        found = _RECEIVER.search(line) if len(line) <= LONGEST_LINE and self._tells else None
        if found is None or _IMPORT.match(line) or region_at(spot.snapshot, spot.offset) is not Region.CODE:
            return ()
        if found["name"] in _OWN and (_TARGETS.fullmatch(line) or _GETS.search(line)):
            return ()
        return self._of_receiver(found["name"], called=bool(found["called"]))

    def around(self) -> tuple[KnownNames, ...]:
        """The names behind dots in what is written at the cursor, for what its function and class know."""
        if not self._tells:
            return ()
        spot = self._spot
        function = next(iter(spot.functions), None)
        start = max(function.start if function else 0, spot.offset - MOST_LOOKED_AT)
        text = spot.snapshot.text
        near = dict.fromkeys(_WORD.findall(text, start, spot.offset))
        imported = {
            name
            for found in self._symbols.imports_of(spot.path)
            if found.target
            for name in (*found.names, *_file_names(found.target), *(here for _, here in found.aliases))
        }
        signature = _WORD.findall(text, function.signature_start, function.signature_end) if function else []
        declared = (found["name"] for found in _DECLARED.finditer(text, start, spot.offset))
        wanted = dict.fromkeys((*declared, *signature, *(name for name in near if name in imported)))
        found = []
        for name in ("self", "cls"):
            if spot.own_class and (own := self._of_receiver(name)):
                found += [KnownNames(one, own, may_be_new=True) for one in (name, "super")]
        for name in list(wanted)[: 3 * _MOST_RECEIVERS]:
            if name not in _OWN and len(found) < _MOST_RECEIVERS and (those := self._of_receiver(name)):
                found.append(KnownNames(name, those))
        return tuple(found)

    def _of_receiver(self, name: str, *, called: bool = False) -> tuple[str, ...]:
        found = self._told_names(name, called=called)
        if not found:
            return ()
        # Not all that an object gets can be seen.
        found = {*found, *_asked_of(name, self._spot), *_ALWAYS}
        return () if len(found) > _MOST_NAMES or max(map(len, found)) > _LONGEST_NAME else tuple(sorted(found))

    def _told_names(self, name: str, *, called: bool) -> set[str] | None:
        spot = self._spot
        first, _, rest = name.partition(".")
        if first in _OWN:
            # An object that is called makes something else.
            own = (is_own("self", spot) or is_own("cls", spot)) if first == "super" else is_own(first, spot)
            if not own or (called and first == "self"):
                return None
            if not rest:
                return self._of_own_class()
            attribute = own_attribute(rest, spot) if first == "self" and "." not in rest and not called else None
            return self._of_type(attribute) if attribute else None
        variable = self._variable(first)
        if isinstance(variable, Told):
            return self._of_type(variable) if not rest and not called else None
        if variable is None:
            return None
        if called:
            return self._of_type(Told(name, made=True))
        meaning = self._names.meaning(spot.path, name)
        return self._names.of_module(meaning) if isinstance(meaning, Path) else self._of_type(Told(name))

    def _of_type(self, variable: Told) -> set[str] | None:
        if not isinstance(self._variable(variable.name.partition(".")[0]), Unbound):
            return None
        find = self._names.made_by if variable.made else self._names.class_named
        owner = find(self._spot.path, variable.name)
        # What Python's own classes have a model knows.
        return self._names.of_class(owner) if isinstance(owner, IndexedSymbol) else None

    def _of_own_class(self) -> set[str] | None:
        here = self._names.symbols_in(self._spot.path)
        owners = [s for s in here if s.kind in CLASS_KINDS and s.dotted == self._spot.own_class]
        return self._names.of_class(owners[0]) if len(owners) == 1 else None

    def _variable(self, name: str) -> Told | Unbound | None:
        if name not in self._told:
            self._told[name] = told(name, self._spot)
        return self._told[name]


def _file_names(path: Path) -> tuple[str, str]:
    return path.stem, path.parent.name


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
