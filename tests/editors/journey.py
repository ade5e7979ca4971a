"""What the journeys with the real model are made through in each editor, and how what it says is looked at."""

from __future__ import annotations

import ast

# The small model finds this bug.
TOTAL = """\
def total(prices, rate):
    summed = 0
    for price in prices:
        summed += prices * rate
    return summed
"""
RATIO = '''"""Shares of a whole."""


def ratio(part, whole):
    share = part / whole
    return round(share, 2)


print(ratio(1, 3))
'''
LEVEL = '''def level(percent):
    """Say how full the store is.

    >>> level(40)
    'low'
    """
    if percent > 100:
        raise ValueError("too much")
    if percent > 50:
        return "high"
    return "low"
'''


def assert_documented(before: str, written: str, *parameters: str) -> None:
    """A file's second statement, a function, has documentation of its parameters, and nothing else is new."""
    function = ast.parse(written).body[1]
    assert isinstance(function, ast.FunctionDef), written
    documentation = ast.get_docstring(function) or ""
    assert all(part in documentation for part in ("Args:", "Returns:", *(f"{name}: " for name in parameters))), written
    lines = written.splitlines()
    assert [*lines[: function.lineno], *lines[function.body[1].lineno - 1 :]] == before.splitlines(), written


def assert_ratio_raises(written: str) -> None:
    """What was ``RATIO`` raises something in its function, and nothing around that is another than before."""
    before, _, after = RATIO.partition("    share")
    assert written.startswith(before), written
    assert written.endswith(after.partition("\n\n\n")[2]), written
    assert any(isinstance(node, ast.Raise) for node in ast.walk(ast.parse(written))), written
