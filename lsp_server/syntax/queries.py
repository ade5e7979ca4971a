"""Running the queries under ``queries/``, whatever grammar of the language is installed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Literal

import tree_sitter

from lsp_server.syntax import grammars
from lsp_server.syntax.generic import scope_patterns
from lsp_server.syntax.languages import Language
from lsp_server.syntax.snapshot import Snapshot

QueryName = Literal["scopes", "outline", "imports", "tests"]

Match = dict[str, list[tree_sitter.Node]]


def matches(snapshot: Snapshot, name: QueryName, span: tuple[int, int] | None = None) -> list[Match]:
    """Each match's nodes by capture name, in no promised order; none without a grammar or a query.

    Args:
        span: only what overlaps these offsets is looked at, and costs.
    """
    tree = snapshot.tree
    query = compiled(snapshot.language, name) if tree and snapshot.language else None
    if tree is None or query is None:
        return []
    cursor = tree_sitter.QueryCursor(query)
    if span:
        cursor.set_byte_range(*(snapshot.lines.byte_offset(offset) for offset in span))
    return [captures for _, captures in cursor.matches(tree.root_node)]


def patterns(language: Language, name: QueryName) -> list[str]:
    """The patterns of a language's query files, or of the generic ones. Blank lines divide them."""
    found: list[str] = []
    for folder in language.queries or ("generic",):
        file = files("lsp_server.syntax") / "queries" / folder / f"{name}.scm"
        if file.is_file():
            blocks = re.split(r"\n\s*\n", file.read_text(encoding="utf-8"))
            found += (block.strip() for block in blocks if re.search(r"^[^;\s]", block, re.MULTILINE))
    return found


def named_kinds(grammar: tree_sitter.Language, pattern: re.Pattern[str]) -> list[str]:
    """The kinds of nodes of a grammar whose whole names match a pattern, in order; those that it hides aside."""
    kinds = {
        kind
        for number in range(grammar.node_kind_count)
        if grammar.node_kind_is_named(number)
        and grammar.node_kind_is_visible(number)
        and (kind := grammar.node_kind_for_id(number))
        and pattern.fullmatch(kind)
    }
    return sorted(kinds)


def fits(grammar: tree_sitter.Language, pattern: str) -> bool:
    """Whether a grammar has the nodes and fields that a pattern, or some of them, names."""
    try:
        tree_sitter.Query(grammar, pattern)
    except tree_sitter.QueryError:
        return False
    return True


def query_of(grammar: tree_sitter.Language, patterns: Sequence[str]) -> tree_sitter.Query | None:
    """A query of those patterns that fit a grammar; None if none does.

    Grammars rename nodes between releases, and the bundle's are old: what fits is used, so that one renamed node costs
    one pattern and not the language. The tests hold the official wheels to every pattern.
    """
    try:
        return tree_sitter.Query(grammar, "\n".join(patterns)) if patterns else None
    except tree_sitter.QueryError:
        usable = _fitting(grammar, patterns)
        return tree_sitter.Query(grammar, "\n".join(usable)) if usable else None


def _fitting(grammar: tree_sitter.Language, patterns: Sequence[str]) -> list[str]:
    """Those that fit, of some that do not all. One by one they would take up to eight times as long as all at once."""
    if len(patterns) == 1:
        return []
    half = len(patterns) // 2
    found: list[str] = []
    for some in (patterns[:half], patterns[half:]):
        found += some if fits(grammar, "\n".join(some)) else _fitting(grammar, some)
    return found


@cache
def compiled(language: Language, name: QueryName) -> tree_sitter.Query | None:
    """A query of all patterns that fit the installed grammar; None if there is no grammar or no pattern."""
    grammar = grammars.load(language)
    if grammar is None:
        return None
    found = patterns(language, name)
    if name == "scopes" and not language.queries:
        found += scope_patterns(grammar)
    return query_of(grammar, found)
