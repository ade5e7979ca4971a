"""Functions and classes as values: what a cursor is in, and where its parts are."""

from __future__ import annotations

from dataclasses import dataclass

from lsp_server.syntax.definitions import (
    FUNCTION,
    Definition,
    Definitions,
    body,
    definitions,
    holds,
    names,
    signature_end,
)
from lsp_server.syntax.queries import Match
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.surroundings import Span
from lsp_server.text.edits import indent_unit


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter as it is written; ``name`` keeps its stars or dots (``*args``, ``...rest``)."""

    name: str
    annotation: str | None = None
    default: str | None = None


@dataclass(frozen=True, slots=True)
class ClassScope:
    """A class or what else holds methods.

    Attributes:
        name: without generic parameters.
        kind: class, interface, struct, enum, trait, impl, module or object.
        start, end: the whole definition with decorators, attributes, ``export``; documentation above is outside.
        signature: the text up to the body, decorators excluded.
        body_start, body_end: the body as the grammar has it: with its braces where there are braces, from the first
            statement where there are none. Both are the signature's end where there is no body.
        docstring_start, docstring_end: the existing documentation, delimiters included: inside the body for Python,
            right above ``start`` for the others; None if there is none.
        indentation: the blanks before the first line.
        class_name: the classes around it, joined by dots.
    """

    name: str
    kind: str
    start: int
    end: int
    signature: str
    body_start: int
    body_end: int
    docstring_start: int | None
    docstring_end: int | None
    indentation: str
    class_name: str | None

    @property
    def full_start(self) -> int:
        """``start``, or where the documentation above begins."""
        return self.start if self.docstring_start is None else min(self.start, self.docstring_start)


@dataclass(frozen=True, slots=True)
class FunctionScope:
    """A named function or method. The offsets are those of `ClassScope`.

    Attributes:
        name: the last part of a qualified name.
        kind: function or method.
        parameters: as they are written, ``self`` included.
        returns: the return type as it is written.
        body_indentation: the blanks that a statement of the body begins with.
        class_name: the classes around it, joined by dots; None for a function inside a function.
        is_async: whether calling it gives something to await.
        raises: the exceptions that the body, or a ``throws`` clause, names; each once, in order.
    """

    name: str
    kind: str
    start: int
    end: int
    signature: str
    parameters: tuple[Parameter, ...]
    returns: str | None
    body_start: int
    body_end: int
    docstring_start: int | None
    docstring_end: int | None
    indentation: str
    body_indentation: str
    class_name: str | None
    is_async: bool
    raises: tuple[str, ...]

    @property
    def full_start(self) -> int:
        """``start``, or where the documentation above begins."""
        return self.start if self.docstring_start is None else min(self.start, self.docstring_start)


Scope = FunctionScope | ClassScope


def scopes(snapshot: Snapshot) -> tuple[Scope, ...]:
    """All functions and classes in source order, the outer before the inner."""
    return snapshot.derived(_build)


def functions(snapshot: Snapshot) -> tuple[FunctionScope, ...]:
    """All named functions and methods, nested ones too, in source order."""
    return tuple(scope for scope in scopes(snapshot) if isinstance(scope, FunctionScope))


def enclosing_function(snapshot: Snapshot, offset: int) -> FunctionScope | None:
    """The innermost named function around a cursor.

    Its signature, decorators and documentation count, and so do the blanks before and the rest of the line after it.
    In languages without braces a blank line below the body counts if the cursor is indented deeper than the function.
    """
    inside = [scope for scope in functions(snapshot) if holds(snapshot, (scope.full_start, scope.end), offset)]
    return min(inside, key=lambda scope: scope.end - scope.start, default=None)


def enclosing_class(snapshot: Snapshot, offset: int) -> ClassScope | None:
    """The innermost class around a cursor, by the rules of `enclosing_function`."""
    inside = [
        scope
        for scope in scopes(snapshot)
        if isinstance(scope, ClassScope) and holds(snapshot, (scope.full_start, scope.end), offset)
    ]
    return min(inside, key=lambda scope: scope.end - scope.start, default=None)


def doc_spans(snapshot: Snapshot) -> tuple[Span, ...]:
    """The documentation of all functions, classes and of the file itself, in source order."""
    found = definitions(snapshot)
    spans = {item.docs for item in found.items} | {found.file_docs}
    return tuple(sorted(span for span in spans if span))


def file_docs(snapshot: Snapshot) -> Span | None:
    """The documentation of the file as a whole, where the language has that as a string."""
    return definitions(snapshot).file_docs


def _build(snapshot: Snapshot) -> tuple[Scope, ...]:
    found = definitions(snapshot)
    built: list[Scope] = []
    around: list[Scope] = []
    for item in found.items:
        while around and around[-1].end <= item.span[0]:
            around.pop()
        scope = _scope(snapshot, found, item, around[-1] if around else None)
        built.append(scope)
        around.append(scope)
    return tuple(built)


def _scope(snapshot: Snapshot, found: Definitions, item: Definition, parent: Scope | None) -> Scope:
    name, container = names(snapshot, item)
    if container is None and isinstance(parent, ClassScope):
        container = f"{parent.class_name}.{parent.name}" if parent.class_name else parent.name
    start, end = item.span
    body_start, body_end = body(snapshot, item)
    signature = snapshot.text[item.head : signature_end(snapshot, item)]
    docstring_start, docstring_end = item.docs or (None, None)
    indentation = snapshot.lines.indentation(snapshot.lines.line_of(start))
    if item.kind != FUNCTION:
        return ClassScope(
            name=name,
            kind=item.kind,
            start=start,
            end=end,
            signature=signature,
            body_start=body_start,
            body_end=body_end,
            docstring_start=docstring_start,
            docstring_end=docstring_end,
            indentation=indentation,
            class_name=container,
        )
    parameters = item.node("parameters")
    body_indentation = _body_indentation(snapshot, body_start, body_end)
    return FunctionScope(
        name=name,
        kind="method" if container else "function",
        start=start,
        end=end,
        signature=signature,
        parameters=tuple(_parameter(snapshot, captures) for captures in found.parameters.get(parameters, ()))
        if parameters
        else (),
        returns=_returns(snapshot, item),
        body_start=body_start,
        body_end=body_end,
        docstring_start=docstring_start,
        docstring_end=docstring_end,
        indentation=indentation,
        body_indentation=body_indentation or indentation + snapshot.derived(_indent_unit),
        class_name=container,
        is_async=item.node("async") is not None,
        raises=tuple(found.raises.get(item.span, ())),
    )


def _indent_unit(snapshot: Snapshot) -> str:
    return indent_unit(snapshot.text)


def _body_indentation(snapshot: Snapshot, body_start: int, body_end: int) -> str:
    """The first statement's indentation; empty if it does not begin a line, or there is none."""
    lines = snapshot.lines
    start = body_start
    while start < body_end and (lines.text[start].isspace() or (start == body_start and lines.text[start] == "{")):
        start += 1
    blanks = lines.indentation(lines.line_of(start))
    begins_line = lines.line_start(lines.line_of(start)) + len(blanks) == start
    return blanks if begins_line and start < body_end and lines.text[start] != "}" else ""


def _parameter(snapshot: Snapshot, captures: Match) -> Parameter:
    name = captures["parameter.name"][0]
    annotation = None
    if types := captures.get("parameter.type"):
        first = min(types, key=lambda node: node.start_byte)
        if first.start_byte < name.start_byte:
            # `const char *name`: the stars belong to the type, wherever the grammar hangs them.
            annotation = snapshot.text[snapshot.span(first)[0] : snapshot.span(name)[0]].strip()
        else:
            annotation = snapshot.source(first).lstrip(": ")
    default = captures.get("parameter.default")
    return Parameter(snapshot.source(name), annotation, snapshot.source(default[0]) if default else None)


def _returns(snapshot: Snapshot, item: Definition) -> str | None:
    returns, declarator = item.node("returns"), item.node("declarator")
    if returns is None:
        return None
    start, end = snapshot.span(returns)
    if declarator:
        end = snapshot.span(declarator)[0]
    return snapshot.text[start:end].lstrip(":").strip()
