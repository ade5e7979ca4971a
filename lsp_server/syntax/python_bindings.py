"""What Python statements do with names: which they read, which they give a value, and which of them surely.

Internal to the package; `python_flow` says what follows from it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.For, ast.AsyncFor, ast.While)
# `try` with `except*`, which Python 3.10 does not have, is a kind of node of its own.
TRIES = (ast.Try, getattr(ast, "TryStar", ast.Try))


@dataclass
class Names:
    """Names by what is done with them; nested functions only read, and comprehensions keep theirs.

    Attributes:
        read: also those that are deleted.
        stored: those that are given a value, each with the first line where that is done.
        changed: those that are given a value made of their own, as by ``+=``.
    """

    read: set[str] = field(default_factory=set)
    stored: dict[str, int] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)


def walk(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes but those of functions and classes inside."""
    pending: list[ast.AST] = list(statements)
    while pending:
        node = pending.pop()
        yield node
        if not isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Lambda)):
            pending += ast.iter_child_nodes(node)


def arguments(function: ast.AST) -> list[str]:
    """The parameters of a function, in order."""
    given: ast.arguments = function.args  # type: ignore[attr-defined]
    every = [*given.posonlyargs, *given.args, *([given.vararg] if given.vararg else []), *given.kwonlyargs]
    return [one.arg for one in [*every, *([given.kwarg] if given.kwarg else [])]]


def declared_elsewhere(function: ast.AST) -> set[str]:
    """The names that a function declares ``global`` or ``nonlocal``."""
    found = (n for n in walk(getattr(function, "body", [])) if isinstance(n, (ast.Global, ast.Nonlocal)))
    return {name for node in found for name in node.names}


def names_of(statements: Iterable[ast.AST], *, skip: tuple[int, int] | None = None, after: int = 0) -> Names:
    """The names of some statements; without lines that are skipped, and of reads only those after a line."""
    found = Names()

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
        elif isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.MatchAs, ast.MatchStar)) and node.name is not None:
            found.stored.setdefault(node.name, node.lineno)
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            inner = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            own = own | set(arguments(node)) | inner
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


def read_first(statements: Iterable[ast.AST], stored: Iterable[str] = ()) -> set[str]:
    """Names that may be read before the statements have given them a value; ``stored`` are those that have one."""
    found: set[str] = set()
    known = set(stored)
    for one in statements:
        for part, bound in _parts(one):
            if part is one:
                names = names_of([one])
                found |= (names.read | names.changed) - known
            else:
                found |= read_first([part], known | bound)
        known |= definitely_stored([one])
    return found


def definitely_stored(statements: Iterable[ast.AST]) -> set[str]:
    """Names that have a value whatever way the statements go."""
    found: set[str] = set()
    for one in statements:
        if isinstance(one, ast.If) and one.orelse:
            found |= definitely_stored(one.body) & definitely_stored(one.orelse)
        elif isinstance(one, (ast.With, ast.AsyncWith)):
            found |= set(names_of(one.items).stored) | definitely_stored(one.body)
        elif not isinstance(one, (ast.If, *LOOPS, *TRIES, ast.Match)):
            found |= set(names_of([one]).stored)
    return found


def _parts(statement: ast.AST) -> Iterator[tuple[ast.AST, set[str]]]:
    """The parts of a statement that are evaluated one by one, each with the names that the statement has bound there.

    A simple statement is its own part.
    """
    if not isinstance(statement, (ast.If, *LOOPS, ast.With, ast.AsyncWith, *TRIES, ast.Match, ast.match_case)):
        yield statement, set()
        return
    bound: set[str] = set()
    for name in ("test", "iter", "subject"):
        if head := getattr(statement, name, None):
            yield head, set()
    for item in getattr(statement, "items", []):
        yield item.context_expr, set(bound)
        bound |= set(names_of([item]).stored)
    for name in ("target", "pattern"):
        if head := getattr(statement, name, None):
            bound |= set(names_of([head]).stored)
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
        done |= definitely_stored([one])
