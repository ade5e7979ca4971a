from __future__ import annotations

import pytest

from lsp_server.syntax.python_flow import flow
from lsp_server.syntax.python_symbols import defined_names, import_statements, unknown_names
from lsp_server.syntax.python_tree import bare, reads, unreachable


@pytest.mark.parametrize("code", ["x = (", "x = \0", "x = " + "-" * 100_000 + "1", "x = " + "1 + " * 50_000 + "1"])
def test_what_python_cannot_read_is_said_so_by_all(code: str) -> None:
    """Also where it gives up: a generated table may be nested deeper than Python goes."""
    assert not reads(code)
    assert unreachable(code) == 0
    assert bare(code, annotations=True) is None
    assert unknown_names(code) is None
    assert (defined_names(code), import_statements(code)) == (set(), {})
    assert flow(code, 1, 1, 1) is None


def test_what_code_does_without_its_layout() -> None:
    plain = "def f(a):\n    return a\n"
    told = 'def f(\n    a: int,\n) -> int:\n    """Says it."""\n    return a  # as it is\n'
    assert bare(plain, annotations=False) == bare(told, annotations=False)
    assert bare(plain, annotations=True) != bare(told, annotations=True)


def test_statements_that_are_never_reached() -> None:
    assert unreachable("def f():\n    return 1\n    x = 2\n    y = 3\n") == 2
    assert unreachable("for x in y:\n    if x:\n        continue\n    print(x)\n") == 0
