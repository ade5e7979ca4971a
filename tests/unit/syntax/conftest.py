from __future__ import annotations

import importlib.util
from collections.abc import Iterator

import pytest

import tests.support.properties  # noqa: F401  (loads the profile)
from lsp_server.syntax import grammars, queries
from lsp_server.syntax.languages import Language


def _forget() -> None:
    grammars.load.cache_clear()
    queries.compiled.cache_clear()


@pytest.fixture
def only_wheels(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine where tree-sitter-languages is not installed."""

    def absent(language: Language) -> None:
        return None

    monkeypatch.setattr(grammars, "from_bundle", absent)
    _forget()
    yield
    _forget()


@pytest.fixture
def only_bundle(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on a machine where the official grammars are not installed."""
    if importlib.util.find_spec("tree_sitter_languages") is None:
        pytest.skip("tree-sitter-languages has no wheel for this Python")

    def absent(language: Language) -> None:
        return None

    monkeypatch.setattr(grammars, "from_wheel", absent)
    _forget()
    yield
    _forget()
