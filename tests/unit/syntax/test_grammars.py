from __future__ import annotations

import dataclasses
import importlib.util

import pytest

from lsp_server.syntax import grammars
from lsp_server.syntax.languages import LANGUAGES, Language, language
from lsp_server.syntax.snapshot import Snapshot

FIRST_CLASS = [row for row in LANGUAGES if row.queries]
BUNDLED = pytest.mark.skipif(
    importlib.util.find_spec("tree_sitter_languages") is None, reason="no tree-sitter-languages for this Python"
)


def _row(language_id: str) -> Language:
    row = language(language_id)
    assert row is not None
    return row


@pytest.mark.parametrize("row", FIRST_CLASS, ids=lambda row: row.id)
@pytest.mark.usefixtures("only_wheels")
def test_first_class_languages_need_no_bundle(row: Language) -> None:
    assert grammars.load(row) is not None


@BUNDLED
@pytest.mark.parametrize("row", LANGUAGES, ids=lambda row: row.id)
def test_the_bundle_has_every_row(row: Language) -> None:
    assert grammars.from_bundle(row) is not None


@BUNDLED
def test_a_grammar_of_the_bundle_parses() -> None:
    tree = Snapshot.open("answer: 42\n", "yaml").tree
    assert tree is not None
    assert not tree.root_node.has_error


def test_the_wheel_is_preferred() -> None:
    row = _row("python")
    assert grammars.load(row) == grammars.from_wheel(row)


@pytest.mark.parametrize("wheel", ["tree_sitter_nowhere:language", "tree_sitter_python:nothing"])
def test_a_missing_wheel_is_no_grammar(wheel: str) -> None:
    assert grammars.from_wheel(dataclasses.replace(_row("python"), wheel=wheel)) is None


def test_an_unknown_symbol_is_no_grammar() -> None:
    assert grammars.from_bundle(dataclasses.replace(_row("python"), grammar="klingon")) is None


@pytest.mark.usefixtures("only_wheels")
def test_without_wheel_and_bundle_there_is_none() -> None:
    assert grammars.load(_row("haskell")) is None
