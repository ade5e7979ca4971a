"""From the matches of ``scopes.scm`` to definitions in offsets: what they wrap, which comments document them.

Internal to the package; `scopes` makes the public values of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

import tree_sitter

from lsp_server.syntax.queries import Match, matches
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.surroundings import Span, Surroundings, end_above

FUNCTION = "function"
CONTAINERS = ("class", "interface", "struct", "enum", "trait", "impl", "module", "object")

_KINDS = (FUNCTION, *CONTAINERS)

# A qualified name splits at these: C++, Rust, Lua.
_QUALIFIER = re.compile(r"::|\.|:")
# Generic arguments do not belong to a name: `impl<T> Stack<T>`, `Stack<T>::push`.
_GENERICS = re.compile(r"\s*<[^<>]*>")

_REST_OF_LINE = re.compile(r"[ \t;,]*")


@dataclass(frozen=True, slots=True)
class Definition:
    """A named function or container.

    Attributes:
        kind: `FUNCTION` or one of `CONTAINERS`.
        captures: the nodes by capture name.
        span: decorators, attributes and wrappers such as ``export`` included, documentation above excluded.
        head: where the definition itself begins: after decorators, before ``export`` or ``async``.
        docs: the documentation, inside or above.
    """

    kind: str
    captures: Match
    span: Span
    head: int
    docs: Span | None

    def node(self, capture: str) -> tree_sitter.Node | None:
        """The first node of a capture."""
        nodes = self.captures.get(capture)
        return min(nodes, key=lambda node: node.start_byte) if nodes else None


@dataclass(frozen=True, slots=True)
class Definitions:
    """All that ``scopes.scm`` found in one snapshot.

    Attributes:
        items: in source order, the outer before the inner.
        file_docs: the documentation of the file as a whole, where it is a string.
        parameters: the captures of each parameter, in order, by the node that holds the list.
        raises: the names of raised exceptions by the function that names them, in order.
        surroundings: for the documentation of other things than functions and containers.
    """

    items: tuple[Definition, ...]
    file_docs: Span | None
    parameters: dict[tree_sitter.Node, list[Match]]
    raises: dict[Span, list[str]]
    surroundings: Surroundings


def definitions(snapshot: Snapshot) -> Definitions:
    """All definitions of a snapshot, worked out once."""
    return snapshot.derived(_find)


def definitions_at(snapshot: Snapshot, span: Span) -> tuple[Definition, ...]:
    """The definitions that overlap ``span``, in source order, the outer before the inner.

    They cost what the span costs, not the file.
    """
    items, _ = _items(snapshot, _found_at(snapshot, span, span[1]))
    return tuple(item for item in items if item.span[0] < span[1] and span[0] <= item.span[1])


def definitions_within(snapshot: Snapshot, span: Span | None) -> tuple[list[Definition], Surroundings]:
    """As `definitions_at`, with what stands above that which begins in ``span``; all of the file without one.

    ``span`` begins where `above` says.
    """
    found = _found_at(snapshot, span, span[0]) if span else matches(snapshot, "scopes")
    return _items(snapshot, found)


def holds(snapshot: Snapshot, span: Span, offset: int) -> bool:
    """Whether a cursor is in a definition that, with its documentation, covers ``span``.

    The blanks before and the rest of the line after it count. In languages without braces a blank line below counts if
    the cursor is indented deeper than the definition.
    """
    lines, text = snapshot.lines, snapshot.text
    first, end = span
    indentation = lines.indentation(lines.line_of(first))
    line_start = lines.line_start(lines.line_of(first))
    if line_start + len(indentation) >= first:
        first = line_start
    if first <= offset <= end:
        return True
    line_end = lines.line_end(lines.line_of(end))
    rest = _REST_OF_LINE.match(text, end, line_end)
    if first <= offset <= line_end and rest and rest.end() == line_end:
        return True
    if offset < first or snapshot.language is None or snapshot.language.blocks != "indent":
        return False
    cursor = text[lines.line_start(lines.line_of(offset)) : offset]
    return not text[end:offset].strip() and width(cursor) > width(indentation)


def width(blanks: str) -> int:
    """How far a text reaches if a tab goes to the next multiple of 8."""
    return len(blanks.expandtabs())


def names(snapshot: Snapshot, item: Definition) -> tuple[str, str | None]:
    """A definition's own name, and its container's where that is written beside it."""
    name = snapshot.source(min(item.captures["name"], key=lambda node: node.start_byte))
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


def signature_end(snapshot: Snapshot, item: Definition) -> int:
    """Where the text before the body ends."""
    body = item.node("body")
    before = body.prev_sibling if body else None
    while before and (before.is_extra or before.is_error or before.type == "="):
        before = before.prev_sibling
    if before:
        return snapshot.span(before)[1]
    last = max(
        snapshot.span(item.captures[part][-1])[1] for part in ("name", "parameters", "returns") if item.node(part)
    )
    # Where nobody wrote down what a body is, all that is not named may be one.
    if snapshot.language and (snapshot.language.blocks == "end" or not snapshot.language.queries):
        return last
    return max(last, item.head + len(snapshot.text[item.head : item.span[1]].rstrip("; \t\r\n")))


def body(snapshot: Snapshot, item: Definition) -> Span:
    """The body as the grammar has it; empty and at the signature's end where there is none."""
    node = item.node("body")
    end_of_signature = signature_end(snapshot, item)
    if node is None:
        return end_of_signature, end_of_signature
    start, end = snapshot.span(node)
    if snapshot.language and snapshot.language.blocks == "indent":
        # What is half-typed stands as an error before an empty block.
        before = node.prev_sibling
        while before and before.is_error:
            start, before = snapshot.span(before)[0], before.prev_sibling
    return (start, end) if snapshot.text[start:end].strip() else (end_of_signature, end_of_signature)


