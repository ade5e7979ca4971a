"""What a cursor is in, at a cost that does not grow with the file: for every keystroke.

`scopes` knows more of a definition, and looks through the whole file for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import tree_sitter

from lsp_server.syntax.code_lines import first_code, line_above, without_comment
from lsp_server.syntax.definitions import FUNCTION, Definition, body, definitions_at, holds, names, signature_end
from lsp_server.syntax.outward import outward
from lsp_server.syntax.queries import matches
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.surroundings import Span
from lsp_server.text.edits import indent_unit

# What may stand between a definition's end and a cursor that still counts as in it.
_BETWEEN = " \t\r\n;,"

# What has braces, but values in them and not statements.
_VALUES = re.compile(
    r"object(?!_type)|dict|hash|map|literal_value|array|initializer|import|export|use_list|substitution|interpolation"
    r"|expansion|jsx|table|set$|struct_expression|pattern"
)
# Braces stand behind few other children of their node: `switch (x) {`.
_BEFORE_BRACE = 8

# How the line ends, or what it says, that opens a block where indentation shows it.
_HEADERS = {
    "indent": re.compile(r"(?::|\b(?:where|of|do|let|then|else)|[=>])\s*$"),
    "end": re.compile(
        r"\b(?:def\w*|class|module|struct|function|if|elsif|elseif|elif|else|then|unless|case|when|in|for|while|until|repeat"
        r"|do|begin|try|catch|rescue|ensure|finally|quote|macro|let|program|subroutine|select|fn|cond|receive)\b|[({]\s*$"
    ),
    "braces": re.compile(r"\{\s*$"),
}
# Shell has both: braces around functions, words around the rest.
_ALSO_WORDS = ("shellscript",)
# As much of a text as says how it is indented.
_SAMPLE_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Enclosing:
    """A function or class around a cursor; all as in `FunctionScope` and `ClassScope`.

    Attributes:
        signature_start: where the signature begins: behind decorators and attributes.
        signature_end: where it ends.
    """

    name: str
    kind: str
    start: int
    end: int
    signature_start: int
    signature_end: int
    body_start: int
    body_end: int
    class_name: str | None


def enclosing(snapshot: Snapshot, offset: int) -> tuple[Enclosing, ...]:
    """The functions and classes around a cursor, the innermost first, by the rules of `scopes.enclosing_function`."""
    found: list[Enclosing] = []
    items = definitions_at(snapshot, _reach(snapshot, offset))
    for item, scope in zip(items, nested(snapshot, items), strict=True):
        start, end = item.span
        if holds(snapshot, (min(start, item.docs[0]) if item.docs else start, end), offset):
            found.append(scope)
    return tuple(sorted(found, key=lambda scope: scope.end - scope.start))


def nested(snapshot: Snapshot, items: Iterable[Definition]) -> Iterator[Enclosing]:
    """What each of the definitions is, which are in source order, the outer before the inner."""
    around: list[Enclosing] = []
    for item in items:
        while around and around[-1].end <= item.span[0]:
            around.pop()
        around.append(_enclosing(snapshot, item, around[-1] if around else None))
        yield around[-1]


def _enclosing(snapshot: Snapshot, item: Definition, parent: Enclosing | None) -> Enclosing:
    name, container = names(snapshot, item)
    if container is None and parent and parent.kind not in ("function", "method"):
        container = f"{parent.class_name}.{parent.name}" if parent.class_name else parent.name
    body_start, body_end = body(snapshot, item)
    kind = "method" if item.kind == FUNCTION and container else item.kind
    return Enclosing(name, kind, *item.span, item.head, signature_end(snapshot, item), body_start, body_end, container)


def _reach(snapshot: Snapshot, offset: int) -> Span:
    """What a definition has to overlap to have the cursor in it: the code before and the code behind the cursor.

    Behind it, comments and attributes are passed over: they belong to the definition below.
    """
    text = snapshot.text
    offset = max(0, min(offset, len(text)))
    start = offset
    while start > 0 and text[start - 1] in _BETWEEN:
        start -= 1
    end = offset
    while True:
        while end < len(text) and text[end].isspace():
            end += 1
        passed = _passed(snapshot, end) if end < len(text) else end
        if passed <= end:
            return max(start - 1, 0), end + 1
        end = passed


def _passed(snapshot: Snapshot, at: int) -> int:
    """The end of the comment or attribute at an offset, or the start of what is wrapped there; ``at`` without any."""
    byte = snapshot.lines.byte_offset(at)
    node = snapshot.tree.root_node.descendant_for_byte_range(byte, byte + 1) if snapshot.tree else None
    extra = next((one for one in outward(snapshot.tree, node) if one.is_extra), None) if snapshot.tree else None
    if extra is not None:
        return snapshot.span(extra)[1]
    ends = [byte]
    for match in matches(snapshot, "scopes", (at, at + 1)):
        ends += (node.end_byte for node in match.get("attribute", ()) if node.start_byte <= byte)
        ends += (node.named_children[-1].start_byte for node in match.get("wrapper", ()) if node.named_children)
    return snapshot.lines.offset_of_byte(max(ends))


@dataclass(frozen=True, slots=True)
class Block:
    """Statements or members that belong together, and where a cursor is among them.

    Attributes:
        start, end: what lies between the delimiters; without delimiters from the header's end to the last line's end.
        indentation: the blanks that its statements begin with.
        kind: what its definition is: ``function``, or a kind of `ClassScope`; None for a loop's, a condition's and
            what else has no name.
        empty: whether nothing but comments stands in it.
        followed: whether a statement of the same block begins behind the cursor.
    """

    start: int
    end: int
    indentation: str
    kind: str | None
    empty: bool
    followed: bool


def block_at(snapshot: Snapshot, offset: int) -> Block | None:
    """The innermost block around a cursor; None at the top of a file, and without a grammar.

    Braces are the tree's. Where words or nothing but indentation end a block, a blank line belongs to it if the cursor
    is indented deeper than its header, as the code would that is written there.
    """
    if snapshot.tree is None or snapshot.language is None:
        return None
    style = snapshot.language.blocks
    found = _in_braces(snapshot, snapshot.tree, offset)
    if style != "braces" or snapshot.language.id in _ALSO_WORDS:
        words = "end" if style == "braces" else style
        indented = _by_indentation(snapshot, offset, _HEADERS[words])
        if indented and (found is None or indented.start > found.start):
            return indented
    elif snapshot.tree.root_node.has_error:
        # A brace that is not closed yet takes the next one that it finds.
        indented = _by_indentation(snapshot, offset, _HEADERS[style])
        if indented and (found is None or indented.start == found.start):
            return indented
    return found


def _in_braces(snapshot: Snapshot, tree: tree_sitter.Tree, offset: int) -> Block | None:
    byte = snapshot.lines.byte_offset(offset)
    inner = tree.root_node.descendant_for_byte_range(snapshot.lines.byte_offset(offset - 1), byte)
    for node in outward(tree, inner):
        span = _braces(node)
        if span and span[0] <= byte <= span[1]:
            return _braced(snapshot, node, span, offset)
    return None


def _braces(node: tree_sitter.Node) -> Span | None:
    """The bytes between a block's braces."""
    last = node.child(node.child_count - 1) if node.child_count else None
    if last is None or last.type != "}" or _VALUES.search(node.type):
        return None
    for index in range(min(node.child_count, _BEFORE_BRACE)):
        child = node.child(index)
        if child is not None and child.type == "{":
            return child.end_byte, last.start_byte
    return None


