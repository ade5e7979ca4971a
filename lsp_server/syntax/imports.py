"""What a file takes from other modules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tree_sitter

from lsp_server.syntax.incremental import changes
from lsp_server.syntax.queries import matches
from lsp_server.syntax.snapshot import Earlier, Snapshot
from lsp_server.syntax.surroundings import Span
from lsp_server.syntax.text_nodes import is_comment
from lsp_server.text.edits import TextEdit, detect_newline
from lsp_server.text.positions import split_lines


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module.

    Attributes:
        module: as it is written, without quotes, brackets and a relative import's leading dots.
        names: what is taken from it by name, under its name there; ``*`` for everything. Also what is only passed on.
        level: how many leading dots a relative Python import has.
        aliases: pairs of a name there and the other name that it has here; there it is ``*`` for the module itself.
    """

    module: str
    names: tuple[str, ...] = ()
    level: int = 0
    aliases: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Taken:
    """What one match of the query says: a module, and one name of it or all of it for ``*``."""

    module: str
    name: str | None = None
    alias: str | None = None
    level: int = 0


# Where the module is named, and where the name; and what the match says.
_Found = tuple[int, int, _Taken]


def imports(snapshot: Snapshot) -> tuple[Import, ...]:
    """The imports of a file, wherever in it they stand, in source order; none for a language without a query."""
    return snapshot.derived(_imports)


def _imports(snapshot: Snapshot) -> tuple[Import, ...]:
    return _joined(snapshot.updated(_found))


def _found(snapshot: Snapshot, earlier: Earlier[list[_Found]] | None) -> list[_Found]:
    """What is taken in; of an edited document anew where it has changed."""
    change = next(iter(changes(snapshot, earlier)), None) if earlier else None
    if earlier is None or change is None:
        return _found_in(snapshot, None)
    start, end, moved = change.start, change.end, change.end - change.old_end
    kept = [
        (one[0] + moved, one[1] + moved, one[2]) if one[0] > change.old_end else one
        for one in earlier.value
        if not start <= one[0] <= change.old_end
    ]
    # A name that is missing has no width, so it is looked for on both sides of where it would stand.
    anew = _found_in(snapshot, (max(start - 1, 0), end + 1))
    return [*kept, *(one for one in anew if start <= one[0] <= end)]


def _found_in(snapshot: Snapshot, span: Span | None) -> list[_Found]:
    found: list[_Found] = []
    for match in matches(snapshot, "imports", span):
        if "tree" in match:
            tree = match["tree"][0]
            start = snapshot.span(tree)[0]
            found += ((start, place, taken) for place, taken in _leaves(snapshot, tree, ""))
            continue
        node = (match.get("module") or match["relative"])[0]
        written = snapshot.source(node).strip("\"'`<> ")
        module = written.lstrip(".") if "relative" in match else written
        name, alias = (snapshot.source(match[c][0]) if c in match else None for c in ("name", "alias"))
        place = snapshot.span(match.get("name", [node])[0])[0]
        found.append((snapshot.span(node)[0], place, _Taken(module, name, alias, len(written) - len(module))))
    return found


def _joined(found: list[_Found]) -> tuple[Import, ...]:
    """One import for each module that a statement names, in source order."""
    groups: dict[tuple[int, str], list[_Taken]] = {}
    for statement, _, taken in sorted(found, key=lambda one: one[:2]):
        groups.setdefault((statement, taken.module), []).append(taken)
    return tuple(
        Import(
            module,
            tuple(dict.fromkeys(taken.name for taken in group if taken.name)),
            group[0].level,
            tuple(dict.fromkeys((taken.name or "*", taken.alias) for taken in group if taken.alias)),
        )
        for (_, module), group in groups.items()
    )


