"""From the matches of ``scopes.scm`` to definitions in offsets: what they wrap, which comments document them.

Internal to the package; `scopes` makes the public values of them.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

import tree_sitter

from lsp_server.syntax.languages import DocStyle
from lsp_server.syntax.queries import Match, matches
from lsp_server.syntax.snapshot import Snapshot

FUNCTION = "function"
CONTAINERS = ("class", "interface", "struct", "enum", "trait", "impl", "module", "object")

Span = tuple[int, int]

# A directive to a tool (//go:embed, //nolint:gosec, #!/bin/sh), not documentation.
_DIRECTIVE = re.compile(r"//[a-z0-9]+:[a-z0-9]|#!")


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


class Surroundings:
    """What may stand right above a definition: comments and attributes, found by where they end."""

    def __init__(
        self, snapshot: Snapshot, comments: Iterable[tree_sitter.Node], attributes: Iterable[tree_sitter.Node]
    ) -> None:
        self._snapshot = snapshot
        self._comments = dict(self._end_and_start(node) for node in comments)
        self._attributes = dict(self._end_and_start(node) for node in attributes)

    def start_with_attributes(self, start: int) -> int:
        """``start``, moved up over the attributes before it (and over comments between them)."""
        found, end = start, self._end_above(start)
        while end in self._attributes or end in self._comments:
            if end in self._attributes:
                start = found = self._attributes[end]
            else:
                start = self._comments[end]
            end = self._end_above(start)
        return found

    def docs_above(self, start: int, style: DocStyle) -> Span | None:
        """The documentation comment that ends right above ``start``: one block, or a run of lines."""
        docs: Span | None = None
        end = self._end_above(start)
        while end in self._comments:
            begin = self._comments[end]
            if not self._is_documentation(begin, style) or not self._begins_line(begin):
                break
            docs = (begin, docs[1] if docs else end)
            end = self._end_above(begin)
            if self._snapshot.text.startswith("/*", begin) or (end in self._comments and self._is_block(end)):
                break
        return docs

    def _end_and_start(self, node: tree_sitter.Node) -> Span:
        start, end = self._snapshot.span(node)
        # Some grammars count a line comment's newline in.
        return start + len(self._snapshot.text[start:end].rstrip()), start

    def _end_above(self, start: int) -> int:
        """Where the text before ``start`` ends, or -1 if a blank line lies between."""
        lines, text = self._snapshot.lines, self._snapshot.text
        end = start
        while end > 0 and text[end - 1].isspace():
            end -= 1
        return end if end and lines.line_of(start) - lines.line_of(end - 1) <= 1 else -1

    def _begins_line(self, start: int) -> bool:
        lines = self._snapshot.lines
        line = lines.line_of(start)
        return lines.line_start(line) + len(lines.indentation(line)) >= start

    def _is_block(self, end: int) -> bool:
        return self._snapshot.text.startswith("/*", self._comments[end])

    def _is_documentation(self, begin: int, style: DocStyle) -> bool:
        text = self._snapshot.text
        return text.startswith(style.recognized, begin) and not _DIRECTIVE.match(text, begin)


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


def _find(snapshot: Snapshot) -> Definitions:
    found = matches(snapshot, "scopes")

    def captured(name: str) -> set[tree_sitter.Node]:
        return {node for match in found for node in match.get(name, ())}

    wrappers, attributes = captured("wrapper"), captured("attribute")
    surroundings = Surroundings(snapshot, captured("comment"), attributes)
    style = snapshot.language.docs if snapshot.language else None
    items = []
    for kind in (FUNCTION, *CONTAINERS):
        for node, captures in _merged(found, kind, kind).items():
            # Some patterns only add to what others found, and these may not fit half-typed code.
            if "name" not in captures:
                continue
            outer = node
            while outer.parent is not None and outer.parent in wrappers:
                outer = outer.parent
            start, end = snapshot.span(outer)
            start = surroundings.start_with_attributes(start)
            docs = _docs_inside(snapshot, captures)
            if style and style.placement == "above":
                docs = surroundings.docs_above(start, style)
            head = snapshot.lines.offset_of_byte(_head(outer, attributes))
            items.append(Definition(kind, captures, (start, end), head, docs))
    parameters: dict[tree_sitter.Node, list[Match]] = {}
    for captures in _merged(found, "parameter", "parameter.name").values():
        if parent := captures["parameter"][0].parent:
            parameters.setdefault(parent, []).append(captures)
    items.sort(key=lambda item: (item.span[0], -item.span[1]))
    return Definitions(
        items=tuple(items),
        file_docs=next((_docs_inside(snapshot, match) for match in found if "file" in match), None),
        parameters={
            node: sorted(group, key=lambda captures: captures["parameter.name"][0].start_byte)
            for node, group in parameters.items()
        },
        raises=_raises(snapshot, items, captured("raise")),
        surroundings=surroundings,
    )


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
