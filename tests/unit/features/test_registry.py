from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.registry import COMMAND_ACTIONS, EDIT_ACTIONS
from lsp_server.features.types import find_class
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor
from tests.support.features import target_of


def titles(marked: str, language: str = "python") -> dict[str, str]:
    """The titles of the edit actions that are offered at the cursor, by name."""
    text, offset = cursor(marked)
    snapshot = Snapshot.open(text, language)
    found = {}
    for action in EDIT_ACTIONS:
        try:
            target = action.find(snapshot, offset, PurePosixPath("calc.x"))
        except RefusedError:
            continue
        if action.offered(target):
            found[action.name] = action.title(target)
    return found


def test_names_are_unique() -> None:
    names = [action.name for action in (*EDIT_ACTIONS, *COMMAND_ACTIONS)]
    assert len(names) == len(set(names))


def test_titles_name_the_target() -> None:
    assert titles("class A:\n    def area(self):\n        <|>pass\n") == {
        "docstring": "Write documentation of area",
        "classDocstring": "Write documentation of A",
        "addTypes": "Add types to area",
        "unitTests": "Write unit tests for area",
        "classTests": "Write unit tests for A",
        "simplify": "Simplify area",
        "optimise": "Optimise area",
        "toAsync": "Make area async",
        "fileTests": "Write unit tests for calc.x",
        "missingDocstrings": "Write all missing documentation of calc.x",
    }
    target = target_of("def area():\n    <|>pass\n")
    assert [action.title(target) for action in COMMAND_ACTIONS] == ["Explain area", "Find bugs in area"]


@pytest.mark.parametrize(
    ("head", "verb"),
    [
        ("def area(r):", "Complete"),
        ("def area():", "Rewrite"),
        ("class A:\n  def area(self):", "Rewrite"),
        ("def area() -> int:", "Complete"),
    ],
)
def test_what_is_documented_is_completed_or_written_anew(head: str, verb: str) -> None:
    marked = f'{head}\n      """It."""\n      <|>pass\n'
    assert titles(marked)["docstring"] == f"{verb} documentation of area"


def test_only_what_makes_sense_is_offered() -> None:
    assert list(titles("package a\n\n// A does it.\nfunc A() {<|>}\n", "go")) == [
        "docstring",
        "unitTests",
        "simplify",
        "optimise",
        "fileTests",
    ]
    assert list(titles('"""It."""\n<|>x = 1\n')) == []
    assert list(titles("x = 1\n<|>\ndef _hidden(): ...\n")) == []


def test_the_class_is_the_innermost() -> None:
    text, offset = cursor("class A:\n    class B:\n        x = 1<|>\n")
    assert find_class(Snapshot.open(text, "python"), offset, PurePosixPath("a.py")).name == "B"
