from __future__ import annotations

from lsp_server.features.registry import COMMAND_ACTIONS, EDIT_ACTIONS
from tests.support.features import target_of

PYTHON = target_of("def a():\n    <|>pass\n")
GO = target_of("package a\n\nfunc a() {<|>}\n", "go")


def test_names_are_unique() -> None:
    names = [action.name for action in (*EDIT_ACTIONS, *COMMAND_ACTIONS)]
    assert len(names) == len(set(names))


def test_titles_name_the_function() -> None:
    for action in (*EDIT_ACTIONS, *COMMAND_ACTIONS):
        assert "area" in action.title.format(name="area")


def test_only_what_makes_sense_is_offered() -> None:
    assert [action.name for action in EDIT_ACTIONS if action.offered(PYTHON)] == ["docstring", "unitTests", "simplify"]
    assert [action.name for action in EDIT_ACTIONS if action.offered(GO)] == ["docstring", "simplify"]
