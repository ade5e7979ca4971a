"""What is said of some statements by themselves; what is made of it stands in the tests of extracting."""

from __future__ import annotations

import sys

import pytest

from lsp_server.syntax.python_flow import Flow, flow

TRIED = """\
def f(a, b):
    x = 0
    try:
        x = a()
        b(x)
    {handler} ValueError:
        pass
    return x
"""


def test_what_statements_take_and_give() -> None:
    source = "def f(a):\n    b = a + 1\n    c = b * 2\n    return c\n"
    assert flow(source, 1, 2, 3) == Flow(inputs=("a",), outputs=("c",))
    assert flow(source, 1, 3, 4) == Flow(inputs=("b",), returns=True)


@pytest.mark.parametrize(
    "handler",
    [
        "except",
        pytest.param("except*", marks=pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 has it")),
    ],
)
def test_what_is_given_a_value_before_something_fails_keeps_it(handler: str) -> None:
    found = flow(TRIED.format(handler=handler), 1, 4, 5)
    assert found is not None
    assert found.hindrance == "x would be lost if it fails"
    assert flow(TRIED.format(handler=handler).replace("    x = 0\n", ""), 1, 7, 7) == Flow(
        hindrance="x may have no value there"
    )


def test_what_is_no_python_or_no_whole_statement() -> None:
    assert flow("def f(:\n    x = 1\n", 1, 2, 2) is None
    assert flow("def f():\n    x = (1,\n         2)\n", 1, 3, 3) is None
    assert flow("def f():\n    x = 1\n", 2, 2, 2) is None
