from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.statements import whole_statements

CODE = "import os\n\n\ndef f(a):\n    if a:\n        x = 1\n        y = (\n            2\n        )\n    return a\n"


@pytest.mark.parametrize(
    ("selected", "whole"),
    [
        ("x = 1", "x = 1"),
        ("= 1\n        y", "x = 1\n        y = (\n            2\n        )"),
        ("2", "2"),
        ("2\n        )", "y = (\n            2\n        )"),
        ("\n        x = 1\n", "x = 1"),
        ("1\n        y = (\n            2\n        )\n    ret", CODE[CODE.index("if a") :].rstrip()),
        ("os\n\n\ndef", CODE.rstrip()),
        ("f(a)", CODE[CODE.index("def f") :].rstrip()),
    ],
)
def test_a_selection_grows_to_what_stands_alone_on_its_lines(selected: str, whole: str) -> None:
    start = CODE.index(selected)
    found = whole_statements(Snapshot.open(CODE, "python"), start, start + len(selected))
    assert found is not None
    assert CODE[slice(*found)] == whole


def test_nothing_is_selected() -> None:
    snapshot = Snapshot.open("a = 1\n\n   \n", "python")
    assert whole_statements(snapshot, 6, 10) is None


def test_without_a_grammar_lines_are_taken() -> None:
    snapshot = Snapshot.open("one two\nthree\n", "plaintext")
    assert whole_statements(snapshot, 4, 9) == (0, 13)


@given(st.integers(0, len(CODE)), st.integers(0, len(CODE)))
def test_it_holds_the_selection_and_whole_lines(one: int, other: int) -> None:
    start, end = sorted((one, other))
    found = whole_statements(Snapshot.open(CODE, "python"), start, end)
    if found is None:
        assert not CODE[start:end].strip()
        return
    before, after = CODE[: found[0]], CODE[found[1] :]
    assert before.rpartition("\n")[2].strip() == "" == after.partition("\n")[0].strip()
    assert CODE[start:end].strip() in CODE[slice(*found)]
