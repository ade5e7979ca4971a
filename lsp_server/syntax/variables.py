"""The variables of a function, as far as they can be told by how names are written in all languages."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from lsp_server.syntax.names import Name, names_in
from lsp_server.syntax.scopes import FunctionScope
from lsp_server.syntax.snapshot import Snapshot

# What stands behind a name that is given a value, that something goes through, that is called, or that is a key.
_ASSIGNED = re.compile(r"\s*(?:,\s*[\w.]+\s*)*(?::=|(?::[^=\n{};()]{1,80})?=(?![=>~]))")
_LOOPED = re.compile(r"\s*(?:,\s*\w+\s*)*\s(?:in|of)\b")
_CALLED = re.compile(r"\s*\(")
_KEY = re.compile(r"\s*:(?![:=])")
# What stands before a part of something else, before a name that is declared, before one of an argument.
_OF_OTHERS = re.compile(r"(?:\.|->|::|@)\s*$")
_DECLARED = re.compile(
    r"\b(?:let|const|var|val|mut|auto|local|my|as|for|int|long|double|float|bool|boolean|[Ss]tring)\s+$"
)
_LISTED = re.compile(r"[(,]\s*$")
# `{ x, y }` makes a thing with parts of these names, and `f(x = 1)` gives the parameter of that name.
_PART = re.compile(r"[{,]\s*$"), re.compile(r"\s*[,}]")
_GIVEN = re.compile(r"\s*=(?!=)")
_OUTER = re.compile(r"\b(?:global|nonlocal)\b([^\n]*)")
# What is written before a name and is no part of it.
SIGILS = "*&$.@"
_LOOK_BACK = 40


@dataclass(frozen=True, slots=True)
class Variables:
    """Names without their sigils.

    Attributes:
        bound: the parameters and variables, in order, each with the offset from where on it is bound.
        parameters: those that are parameters.
        uses: where one is read, in order: not given a value, not called, not a key.
        places: where each stands by itself, in whatever way.
    """

    bound: dict[str, int]
    parameters: frozenset[str]
    uses: tuple[Name, ...]
    places: dict[str, tuple[int, ...]]


def variables(snapshot: Snapshot, function: FunctionScope) -> Variables:
    """The variables of a function's body."""
    text, python = snapshot.text, snapshot.language_id == "python"
    parameters = [parameter.name.strip(SIGILS) for parameter in function.parameters]
    bound = dict.fromkeys(parameters, function.start)
    uses: list[Name] = []
    places: dict[str, list[int]] = {}
    for name in names_in(snapshot, function.body_start, function.body_end):
        bare = name.text.lstrip(SIGILS)
        start, end = name.start + len(name.text) - len(bare), name.start + len(name.text)
        before = text[max(name.start - _LOOK_BACK, 0) : name.start]
        if _OF_OTHERS.search(before):
            continue
        if _LISTED.search(before) and text.startswith("=", end) and not text.startswith("==", end):
            # The name of somebody else's parameter.
            continue
        places.setdefault(bare, []).append(start)
        if _ASSIGNED.match(text, end) or _LOOPED.match(text, end) or _DECLARED.search(before):
            bound.setdefault(bare, start)
        elif not _CALLED.match(text, end) and (python or not _KEY.match(text, end)):
            uses.append(Name(bare, start))
    return Variables(bound, frozenset(parameters), tuple(uses), {name: tuple(at) for name, at in places.items()})


def renameable(snapshot: Snapshot, function: FunctionScope) -> dict[str, tuple[int, ...]]:
    """The variables that can be called otherwise without anybody noticing, with all places where they stand.

    Parameters belong to the callers. A name that also stands in a string, in a comment, as a key, as part of something
    else or outside of the body is left out, since it may mean something there.
    """
    found = variables(snapshot, function)
    text = snapshot.text[function.start : function.end]
    written = Counter(re.findall(r"\w+", text))
    outer = {word for names in _OUTER.findall(text) for word in re.findall(r"\w+", names)}
    return {
        name: found.places[name]
        for name in found.bound
        if name in found.places
        and name not in found.parameters | outer
        and len(found.places[name]) == written[name]
        and not any(_means_more(snapshot, at, at + len(name)) for at in found.places[name])
    }


def _means_more(snapshot: Snapshot, start: int, end: int) -> bool:
    """Whether a name may be that of something's part or parameter as well."""
    before = snapshot.text[max(start - _LOOK_BACK, 0) : start]
    if _LISTED.search(before) and _GIVEN.match(snapshot.text, end):
        return True
    part = _PART[0].search(before) and _PART[1].match(snapshot.text, end)
    return snapshot.language_id != "python" and bool(part or _KEY.match(snapshot.text, end))
