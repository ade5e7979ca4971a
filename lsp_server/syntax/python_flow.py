"""What some statements of a Python function take from the others and leave to them: Python's own tree says it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_Function = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)


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


@dataclass
class _Names:
    """Names by what is done with them; nested functions only read, and comprehensions keep theirs."""

    read: set[str] = field(default_factory=set)
    stored: dict[str, int] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


def flow(source: str, function_line: int, first_line: int, last_line: int) -> Flow | None:
    """The flow of the statements that fill some lines of a function's body.

    Args:
        source: the whole file.
        function_line: 1-based, where the function's ``def`` stands; the lines likewise.

    None if the text is not Python, or the lines are no whole statements of one block.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    function = next((n for n in ast.walk(tree) if isinstance(n, _Function) and n.lineno == function_line), None)
    place = _place(function, first_line, last_line) if function else None
    return _flow(function, place) if function and place else None


@dataclass
class _Place:
    """Statements of one block; the loops and the ``try`` that are around them; names that have a value before them."""

    chosen: list[ast.stmt]
    around: list[ast.AST]
    sure: set[str]


def _place(function: ast.AST, first_line: int, last_line: int) -> _Place | None:
    place = _Place([], [], set(_arguments(function)))
    body: list[ast.stmt] = list(getattr(function, "body", []))
    while True:
        touched = [s for s in body if s.lineno <= last_line and (s.end_lineno or s.lineno) >= first_line]
        place.chosen = [s for s in touched if first_line <= s.lineno and (s.end_lineno or s.lineno) <= last_line]
        place.sure |= _definitely_stored(body[: body.index(touched[0])]) if touched else set()
        if place.chosen:
            return place if place.chosen == touched else None
        if len(touched) != 1 or isinstance(touched[0], (*_Function, ast.ClassDef)):
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
                place.sure |= set(_names([named]).stored) if named else {part.name} if part.name else set()
        if body == getattr(around, "body", None):
            if isinstance(around, (*_LOOPS, ast.Try)):
                place.around.append(around)
            bound = [getattr(around, "target", None), *getattr(around, "items", [])]
            place.sure |= set(_names([one for one in bound if one is not None]).stored)


def _flow(function: ast.AST, place: _Place) -> Flow:
    chosen = place.chosen
    if hindrance := _hindrance(chosen):
        return Flow(hindrance=hindrance)
    loops = [n for n in place.around if isinstance(n, _LOOPS)]
    inner, early_read = _names(chosen), _read_first(chosen)
    first, last = chosen[0].lineno, chosen[-1].end_lineno or chosen[-1].lineno
    every = _names(getattr(function, "body", []))
    local = {*_arguments(function), *every.stored} - _declared(function)
    if shared := sorted((inner.stored.keys() | inner.changed) & _declared(function)):
        return Flow(hindrance=f"{shared[0]} is a name of elsewhere")
    if bound := _bound_otherwise(function, place, inner, local):
        return Flow(hindrance=bound)
    outside = _names([s for s in ast.walk(function) if isinstance(s, ast.stmt)], skip=(first, last), after=last)
    needed = outside.read | outside.changed
    if loops:
        # In the next turn of the loop what was stored is there.
        around = _names([loops[0]], skip=(first, last))
        needed |= around.read | around.changed | early_read
    outputs = [name for name in every.stored if name in inner.stored and name in needed and name in local]
    # What may be left as it was has to be known to be given back.
    wanted = (early_read | (set(outputs) - _definitely_stored(chosen))) & local
    if unsure := sorted(wanted - place.sure):
        return Flow(hindrance=f"{unsure[0]} may have no value there")
    if outputs and any(isinstance(n, ast.Try) for n in place.around):
        return Flow(hindrance=f"{outputs[0]} would be lost if it fails")
    returns = isinstance(chosen[-1], ast.Return)
    if returns and outputs:
        return Flow(hindrance="it returns, and is gone on from")
    order = dict.fromkeys([*_arguments(function), *every.stored])
    inputs = tuple(name for name in order if name in wanted)
    return Flow(inputs, tuple(outputs), returns, any(_waits(n) for n in _walk(chosen)))


def _waits(node: ast.AST) -> bool:
    return isinstance(node, ast.Await) or (isinstance(node, ast.comprehension) and bool(node.is_async))