def _braced(snapshot: Snapshot, node: tree_sitter.Node, span: Span, offset: int) -> Block:
    start, end = (snapshot.lines.offset_of_byte(place) for place in span)
    first, after = _statement_from(node, span[0]), _statement_from(node, snapshot.lines.byte_offset(offset))
    opening = snapshot.span(node)[0]
    kind = next(
        (item.kind for item in definitions_at(snapshot, (opening, start)) if body(snapshot, item)[0] == opening), None
    )
    header = snapshot.lines.line_of(start)
    return Block(
        start=start,
        end=end,
        indentation=_indentation(snapshot, header, snapshot.span(first)[0] if first else None, offset),
        kind=kind,
        empty=first is None,
        followed=after is not None,
    )


def _statement_from(node: tree_sitter.Node, byte: int) -> tree_sitter.Node | None:
    """The first child that is a statement or the like and begins no earlier."""
    # A node asked for a child that it does not have takes the process down (tree-sitter 0.26); a cursor does not.
    cursor = node.walk()
    there = cursor.goto_first_child_for_byte(byte) is not None
    while there:
        child = cursor.node
        if child is not None and child.is_named and not child.is_extra and child.start_byte >= byte:
            return child
        there = cursor.goto_next_sibling()
    return None


def _by_indentation(snapshot: Snapshot, offset: int, header: re.Pattern[str]) -> Block | None:
    lines = snapshot.lines
    line = lines.line_of(offset)
    start, blanks = lines.line_start(line), lines.indentation(line)
    # On a blank line the cursor says how deep the code will stand.
    depth = len(blanks) if start + len(blanks) < lines.line_end(line) else min(len(blanks), offset - start)
    while (above := line_above(snapshot, start, depth)) is not None:
        if header.search(without_comment(snapshot, above)):
            return _indented(snapshot, above, offset)
        start, depth = lines.line_start(above), len(lines.indentation(above))
    return None


def _indented(snapshot: Snapshot, header: int, offset: int) -> Block:
    lines, text = snapshot.lines, snapshot.text
    start = lines.line_end(header)
    below = first_code(snapshot, start, len(text), rf"[ \t]{{0,{len(lines.indentation(header))}}}")
    end = max(offset, start + len(text[start:below].rstrip()))
    first = first_code(snapshot, start, end, r"[ \t]*")
    indentation = _indentation(snapshot, header, first, offset)
    rest = lines.line_end(lines.line_of(offset))
    above = definitions_at(snapshot, (lines.line_start(header), start))
    owners = [item for item in above if lines.line_of(signature_end(snapshot, item)) == header]
    return Block(
        start=start,
        end=end,
        indentation=indentation,
        kind=owners[-1].kind if owners else None,
        empty=first is None,
        followed=first_code(snapshot, rest, end, rf"{indentation}(?![)\]}}])") is not None,
    )


def _indentation(snapshot: Snapshot, header: int, first: int | None, offset: int) -> str:
    """What the statements below a header begin with: the first of them, or else the cursor where it is deeper."""
    lines = snapshot.lines
    above = lines.indentation(header)
    if first is not None and lines.line_of(first) > header:
        return lines.indentation(lines.line_of(first))
    if first is None and len(blanks := lines.indentation(lines.line_of(offset))) > len(above):
        return blanks
    middle = lines.line_start(header)
    return above + indent_unit(snapshot.text[max(middle - _SAMPLE_CHARS, 0) : middle + _SAMPLE_CHARS])
