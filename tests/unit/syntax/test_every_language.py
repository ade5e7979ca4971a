"""Each row of the language table against one small sample, with the official grammar and with the bundle's."""

from __future__ import annotations

import pytest

from lsp_server.syntax.around import enclosing
from lsp_server.syntax.imports import imports
from lsp_server.syntax.languages import LANGUAGES, Language
from lsp_server.syntax.names import name_counts
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.regions import Region, region_at
from lsp_server.syntax.scopes import FunctionScope, enclosing_function, functions
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor
from tests.unit.syntax.samples import DATA, GENERIC, SAMPLES, Sample

ROWS = [row for row in LANGUAGES if row.queries]


def _look(row: Language) -> tuple[Sample, Snapshot, FunctionScope]:
    sample = SAMPLES[row.id]
    text, offset = cursor(sample.text)
    snapshot = Snapshot.open(text, row.id)
    assert snapshot.tree is not None
    assert not snapshot.tree.root_node.has_error
    scope = enclosing_function(snapshot, offset)
    assert scope is not None
    assert functions(snapshot) == (scope,)
    assert scope.name == "add"
    assert text[scope.body_start : scope.body_end] == sample.body
    return sample, snapshot, scope


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@pytest.mark.usefixtures("only_wheels")
def test_with_the_official_grammar(row: Language) -> None:
    sample, snapshot, scope = _look(row)
    assert scope.signature == sample.signature
    written = " ".join(
        p.name + (f":{p.annotation}" if p.annotation else "") + (f"={p.default}" if p.default else "")
        for p in scope.parameters
    )
    assert written == sample.parameters
    assert snapshot.text[scope.docstring_start : scope.docstring_end] == sample.doc
    assert (scope.kind, scope.class_name) == ("method" if sample.class_name else "function", sample.class_name)
    assert render(outline(snapshot), row).strip() == sample.stub
    assert tuple(found.module for found in imports(snapshot)) == sample.modules


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
@pytest.mark.usefixtures("only_bundle")
def test_with_the_grammar_of_the_bundle(row: Language) -> None:
    sample, snapshot, scope = _look(row)
    assert scope.signature == sample.signature
    assert snapshot.text[scope.docstring_start : scope.docstring_end] == sample.doc


def test_every_row_has_a_sample() -> None:
    assert [row.id for row in LANGUAGES if row.queries] == list(SAMPLES)
    assert sorted(row.id for row in LANGUAGES if not row.queries) == sorted((*GENERIC, *DATA))


@pytest.mark.parametrize("language_id", GENERIC)
@pytest.mark.usefixtures("only_bundle")
def test_functions_of_a_language_without_queries(language_id: str) -> None:
    text, offset = cursor(GENERIC[language_id])
    snapshot = Snapshot.open(text, language_id)
    assert snapshot.tree is not None
    assert not snapshot.tree.root_node.has_error
    scope = enclosing_function(snapshot, offset)
    assert scope is not None
    assert (scope.name, scope.class_name in ("K", "k", None)) == ("add", True)
    assert "add" in scope.signature
    assert "\n" not in scope.signature
    assert "add" in {symbol.name for symbol in outline(snapshot)}
    assert [around.name for around in enclosing(snapshot, offset)][:1] == ["add"]
    assert name_counts(snapshot)["add"] >= 1
    assert region_at(snapshot, offset) is Region.CODE
    if (comment := text.find("Adds.")) >= 0:
        assert region_at(snapshot, comment) is Region.COMMENT
        assert "Adds" not in name_counts(snapshot)


@pytest.mark.parametrize("language_id", DATA)
@pytest.mark.usefixtures("only_bundle")
def test_data_and_markup_are_parsed(language_id: str) -> None:
    snapshot = Snapshot.open(DATA[language_id], language_id)
    assert snapshot.tree is not None
    assert not snapshot.tree.root_node.has_error
    assert functions(snapshot) == ()