def _find(snapshot: Snapshot) -> Definitions:
    found = matches(snapshot, "scopes")
    items, surroundings = _items(snapshot, found)
    parameters: dict[tree_sitter.Node, list[Match]] = {}
    for captures in _merged(found, "parameter", "parameter.name").values():
        if parent := captures["parameter"][0].parent:
            parameters.setdefault(parent, []).append(captures)
    return Definitions(
        items=tuple(items),
        file_docs=next((_docs_inside(snapshot, match) for match in found if "file" in match), None),
        parameters={
            node: sorted(group, key=lambda captures: captures["parameter.name"][0].start_byte)
            for node, group in parameters.items()
        },
        raises=_raises(snapshot, items, _captured(found, "raise")),
        surroundings=surroundings,
    )


def stands_above(snapshot: Snapshot, start: int) -> bool:
    """Whether a comment or an attribute begins at an offset."""
    found = matches(snapshot, "scopes", (start, start + 1))
    return any(snapshot.span(node)[0] == start for node in _captured(found, "comment") | _captured(found, "attribute"))


def _found_at(snapshot: Snapshot, span: Span, before: int) -> list[Match]:
    """The matches that overlap ``span``, and those above and at the head of definitions that begin ``before``."""
    found = matches(snapshot, "scopes", span)
    wrappers = _captured(found, "wrapper")
    for match in [match for match in found if "name" in match]:
        # Decorators and attributes stand above a definition, or at its head.
        for node in (match[kind][0] for kind in _KINDS if kind in match):
            start = snapshot.span(_outermost(node, wrappers))[0]
            if start < before:
                found += matches(snapshot, "scopes", (above(snapshot, start), snapshot.span(match["name"][0])[1]))
    return found