def _leaves(snapshot: Snapshot, node: tree_sitter.Node, prefix: str) -> Iterator[tuple[int, _Taken]]:
    """The leaves of a Rust use tree with their places; a plain path is not split."""
    if node.type in ("use_list", "scoped_use_list"):
        path, within = node.child_by_field_name("path"), node.child_by_field_name("list") or node
        inner = _path(prefix, snapshot.source(path)) if path else prefix
        for child in within.named_children:
            if not child.is_extra:
                yield from _leaves(snapshot, child, inner)
        return
    place, alias = snapshot.span(node)[0], None
    if node.type == "use_as_clause":
        alias, node = node.child_by_field_name("alias"), node.child_by_field_name("path") or node
    written = snapshot.source(node)
    here = snapshot.source(alias) if alias else None
    if not (prefix or here or written.endswith("*")):
        yield place, _Taken(written)
        return
    *scope, name = written.split("::")
    yield place, _Taken(_path(prefix, *scope), name, here)


def _path(*parts: str) -> str:
    return "::".join(part for part in parts if part)


# The statements of the grammars that bring names in.
_STATEMENT = re.compile(
    r"(?:future_)?import_(?:from_)?statement|import_(?:declaration|header|list)|use_declaration|using_directive"
    r"|namespace_use_declaration|preproc_include"
)


# What may stand before the imports of a file.
_BEFORE_IMPORTS = (
    "package_clause",
    "package_declaration",
    "package_header",
    "php_tag",
    "inner_attribute_item",
    "hash_bang_line",
)
_REST = re.compile(r"[ \t]*;?[ \t]*(?:#|//|/\*)[^\n]*")
_DOCS = re.compile(r"/\*\*|///|//!")


def import_statements(snapshot: Snapshot) -> tuple[tuple[int, int], ...]:
    """Where the import statements at the top of a file stand, in source order."""
    nodes = snapshot.tree.root_node.children if snapshot.tree else []
    return tuple(snapshot.span(node) for node in nodes if _STATEMENT.fullmatch(node.type))


def import_edit(lines: Sequence[str], snapshot: Snapshot) -> list[TextEdit]:
    """What adds import statements below those that a file has, or before its first code; none for what it has."""
    # One inside a function is that function's.
    present = {snapshot.text[start:end].strip() for start, end in import_statements(snapshot)}
    present |= {line for line in split_lines(snapshot.text) if line and not line[0].isspace()}
    fresh = [line for line in dict.fromkeys(lines) if line not in present]
    if not fresh:
        return []
    newline = detect_newline(snapshot.text)
    text = newline.join(line.replace("\n", newline) for line in fresh)
    if spans := import_statements(snapshot):
        end = spans[-1][0] + len(snapshot.text[slice(*spans[-1])].rstrip())
        # A comment behind it stays there.
        rest = _REST.match(snapshot.text, end)
        end = rest.end() if rest else end
        return [TextEdit(end, end, f"{newline}{text}")]
    at = _first_code(snapshot)
    return [TextEdit(at, at, f"{text}{newline}{newline}")]


def _first_code(snapshot: Snapshot) -> int:
    """Where the first statement of a file begins that is neither a comment nor its documentation."""
    nodes = snapshot.tree.root_node.children if snapshot.tree else []
    # Comments right above the first code belong to it.
    above: tuple[int, int] | None = None
    for node in nodes:
        start, end = snapshot.span(node)
        string = node.type == "expression_statement" and node.children and node.children[0].type == "string"
        if is_comment(node):
            adjoins = above and snapshot.text.count("\n", above[1], start) <= 1
            above = (above[0] if above and adjoins else start, end)
        elif string or node.type in _BEFORE_IMPORTS:
            above = None
        elif above and snapshot.text.count("\n", above[1], start) <= (0 if snapshot.text[above[1] - 1] == "\n" else 1):
            # But what a file begins with is the file's.
            return above[0] if snapshot.text[: above[0]].strip() or _DOCS.match(snapshot.text, above[0]) else start
        else:
            return start
    return len(snapshot.text)
