"""What a file offers, short enough to show to a model."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import tree_sitter

from lsp_server.syntax.around import Enclosing, nested
from lsp_server.syntax.definitions import above, definitions_within
from lsp_server.syntax.incremental import Change, changes, with_neighbours
from lsp_server.syntax.languages import Language
from lsp_server.syntax.queries import matches
from lsp_server.syntax.snapshot import Earlier, Snapshot
from lsp_server.syntax.surroundings import Span, Surroundings

# Where two patterns fit one node (a Go struct is a type, too), the first kind of these names it.
_KINDS = ("interface", "struct", "enum", "type", "method", "function", "field", "attribute", "constant")
_SHOWN_WHOLE = ("interface", "struct", "enum", "type")
_FUNCTIONS = ("function", "method")
_LONGEST_VALUE = 100

# What stands for a body, where `;` does not.
_NO_BODY = {"go": "", "kotlin": "", "shellscript": " { :; }", "ruby": "; end", "lua": " end"}


@dataclass(frozen=True, slots=True)
class Symbol:
    """Something that a file offers.

    Attributes:
        name: its own name, without a container's.
        kind: function, method, a kind of `ClassScope`, type, field, constant, or attribute, which is what the methods
            of a class give its objects.
        start, end: as in `ClassScope`.
        signature: for functions and classes the text up to the body, on one line, after Python's decorators;
            interfaces, types and the like whole; a long value is left out.
        doc: the documentation's first line, without delimiters.
        container: the classes around it, joined by dots.
    """

    name: str
    kind: str
    start: int
    end: int
    signature: str
    doc: str | None = None
    container: str | None = None


def outline(snapshot: Snapshot) -> tuple[Symbol, ...]:
    """Functions, classes with their methods, fields and attributes, types and constants; nothing local to a function.

    In source order, the outer before the inner: an attribute comes within the method that has it first.
    """
    return snapshot.derived(_outline)


def _outline(snapshot: Snapshot) -> tuple[Symbol, ...]:
    return tuple(_first_attributes(snapshot.updated(_offered)))


def render(symbols: tuple[Symbol, ...], language: Language) -> str:
    """The symbols as stubs in the language's own syntax; ends with a newline unless it is empty."""
    lines: list[str] = []
    around: list[Symbol] = []
    for index, symbol in enumerate(symbols):
        while around and around[-1].end <= symbol.start:
            _close(lines, language, len(around) - 1)
            around.pop()
        opens = index + 1 < len(symbols) and symbols[index + 1].start < symbol.end
        lines += [textwrap.indent(line, "    " * len(around)) for line in _stub(symbol, language, opens)]
        if opens:
            around.append(symbol)
    while around:
        _close(lines, language, len(around) - 1)
        around.pop()
    return "".join(f"{line}\n" for line in lines)


def _offered(snapshot: Snapshot, earlier: Earlier[list[Symbol]] | None) -> list[Symbol]:
    """The symbols with all attributes; of an edited document only those anew that the edits may have changed."""
    if earlier:
        for change in changes(snapshot, earlier):
            symbols = _again(snapshot, earlier, change)
            if symbols is not None:
                return symbols
    return _symbols(snapshot, None)


def _again(snapshot: Snapshot, earlier: Earlier[list[Symbol]], change: Change) -> list[Symbol] | None:
    """The symbols that overlap a change anew, the others as they were; None if these may have changed as well."""
    change = with_neighbours(snapshot, earlier, change)
    start, end, moved = change.start, change.end, change.end - change.old_end
    kept: list[Symbol] = []
    across: list[Symbol] = []
    for s in earlier.value:
        if s.end <= start:
            kept.append(s)
        elif s.start >= change.old_end:
            kept.append(Symbol(s.name, s.kind, s.start + moved, s.end + moved, s.signature, s.doc, s.container))
        elif s.start < start or s.end > change.old_end:
            across.append(s)
    anew = [s for s in _symbols(snapshot, (start, end)) if s.end > start and s.start < end]
    # The others are named after what they are in.
    if _names(across) != _names(s for s in anew if s.start < start or s.end > end):
        return None
    return sorted([*kept, *anew], key=_place)


