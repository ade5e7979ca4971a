"""What some statements of a Python function take from the others and leave to them: Python's own tree says it."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from lsp_server.syntax.python_bindings import (
    FUNCTIONS,
    LOOPS,
    TRIES,
    Names,
    arguments,
    declared_elsewhere,
    definitely_stored,
    names_of,
    read_first,
    walk,
)
from lsp_server.syntax.python_tree import tree_of


@dataclass(frozen=True, slots=True)
class Flow:
    """Some statements of a function.

    Attributes:
        inputs: local names that they need, in the order of the function's.
        outputs: local names that are needed after them.
        returns: whether they end with the function's own ``return``.
        waits: whether something in them is awaited.
        hindrance: why they cannot be a function of their own, as the end of a sentence; empty if they can.
    """

    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    returns: bool = False
    waits: bool = False
    hindrance: str = ""


def flow(source: str, function_line: int, first_line: int, last_line: int) -> Flow | None:
    """The flow of the statements that fill some lines of a function's body.

    Args:
        source: the whole file.
        function_line: 1-based, where the function's ``def`` stands; the lines likewise.

    None if the text is not Python, or the lines are no whole statements of one block.
    """
    tree = tree_of(source)
    if tree is None:
        return None
    function = next((n for n in ast.walk(tree) if isinstance(n, FUNCTIONS) and n.lineno == function_line), None)
    place = _place(function, first_line, last_line) if function else None
    return _flow(function, place) if function and place else None


@dataclass
class _Place:
    """Statements of one block; the loops and the ``try`` that are around them; names that have a value before them."""

    chosen: list[ast.stmt]
    around: list[ast.AST]
    sure: set[str]


def _place(function: ast.AST, first_line: int, last_line: int) -> _Place | None:
    place = _Place([], [], set(arguments(function)))
    body: list[ast.stmt] = list(getattr(function, "body", []))
    while True:
        touched = [s for s in body if s.lineno <= last_line and (s.end_lineno or s.lineno) >= first_line]
        place.chosen = [s for s in touched if first_line <= s.lineno and (s.end_lineno or s.lineno) <= last_line]
        place.sure |= definitely_stored(body[: body.index(touched[0])]) if touched else set()
        if place.chosen:
            return place if place.chosen == touched else None
        if len(touched) != 1 or isinstance(touched[0], (*FUNCTIONS, ast.ClassDef)):
            return None
        around = touched[0]
        parts = [part for name in ("body", "orelse", "finalbody") if (part := getattr(around, name, None))]
        parts += [handler.body for handler in getattr(around, "handlers", [])]
        parts += [case.body for case in getattr(around, "cases", [])]
        holding = [p for p in parts if p[0].lineno <= first_line and (p[-1].end_lineno or 0) >= last_line]
        if not holding:
            return None
        body = list(holding[0])
        for part in (*getattr(around, "handlers", []), *getattr(around, "cases", [])):
            if part.body is holding[0]:
                named = getattr(part, "pattern", None)
                place.sure |= set(names_of([named]).stored) if named else {part.name} if part.name else set()
        if body == getattr(around, "body", None):
            if isinstance(around, (*LOOPS, *TRIES)):
                place.around.append(around)
            bound = [getattr(around, "target", None), *getattr(around, "items", [])]
            place.sure |= set(names_of([one for one in bound if one is not None]).stored)


def _flow(function: ast.AST, place: _Place) -> Flow:
    chosen = place.chosen
    if hindrance := _hindrance(chosen):
        return Flow(hindrance=hindrance)
    loops = [n for n in place.around if isinstance(n, LOOPS)]
    inner, early_read = names_of(chosen), read_first(chosen)
    first, last = chosen[0].lineno, chosen[-1].end_lineno or chosen[-1].lineno
    every = names_of(getattr(function, "body", []))
    local = {*arguments(function), *every.stored} - declared_elsewhere(function)
    if shared := sorted((inner.stored.keys() | inner.changed) & declared_elsewhere(function)):
        return Flow(hindrance=f"{shared[0]} is a name of elsewhere")
    if bound := _bound_otherwise(function, place, inner, local):
        return Flow(hindrance=bound)
    outside = names_of([s for s in ast.walk(function) if isinstance(s, ast.stmt)], skip=(first, last), after=last)
    needed = outside.read | outside.changed
    if loops:
        # In the next turn of the loop what was stored is there.
        around = names_of([loops[0]], skip=(first, last))
        needed |= around.read | around.changed | early_read
    outputs = [name for name in every.stored if name in inner.stored and name in needed and name in local]
    # What may be left as it was has to be known to be given back.
    wanted = (early_read | (set(outputs) - definitely_stored(chosen))) & local
    if unsure := sorted(wanted - place.sure):
        return Flow(hindrance=f"{unsure[0]} may have no value there")
    if outputs and any(isinstance(n, TRIES) for n in place.around):
        return Flow(hindrance=f"{outputs[0]} would be lost if it fails")
    returns = isinstance(chosen[-1], ast.Return)
    if returns and outputs:
        return Flow(hindrance="it returns, and is gone on from")
    order = dict.fromkeys([*arguments(function), *every.stored])
    inputs = tuple(name for name in order if name in wanted)
    return Flow(inputs, tuple(outputs), returns, any(_waits(n) for n in walk(chosen)))


def _waits(node: ast.AST) -> bool:
    return isinstance(node, ast.Await) or (isinstance(node, ast.comprehension) and bool(node.is_async))


def _bound_otherwise(function: ast.AST, place: _Place, inner: Names, local: set[str]) -> str:
    """Why a function inside would see another variable afterwards: each name of it is one in a function around it."""
    used = {*inner.read, *inner.stored, *inner.changed}
    nested = [n for n in ast.walk(function) if isinstance(n, (*FUNCTIONS, ast.Lambda)) and n is not function]
    shared = {name for n in nested if not isinstance(n, ast.Lambda) for name in declared_elsewhere(n)} & used
    if shared:
        return f"{min(shared)} is given a value by a function inside"
    first, last = place.chosen[0].lineno, place.chosen[-1].end_lineno or place.chosen[-1].lineno
    # What is evaluated later sees what a name is by then.
    later = [n for s in place.chosen for n in ast.walk(s) if isinstance(n, (*FUNCTIONS, ast.Lambda, ast.GeneratorExp))]
    read = {n.id for one in later for n in ast.walk(one) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    looped = any(isinstance(n, LOOPS) for n in place.around)
    stored = {
        n.id
        for n in ast.walk(function)
        if isinstance(n, ast.Name)
        and isinstance(n.ctx, ast.Store)
        and (n.lineno > last or (looped and n.lineno < first))
    }
    moved = read & stored & local - set(inner.stored)
    return f"{min(moved)} is looked at later, and is another by then" if moved else ""


def _hindrance(chosen: list[ast.stmt]) -> str:
    for node in walk(chosen):
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return "it yields"
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            return "it declares a name of elsewhere"
        if isinstance(node, ast.Return) and node is not chosen[-1]:
            return "it may return before its end"
        if isinstance(node, (ast.AsyncFor, ast.AsyncWith)):
            return "it waits in a loop or a context"
    inside = [n for loop in walk(chosen) if isinstance(loop, LOOPS) for n in ast.walk(loop)]
    leaving = (n for n in walk(chosen) if isinstance(n, (ast.Break, ast.Continue)) and n not in inside)
    return "it leaves a loop that is around it" if next(leaving, None) else ""