def _bound_otherwise(function: ast.AST, place: _Place, inner: _Names, local: set[str]) -> str:
    """Why a function inside would see another variable afterwards: each name of it is one in a function around it."""
    used = {*inner.read, *inner.stored, *inner.changed}
    nested = [n for n in ast.walk(function) if isinstance(n, (*_Function, ast.Lambda)) and n is not function]
    shared = {name for n in nested if not isinstance(n, ast.Lambda) for name in _declared(n)} & used
    if shared:
        return f"{min(shared)} is given a value by a function inside"
    first, last = place.chosen[0].lineno, place.chosen[-1].end_lineno or place.chosen[-1].lineno
    # What is evaluated later sees what a name is by then.
    later = [n for s in place.chosen for n in ast.walk(s) if isinstance(n, (*_Function, ast.Lambda, ast.GeneratorExp))]
    read = {n.id for one in later for n in ast.walk(one) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    looped = any(isinstance(n, _LOOPS) for n in place.around)
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
    for node in _walk(chosen):
        if isinstance(node, (ast.Yield, ast.YieldFrom)):
            return "it yields"
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            return "it declares a name of elsewhere"
        if isinstance(node, ast.Return) and node is not chosen[-1]:
            return "it may return before its end"
        if isinstance(node, (ast.AsyncFor, ast.AsyncWith)):
            return "it waits in a loop or a context"
    inside = [n for loop in _walk(chosen) if isinstance(loop, _LOOPS) for n in ast.walk(loop)]
    leaving = (n for n in _walk(chosen) if isinstance(n, (ast.Break, ast.Continue)) and n not in inside)
    return "it leaves a loop that is around it" if next(leaving, None) else ""


def _walk(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes but those of functions and classes inside."""
    pending: list[ast.AST] = list(statements)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*_Function, ast.ClassDef, ast.Lambda)):
            pending += ast.iter_child_nodes(node)


def _arguments(function: ast.AST) -> list[str]:
    given: ast.arguments = function.args  # type: ignore[attr-defined]
    every = [*given.posonlyargs, *given.args, *([given.vararg] if given.vararg else []), *given.kwonlyargs]
    return [one.arg for one in [*every, *([given.kwarg] if given.kwarg else [])]]


def _declared(function: ast.AST) -> set[str]:
    found = (n for n in _walk(getattr(function, "body", [])) if isinstance(n, (ast.Global, ast.Nonlocal)))
    return {name for node in found for name in node.names}


def _names(statements: Iterable[ast.AST], *, skip: tuple[int, int] | None = None, after: int = 0) -> _Names:
    """The names of some statements; without lines that are skipped, and of reads only those after a line."""
    found = _Names()

    def visit(node: ast.AST, own: frozenset[str]) -> None:
        line = getattr(node, "lineno", None)
        if line is not None and skip and skip[0] <= line <= skip[1] and isinstance(node, ast.stmt):
            return
        if isinstance(node, ast.Name) and node.id not in own:
            # To delete a name it has to be there.
            if not isinstance(node.ctx, ast.Store) and node.lineno > after:
                found.read.add(node.id)
            if not isinstance(node.ctx, ast.Load):
                found.stored[node.id] = min(node.lineno, found.stored.get(node.id, node.lineno))
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) and node.lineno > after:
            found.changed.add(node.target.id)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.stored.setdefault(node.name, node.lineno)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                found.stored.setdefault((alias.asname or alias.name).split(".")[0], node.lineno)
        elif isinstance(node, (*_Function, ast.ClassDef, ast.MatchAs, ast.MatchStar)) and node.name is not None:
            found.stored.setdefault(node.name, node.lineno)
        if isinstance(node, (*_Function, ast.Lambda)):
            inner = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            own = own | set(_arguments(node)) | inner
            # What a function reads from around it, it reads whenever it is called.
            for n in ast.walk(node):
                if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load) and n.id not in own:
                    found.read.add(n.id)
            return
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            # The first of what they go through is evaluated around them.
            visit(node.generators[0].iter, own)
            targets = (n for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name))
            own = own | {n.id for n in targets}
        for child in ast.iter_child_nodes(node):
            visit(child, own)

    for statement in statements:
        visit(statement, frozenset())
    return found


def _read_first(statements: Iterable[ast.AST], stored: Iterable[str] = ()) -> set[str]:
    """Names that may be read before the statements have given them a value; ``stored`` are those that have one."""
    found: set[str] = set()
    known = set(stored)
    for one in statements:
        for part, bound in _parts(one):
            if part is one:
                names = _names([one])
                found |= (names.read | names.changed) - known
            else:
                found |= _read_first([part], known | bound)
        known |= _definitely_stored([one])
    return found


def _parts(statement: ast.AST) -> Iterator[tuple[ast.AST, set[str]]]:
    """The parts of a statement that are evaluated one by one, each with the names that the statement has bound there.

    A simple statement is its own part.
    """
    if not isinstance(statement, (ast.If, *_LOOPS, ast.With, ast.AsyncWith, ast.Try, ast.Match, ast.match_case)):
        yield statement, set()
        return
    bound: set[str] = set()
    for name in ("test", "iter", "subject"):
        if head := getattr(statement, name, None):
            yield head, set()
    for item in getattr(statement, "items", []):
        yield item.context_expr, set(bound)
        bound |= set(_names([item]).stored)
    for name in ("target", "pattern"):
        if head := getattr(statement, name, None):
            bound |= set(_names([head]).stored)
    if guard := getattr(statement, "guard", None):
        yield guard, set(bound)
    for name in ("body", "orelse", "finalbody"):
        yield from _in_turn(getattr(statement, name, []), bound if name == "body" else set())
    for handler in getattr(statement, "handlers", []):
        if handler.type:
            yield handler.type, set()
        yield from _in_turn(handler.body, {handler.name} if handler.name else set())
    for case in getattr(statement, "cases", []):
        yield case, set()


def _in_turn(block: list[ast.stmt], bound: set[str]) -> Iterator[tuple[ast.AST, set[str]]]:
    done = set(bound)
    for one in block:
        yield one, set(done)
        done |= _definitely_stored([one])


def _definitely_stored(statements: Iterable[ast.AST]) -> set[str]:
    """Names that have a value whatever way the statements go."""
    found: set[str] = set()
    for one in statements:
        if isinstance(one, ast.If) and one.orelse:
            found |= _definitely_stored(one.body) & _definitely_stored(one.orelse)
        elif isinstance(one, (ast.With, ast.AsyncWith)):
            found |= set(_names(one.items).stored) | _definitely_stored(one.body)
        elif not isinstance(one, (ast.If, *_LOOPS, ast.Try, ast.Match)):
            found |= set(_names([one]).stored)
    return found
