"""The definitions of what the code at a cursor uses, or is likely to use next."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from lsp_server.context.candidates import Candidate, Kind, Sources
from lsp_server.context.definitions import CLASS_KINDS, MOST_DEFINITIONS, MOST_IMPORTED, Definitions
from lsp_server.context.index.types import IndexedSymbol
from lsp_server.context.receiver import receiver_at
from lsp_server.context.spot import Spot
from lsp_server.context.symbols import as_symbol
from lsp_server.context.usage import Use, uses
from lsp_server.syntax.names import names_in

# Names so common that a definition of one in another file is hardly ever the one that is meant.
_COMMON = """
    add all any append apply args body build call check clear close code content context copy count create data date
    default delete description dict end enter error exit extend file filter find first format from get group handle id
    index init insert int item items join key keys kwargs last len length line list load main map match max message
    min name new next node none number object open options order parse path pop print push put query read remove
    render replace request reset response result run save search self send set setup size sort split start state
    status stop str strip test text this time title token tostring type update url user value values version write
"""
_COMMON_NAMES = frozenset(_COMMON.split())
# There a bare name of another file has to be imported.
_IMPORTS_NAMES = {"python", "javascript", "javascriptreact", "typescript", "typescriptreact"}
_CONSTRUCTORS = {"__init__", "__new__", "constructor", "new", "initialize", "__construct"}

# How much a definition counts, by where it is. The second figure: of more than so many it is none.
_OWN_FILE = 1.0
_IMPORTED = (0.9, 4)
_SAME_FOLDER = (0.6, 3)
_ELSEWHERE = (0.45, 2)
# What a file imports by name it is going to use; of a module that it imports whole, only a part.
_IMPORTED_NAME = 0.45
_OF_A_MODULE = 0.4
# What was imported by name and is nowhere used yet was imported to be used next, unless a file only passes names on.
_UNUSED = 0.95
_MOST_WAITING = 6
# To look through a long file for one takes a tenth of a millisecond.
_MOST_LOOKED_FOR = 60
# What is behind the dot at the cursor; of a long list the first ones more than the last.
_RECEIVER = 0.95
_RECEIVERS_BASE = 0.9
_LESS_WITH_EACH = 0.004
_LEAST_OF_RECEIVER = 0.6
_SAME_CLASS = 0.6
_HEADER = 0.75
# What one needs to know of a definition's own types.
_SECOND_HOP = 0.6
_LEAST_FOLLOWED = 0.4
_MOST_FOLLOWED = 16
_USED = "used here"
_MOST_NAMES = 30
_MOST_UNUSED = 12
# A class that hardly helps is not shown in detail, and many classes are none.
_MEMBERS_FROM = 0.3
_MOST_CLASSES = 8
# Members of one class beyond these are the tail of a long list.
_FIRST_MEMBERS = 20
_WORD = re.compile(r"[^\W\d]\w{2,}")


def used_symbols(spot: Spot, sources: Sources) -> list[Candidate]:
    """The symbols that may help at a spot, each once, of other files and of what its window does not show."""
    search = _Search(spot, sources)
    search.named()
    search.of_modules()
    search.of_the_same_class()
    search.members()
    search.mentioned()
    search.members()
    search.of_the_receiver()
    return list(search.found.values())


class _Search:
    """One search; ``found`` is what it has come upon, by file and place."""

    def __init__(self, spot: Spot, sources: Sources) -> None:
        self.found: dict[tuple[Path, int, str], Candidate] = {}
        self._spot = spot
        self._symbols = sources.symbols
        self._names = Definitions(spot, sources.symbols, sources.workspace)
        self._shown = spot.shown
        # Those whose members are still to be looked at, with their scores and reasons.
        self._classes: dict[IndexedSymbol, tuple[float, str]] = {}

    @cached_property
    def _used(self) -> dict[str, Use]:
        function = next(iter(self._spot.functions), None)
        used = uses(self._spot, (function.start, function.end) if function else None)
        # The base classes, and the types of the parameters, however far up they are.
        for scope in self._spot.around:
            for name in names_in(self._spot.snapshot, scope.signature_start, scope.signature_end):
                if name.text != scope.name:
                    weight = max(_HEADER, used[name.text].weight if name.text in used else 0)
                    used[name.text] = Use(weight, member=False)
        return used

    def named(self) -> None:
        """What the code names, with or without an import that says from where, and what is imported by name."""
        bound, here = self._names.bound, self._names.here
        unbound = (n for n in self._used if n not in bound and len(n) > 2 and n.lower() not in _COMMON_NAMES)
        free = list(islice(unbound, _MOST_NAMES))
        waiting = self._waiting()
        # What only Python itself asks for is never written.
        wanted = [name for name in here if not name.startswith("__")]
        used = [name for name in wanted if here[name] in self._used]
        unused = [name for name in wanted if here[name] not in self._used]
        unused.sort(key=lambda name: here[name] not in waiting)
        imported = [*used, *unused[:_MOST_UNUSED]]
        # To read a file's whole list of symbols takes longer than to find many of a name.
        exported = self._symbols.definitions(imported, limit=MOST_IMPORTED)
        found = self._symbols.definitions(free, limit=MOST_DEFINITIONS)
        for name in imported:
            use = self._used.get(here[name])
            for symbol in self._names.exported(name, exported.get(name, ())):
                if use:
                    self._add(symbol, use.weight, _USED)
                elif here[name] in waiting:
                    self._add(symbol, _UNUSED, "imported, and not used yet")
                else:
                    self._add(symbol, _IMPORTED_NAME, "imported")
        for name in free:
            for symbol, affinity in self._meant(found.get(name, ()), self._used[name]):
                self._add(symbol, self._used[name].weight * affinity, _USED)

    def _waiting(self) -> set[str]:
        """The names that the file has imported and nowhere used; none where there are many."""
        text = self._spot.snapshot.text
        found: set[str] = set()
        for name in islice(self._names.here.values(), _MOST_LOOKED_FOR):
            # A name that stands within others is taken for used.
            if name not in self._used and text.find(name, text.find(name) + 1) < 0:
                found.add(name)
                if len(found) > _MOST_WAITING:
                    return set()
        return found

    def of_modules(self) -> None:
        """What modules offer that are imported whole, if the code names them."""
        for target, here in self._names.modules.items():
            if use := self._used.get(here):
                for symbol in self._symbols.symbols_in(target):
                    if not symbol.container and not symbol.name.startswith("_"):
                        self._add(symbol, use.weight * _OF_A_MODULE, "imported")

    def of_the_same_class(self) -> None:
        """The members of the class around the cursor."""
        for symbol in self._symbols.members(self._spot.own_class, self._spot.path) if self._spot.own_class else ():
            self._add(symbol, _SAME_CLASS, "same class")

    def members(self) -> None:
        """What the best of the classes that were found consist of."""
        classes = sorted(self._classes.items(), key=lambda item: -item[1][0])
        for owner, (score, reason) in classes[:_MOST_CLASSES]:
            self._add_members(owner, score, reason)
        self._classes.clear()

    def mentioned(self) -> None:
        """The types in the signatures of what was found."""
        weights: dict[str, tuple[float, Path]] = {}
        for found in list(self.found.values()):
            if found.symbol and found.score > _LEAST_FOLLOWED and found.symbol.kind not in CLASS_KINDS:
                for word in _WORD.findall(found.symbol.signature):
                    known = word in self._used or word in self._names.bound
                    if not known and found.score > weights.get(word, (0, found.path))[0]:
                        weights[word] = found.score, found.path
        names = sorted(weights, key=lambda word: (not word[:1].isupper(), -weights[word][0], word))[:_MOST_FOLLOWED]
        for name, symbols in self._symbols.definitions(names).items():
            score, path = weights[name]
            types = [s for s in symbols if s.kind in CLASS_KINDS and self._names.usable(s)]
            beside = [s for s in types if s.path == path]
            if meant := beside or (types if len(types) == 1 else []):
                self._add(meant[0], score * _SECOND_HOP, "type of what is used")

    def of_the_receiver(self) -> None:
        """What may come behind the dot at the cursor."""
        receiver = receiver_at(self._spot)
        if receiver is None:
            return
        reason = f"of `{receiver.name}`"
        offered = self._names.offered(receiver.name)
        if offered is not None:
            self._add_listed(offered, _RECEIVER, reason)
            return
        own_class = self._spot.own_class if receiver.is_own else None
        names = [own_class.split(".")[-1]] if own_class else receiver.types
        owner = next((found for name in names if (found := self._names.type_named(name))), None)
        for number, found in enumerate(self._names.with_bases(owner) if owner else ()):
            self._add_listed(self._names.members(found), _RECEIVERS_BASE if number else _RECEIVER, reason)

    def _add_listed(self, symbols: Iterable[IndexedSymbol], score: float, reason: str) -> None:
        public = (s for s in symbols if not s.name.startswith(("_", "#")) and s.name not in _CONSTRUCTORS)
        for number, symbol in enumerate(public):
            self._add(symbol, max(score - _LESS_WITH_EACH * number, _LEAST_OF_RECEIVER), reason)

    def _meant(self, symbols: Iterable[IndexedSymbol], use: Use) -> list[tuple[IndexedSymbol, float]]:
        """The symbols that a name may mean, with how likely that is; none if it may mean too many."""
        symbols = [s for s in symbols if self._names.usable(s)]
        if use.owner and (found := self._names.offered(use.owner)) is not None:
            offered = {(s.path, s.start) for s in found}
            return [(s, _IMPORTED[0]) for s in symbols if (s.path, s.start) in offered]
        own = [
            s
            for s in symbols
            if s.path == self._spot.path and (use.member or s.container in (None, self._spot.own_class))
        ]
        if own:
            return [(s, _OWN_FILE) for s in own[: _IMPORTED[1]]]
        language = self._spot.snapshot.language
        if language and language.id in _IMPORTS_NAMES and not use.member:
            # Without an import by name only `from module import *` has it.
            symbols = [s for s in symbols if "*" in self._names.targets.get(s.path, ())]
        folder = self._spot.path.parent
        tiers = (
            ([s for s in symbols if s.path in self._names.targets], _IMPORTED),
            ([s for s in symbols if s.path.parent == folder and bool(s.container) == use.member], _SAME_FOLDER),
            ([s for s in symbols if bool(s.container) == use.member], _ELSEWHERE),
        )
        for found, (affinity, most) in tiers:
            if found:
                return [(s, affinity) for s in found] if len(found) <= most else []
        return []

    def _add(self, symbol: IndexedSymbol, score: float, reason: str) -> None:
        if symbol.path == self._spot.path and symbol.start < self._shown[1] and symbol.end > self._shown[0]:
            # The window shows it, or where it begins; what it holds beyond that may still be of use.
            if symbol.kind not in CLASS_KINDS:
                return
        else:
            self._keep(symbol, score, reason)
        if symbol.kind in CLASS_KINDS and score > self._classes.get(symbol, (_MEMBERS_FROM, ""))[0]:
            self._classes[symbol] = score, reason

    def _add_members(self, owner: IndexedSymbol, score: float, reason: str) -> None:
        for number, member in enumerate(self._names.members(owner)):
            use = self._used.get(member.name)
            if use and use.member:
                # Of a class that is not used itself, the name is more likely another's.
                own = reason == _USED and member.name not in _COMMON_NAMES
                share = 0.95 * (max(score, use.weight) if own else score)
            elif member.name in _CONSTRUCTORS or member.name == owner.name:
                share = score * 0.9
            elif member.name.startswith(("_", "#")):
                share = score * 0.25
            else:
                share = score * (0.7 if number < _FIRST_MEMBERS else 0.3)
            self._add(member, share, reason)

    def _keep(self, symbol: IndexedSymbol, score: float, reason: str) -> None:
        key = symbol.path, symbol.start, symbol.name
        known = self.found.get(key)
        if known is None:
            self.found[key] = Candidate(
                Kind.DEFINITION, symbol.path, symbol.start, symbol.end, reason, score, as_symbol(symbol)
            )
        elif score > known.score:
            self.found[key] = replace(known, score=score, reason=reason)