def _items(snapshot: Snapshot, found: list[Match]) -> tuple[list[Definition], Surroundings]:
    wrappers, attributes = _captured(found, "wrapper"), _captured(found, "attribute")
    surroundings = Surroundings(snapshot, _captured(found, "comment"), attributes)
    style = snapshot.language.docs if snapshot.language else None
    items = []
    matches_of: dict[str, list[Match]] = {kind: [] for kind in _KINDS}
    for match in found:
        for name in match:
            if name in matches_of:
                matches_of[name].append(match)
    for kind, own in matches_of.items():
        for node, captures in _merged(own, kind, kind).items():
            # Some patterns only add to what others found, and these may not fit half-typed code.
            if "name" not in captures:
                continue
            outer = _outermost(node, wrappers)
            start, end = snapshot.span(outer)
            start = surroundings.start_with_attributes(start)
            docs = _docs_inside(snapshot, captures)
            if style and style.placement == "above":
                docs = surroundings.docs_above(start, style)
            head = snapshot.lines.offset_of_byte(_head(outer, attributes))
            items.append(Definition(kind, captures, (start, end), head, docs))
    items.sort(key=lambda item: (item.span[0], -item.span[1]))
    return items, surroundings


def _captured(found: list[Match], name: str) -> set[tree_sitter.Node]:
    return {node for match in found for node in match.get(name, ())}


def _outermost(node: tree_sitter.Node, wrappers: set[tree_sitter.Node]) -> tree_sitter.Node:
    """The outermost of the nodes that belong to a definition."""
    while node.parent is not None and node.parent in wrappers:
        node = node.parent
    return node


def above(snapshot: Snapshot, start: int) -> int:
    """Where the comments and attributes begin that stand above an offset, without a blank line in between."""
    while (end := end_above(snapshot.lines, start)) > 0:
        found = matches(snapshot, "scopes", (end - 1, end))
        ends = (snapshot.span(node) for node in (*_captured(found, "comment"), *_captured(found, "attribute")))
        starts = [span[0] for span in ends if not snapshot.text[end : span[1]].strip()]
        if not starts:
            break
        start = min(starts)
    return start


def _merged(found: list[Match], kind: str, key: str) -> dict[tree_sitter.Node, Match]:
    """The matches that hold ``kind``, those with the same ``key`` node joined."""
    joined: dict[tree_sitter.Node, Match] = {}
    for match in found:
        if kind in match:
            captures = joined.setdefault(match[key][0], {})
            for name, nodes in match.items():
                captures.setdefault(name, []).extend(node for node in nodes if node not in captures[name])
    return joined


def _raises(snapshot: Snapshot, items: list[Definition], names: set[tree_sitter.Node]) -> dict[Span, list[str]]:
    functions = [item.span for item in items if item.kind == FUNCTION]
    starts = [start for start, _ in functions]
    found: dict[Span, list[str]] = {}
    for node in sorted(names, key=lambda node: node.start_byte):
        offset = snapshot.span(node)[0]
        # The nearest function that begins before it and is not over is the innermost.
        before = reversed(functions[: bisect_right(starts, offset)])
        owner = next((span for span in before if span[1] > offset), None)
        name = snapshot.source(node)
        if owner and name not in found.setdefault(owner, []):
            found[owner].append(name)
    return found


def _head(node: tree_sitter.Node, attributes: set[tree_sitter.Node]) -> int:
    """The byte where a definition begins after its decorators, which some grammars put among the modifiers."""
    for child in node.children:
        if child in attributes or child.is_extra:
            continue
        if any(grandchild in attributes for grandchild in child.children):
            if all(grandchild in attributes for grandchild in child.children):
                continue
            return _head(child, attributes)
        return child.start_byte
    return node.start_byte


def _docs_inside(snapshot: Snapshot, captures: Match) -> Span | None:
    if "docstring" not in captures:
        return None
    start, end = snapshot.span(captures["docstring"][0])
    prefix = snapshot.text[start : min(start + 2, end)].lower()
    # Python evaluates an f-string or bytes there, but does not take it for documentation.
    return None if prefix[0] in "fb" or prefix in ("rb", "rf") else (start, end)
