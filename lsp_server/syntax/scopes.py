"""Functions and classes as values: what a cursor is in, and where its parts are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lsp_server.syntax.definitions import FUNCTION, Definition, Definitions, Span, definitions
from lsp_server.syntax.queries import Match
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import indent_unit

# A qualified name splits at these: C++, Rust, Lua.
_QUALIFIER = re.compile(r"::|\.|:")
# Generic arguments do not belong to a name: `impl<T> Stack<T>`, `Stack<T>::push`.
_GENERICS = re.compile(r"\s*<[^<>]*>")

_REST_OF_LINE = re.compile(r"[ \t;,]*")


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
    inside = [scope for scope in functions(snapshot) if _holds(snapshot, scope, offset)]
    return min(inside, key=lambda scope: scope.end - scope.start, default=None)


def enclosing_class(snapshot: Snapshot, offset: int) -> ClassScope | None:
    """The innermost class around a cursor, by the rules of `enclosing_function`."""
    inside = [s for s in scopes(snapshot) if isinstance(s, ClassScope) and _holds(snapshot, s, offset)]
    return min(inside, key=lambda scope: scope.end - scope.start, default=None)


def doc_spans(snapshot: Snapshot) -> tuple[Span, ...]:
    """The documentation of all functions, classes and of the file itself, in source order."""
    found = definitions(snapshot)
    spans = {item.docs for item in found.items} | {found.file_docs}
    return tuple(sorted(span for span in spans if span))


def _holds(snapshot: Snapshot, scope: Scope, offset: int) -> bool:
    lines, text = snapshot.lines, snapshot.text
    first = scope.full_start
    line_start = lines.line_start(lines.line_of(first))
    if line_start + len(lines.indentation(lines.line_of(first))) >= first:
        first = line_start
    if first <= offset <= scope.end:
        return True
    line_end = lines.line_end(lines.line_of(scope.end))
    rest = _REST_OF_LINE.match(text, scope.end, line_end)
    if first <= offset <= line_end and rest and rest.end() == line_end:
        return True
    if offset < first or snapshot.language is None or snapshot.language.blocks != "indent":
        return False
    cursor = text[lines.line_start(lines.line_of(offset)) : offset]
    return not text[scope.end : offset].strip() and _width(cursor) > _width(scope.indentation)


def _width(blanks: str) -> int:
    return len(blanks.expandtabs())


def _build(snapshot: Snapshot) -> tuple[Scope, ...]:
    found = definitions(snapshot)
    unit = indent_unit(snapshot.text)
    built: list[Scope] = []
    around: list[Scope] = []
    for item in found.items:
        while around and around[-1].end <= item.span[0]:
            around.pop()
        scope = _scope(snapshot, found, item, around[-1] if around else None, unit)
        built.append(scope)
        around.append(scope)
    return tuple(built)


def _scope(snapshot: Snapshot, found: Definitions, item: Definition, parent: Scope | None, unit: str) -> Scope:
    name, container = _names(snapshot, item)
    if container is None and isinstance(parent, ClassScope):
        container = f"{parent.class_name}.{parent.name}" if parent.class_name else parent.name
    start, end = item.span
    signature_end = _signature_end(snapshot, item)
    body_start, body_end = _body(snapshot, item, signature_end)
    signature = snapshot.text[item.head : signature_end]
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
        body_indentation=_body_indentation(snapshot, body_start, body_end) or indentation + unit,
        class_name=container,
        is_async=item.node("async") is not None,
        raises=tuple(found.raises.get(item.span, ())),
    )


def _names(snapshot: Snapshot, item: Definition) -> tuple[str, str | None]:
    name = snapshot.source(item.captures["name"][0])
    container = item.node("container")
    if container:
        return name, snapshot.source(container)
    if not name[:1].isidentifier():
        return name, None
    replaced = 1
    while replaced:
        name, replaced = _GENERICS.subn("", name)
    *qualifiers, name = _QUALIFIER.split(name)
    return name, qualifiers[-1] if qualifiers and item.kind == FUNCTION else None


def _signature_end(snapshot: Snapshot, item: Definition) -> int:
    body = item.node("body")
    before = body.prev_sibling if body else None
    while before and (before.is_extra or before.is_error or before.type == "="):
        before = before.prev_sibling
    if before:
        return snapshot.span(before)[1]
    last = max(
        snapshot.span(item.captures[part][-1])[1] for part in ("name", "parameters", "returns") if item.node(part)
    )
    if snapshot.language and snapshot.language.blocks == "end":
        return last
    return max(last, item.head + len(snapshot.text[item.head : item.span[1]].rstrip("; \t\r\n")))


def _body(snapshot: Snapshot, item: Definition, signature_end: int) -> Span:
    node = item.node("body")
    if node is None:
        return signature_end, signature_end
    start, end = snapshot.span(node)
    if snapshot.language and snapshot.language.blocks == "indent":
        # What is half-typed stands as an error before an empty block.
        before = node.prev_sibling
        while before and before.is_error:
            start, before = snapshot.span(before)[0], before.prev_sibling
    return (start, end) if snapshot.text[start:end].strip() else (signature_end, signature_end)


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