def _names(symbols: Iterable[Symbol]) -> list[tuple[str, str, str | None]]:
    return [(s.name, s.kind, s.container) for s in symbols]


def _symbols(snapshot: Snapshot, span: Span | None) -> list[Symbol]:
    """The symbols that overlap ``span``, and maybe others, in order; all without one."""
    definitions, surroundings = definitions_within(snapshot, span)
    scopes = [*nested(snapshot, definitions)]
    functions = [scope for scope in scopes if scope.kind in _FUNCTIONS]
    items = _items(snapshot, span)
    # An interface that is shown whole is not shown again as a container.
    whole = {start for (start, _), (_, kind, _) in items.items() if kind in _SHOWN_WHOLE}
    # `const f = () => 1` is a function, not a constant.
    called = {scope.start for scope in functions}
    containers = _containers(scopes, (start for start, _ in items))
    symbols = [
        *(
            _symbol(snapshot, scope, item.docs)
            for item, scope in zip(definitions, scopes, strict=True)
            if scope.start not in whole
        ),
        *(
            _item(
                snapshot,
                _surroundings_above(snapshot, start) if span and start < span[0] else surroundings,
                containers[start],
                *item,
            )
            for (start, _), item in items.items()
            if start not in called
        ),
    ]
    hidden = _outermost(
        [*((scope.body_start, scope.body_end) for scope in functions), *((start + 1, end) for start, end in items)]
    )
    symbols = [symbol for symbol in symbols if symbol.kind == "attribute" or not _covered(hidden, symbol.start)]
    return sorted(symbols, key=_place)


def _surroundings_above(snapshot: Snapshot, start: int) -> Surroundings:
    return definitions_within(snapshot, (above(snapshot, start), start))[1]


def _place(symbol: Symbol) -> Span:
    """For the order of the source, the outer before the inner."""
    return symbol.start, -symbol.end


def _first_attributes(symbols: list[Symbol]) -> Iterator[Symbol]:
    """All but the attributes that are in no class, or that it has already."""
    known = {(s.container, s.name) for s in symbols if s.kind != "attribute"}
    for symbol in symbols:
        if symbol.kind == "attribute":
            key = symbol.container, symbol.name
            if symbol.container is None or key in known:
                continue
            known.add(key)
        yield symbol


