from __future__ import annotations

from typing import get_args

import pytest

from lsp_server.syntax import grammars, queries
from lsp_server.syntax.languages import LANGUAGES, Language
from lsp_server.syntax.queries import QueryName
from lsp_server.syntax.snapshot import Snapshot

FIRST_CLASS = [row for row in LANGUAGES if row.queries]
KNOWN = {
    "scopes": {
        "function", "class", "interface", "struct", "enum", "trait", "impl", "module", "object", "file", "name",
        "container", "parameters", "returns", "declarator", "body", "async", "docstring", "wrapper", "attribute",
        "comment", "raise", "parameter", "parameter.name", "parameter.type", "parameter.default",
    },
    "outline": {"constant", "field", "attribute", "function", "method", "type", "interface", "struct", "enum", "name"},
    "imports": {"module", "name", "alias", "relative", "tree"},
    "tests": {"case", "name"},
}  # fmt: skip


@pytest.mark.parametrize("row", FIRST_CLASS, ids=lambda row: row.id)
@pytest.mark.parametrize("name", get_args(QueryName))
def test_every_pattern_fits_the_grammar_it_is_for(row: Language, name: QueryName) -> None:
    wheel, bundle = grammars.from_wheel(row), grammars.from_bundle(row)
    assert wheel is not None
    for pattern in queries.patterns(row, name):
        if not pattern.startswith("; bundle"):
            assert queries.fits(wheel, pattern), pattern
        elif bundle is not None:
            assert queries.fits(bundle, pattern), pattern


@pytest.mark.parametrize("row", FIRST_CLASS, ids=lambda row: row.id)
@pytest.mark.parametrize("name", get_args(QueryName))
def test_only_known_captures_are_used(row: Language, name: QueryName) -> None:
    query = queries.compiled(row, name)
    captures = {query.capture_name(index) for index in range(query.capture_count)} if query else set()
    assert {capture for capture in captures if not capture.startswith("_")} <= KNOWN[name]


def test_every_first_class_language_has_scopes_and_an_outline() -> None:
    missing = [
        (row.id, name) for row in FIRST_CLASS for name in ("scopes", "outline") if not queries.patterns(row, name)
    ]
    assert missing == []


def test_what_does_not_fit_is_left_out_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = ["(no_such_node) @comment", "(identifier) @name"]
    monkeypatch.setattr(queries, "patterns", lambda language, name: patterns)
    queries.compiled.cache_clear()
    try:
        found = queries.matches(Snapshot.open("a", "python"), "scopes")
        assert [list(match) for match in found] == [["name"]]
    finally:
        queries.compiled.cache_clear()


def test_no_language_no_matches() -> None:
    assert queries.matches(Snapshot.open("a", "klingon"), "scopes") == []


def test_only_what_overlaps_a_span_is_looked_at() -> None:
    text = "é = 1\ndef f(): pass\ndef g(): pass\n"
    place = text.index("g")
    found = queries.matches(Snapshot.open(text, "python"), "scopes", (place, place + 1))
    names = [node.text for match in found for node in match.get("name", ())]
    assert names == [b"g"]


def test_a_language_without_queries_has_generic_ones() -> None:
    row = Language("plain", "Plain", (), "//", "", wheel="tree_sitter_java:language")
    assert queries.patterns(row, "scopes") != []
    assert queries.patterns(row, "imports") == []
    assert queries.compiled(row, "scopes") is not None