def _outermost(spans: list[Span]) -> list[Span]:
    kept: list[Span] = []
    for start, end in sorted(spans, key=lambda span: (span[0], -span[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept


def _covered(spans: list[Span], offset: int) -> bool:
    index = bisect_right(spans, offset, key=lambda span: span[0]) - 1
    return index >= 0 and offset < spans[index][1]


def _items(snapshot: Snapshot, span: Span | None) -> dict[Span, tuple[tree_sitter.Node, str, str]]:
    items: dict[Span, tuple[tree_sitter.Node, str, str]] = {}
    for match in matches(snapshot, "outline", span):
        kind = next(kind for kind in _KINDS if kind in match)
        node = match[kind][0]
        place = snapshot.span(node)
        if span and not (span[0] < place[1] and place[0] < span[1]):
            continue
        known = items.get(place)
        if known is None or _KINDS.index(kind) < _KINDS.index(known[1]):
            items[place] = (node, kind, snapshot.source(match["name"][0]))
    return items


def _symbol(snapshot: Snapshot, scope: Enclosing, docs: Span | None) -> Symbol:
    signature = _one_line(snapshot.text[scope.signature_start : scope.signature_end], snapshot.language)
    if snapshot.language and snapshot.language.blocks == "indent":
        decorators = snapshot.text[scope.start : scope.signature_start].split("\n")
        signature = "\n".join((*(line.strip() for line in decorators if line.strip().startswith("@")), signature))
    doc = _first_line(snapshot.text[slice(*docs)]) if docs else None
    return Symbol(scope.name, scope.kind, scope.start, scope.end, signature, doc, scope.class_name)


def _containers(found: Iterable[Enclosing], starts: Iterable[int]) -> dict[int, str | None]:
    """The classes around each place, joined by dots."""
    classes = sorted((s for s in found if s.kind not in _FUNCTIONS), key=lambda s: (s.body_start, -s.body_end))
    containers: dict[int, str | None] = {}
    around: list[Enclosing] = []
    later = iter(classes)
    following = next(later, None)
    for start in sorted(starts):
        while following and following.body_start <= start:
            around.append(following)
            following = next(later, None)
        while around and around[-1].body_end <= start:
            around.pop()
        inner = around[-1] if around else None
        containers[start] = ".".join(part for part in (inner.class_name, inner.name) if part) if inner else None
    return containers


def _item(
    snapshot: Snapshot, surroundings: Surroundings, container: str | None, node: tree_sitter.Node, kind: str, name: str
) -> Symbol:
    start, end = snapshot.span(node)
    style = snapshot.language.docs if snapshot.language else None
    docs = surroundings.docs_above(start, style) if style and style.placement == "above" else None
    text = snapshot.text[start:end].rstrip("; \t\r\n")
    if kind in _SHOWN_WHOLE:
        lines = snapshot.lines
        text = textwrap.dedent(snapshot.text[lines.line_start(lines.line_of(start)) : start] + text).strip()
    elif "\n" in text or len(text) > _LONGEST_VALUE:
        text = re.split(r"\s*[={]", text, maxsplit=1)[0] + " = ..."
    return Symbol(name, kind, start, end, text, _first_line(snapshot.text[slice(*docs)]) if docs else None, container)


def _one_line(signature: str, language: Language | None) -> str:
    if "\n" not in signature or (language and language.line_comment and language.line_comment in signature):
        return signature
    joined = " ".join(signature.split())
    return re.sub(r",? ([)\]])", r"\1", re.sub(r"([(\[]) ", r"\1", joined))


def _first_line(docs: str | None) -> str | None:
    """The first line of documentation that says something, without quotes, stars, slashes and XML."""
    for line in (docs or "").splitlines():
        stripped = re.sub(r"""^\s*(?:[rRuU]?(?:\"""|'''|"|')|/\*[*!]?|\*(?!/)|///?!?|--+\[*|\#+)?\s*""", "", line)
        stripped = re.sub(r"""\s*(?:\"""|'''|"|'|\*/|\]\])?\s*$""", "", stripped)
        stripped = re.sub(r"</?(?:summary|para)>", "", stripped).strip()
        if stripped:
            return stripped
    return None


def _stub(symbol: Symbol, language: Language, opens: bool) -> list[str]:
    if language.blocks == "indent":
        return _indented_stub(symbol, opens)
    lines = []
    if symbol.doc and language.docs:
        style = language.docs
        lines = [f"{style.opening} {symbol.doc}{style.closing}" if style.opening else f"{style.prefix}{symbol.doc}"]
    braces = language.blocks == "braces"
    if opens:
        end = " {" if braces else ""
    elif symbol.kind in ("function", "method"):
        end = (" ..." if symbol.signature.endswith("=>") else "") + _NO_BODY.get(language.id, ";")
    elif symbol.kind in ("field", "attribute", "constant", *_SHOWN_WHOLE):
        end = (
            "" if language.id in _NO_BODY or symbol.signature.startswith("#") or symbol.signature.endswith("}") else ";"
        )
    else:
        end = " {}" if braces else "; end"
    return [*lines, symbol.signature + end]


def _indented_stub(symbol: Symbol, opens: bool) -> list[str]:
    docs = f'"""{symbol.doc}"""' if symbol.doc else None
    if not symbol.signature.endswith(":"):
        return [symbol.signature]
    if opens:
        return [symbol.signature, *([f"    {docs}"] if docs else [])]
    return [f"{symbol.signature} {docs or '...'}"]


def _close(lines: list[str], language: Language, depth: int) -> None:
    closing = {"indent": None, "braces": "}", "end": "end"}[language.blocks]
    if closing:
        lines.append("    " * depth + closing)
