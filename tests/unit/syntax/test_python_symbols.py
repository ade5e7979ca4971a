from __future__ import annotations

import pytest

from lsp_server.syntax.python_symbols import function_tables, unknown_names


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("import os\nfrom a import b as c\n\ndef f(x):\n    return os.sep + c + x + y\n", {"y"}),
        ("def f():\n    global g\n    g = 1\n\ndef h():\n    return g\n", set()),
        ("class A:\n    x = 1\n    def f(self):\n        return x\n", {"x"}),
        ("def f():\n    y = 1\n    return [lambda: y for z in range(3) if z]\n", set()),
        ("print(__file__, __name__, len, nothing)\n", {"nothing"}),
        ("try:\n    import a\nexcept ImportError:\n    a = None\n\ndef f():\n    return a\n", set()),
        ("from a import *\n\ndef f():\n    return anything\n", None),
        ("x = 'import *'\nprint(y)\n", {"y"}),
        ("no python\n", None),
        ("def f():\n    x = 1\n    del x\n    return undefined_later()\n", {"undefined_later"}),
    ],
)
def test_unknown_names(text: str, unknown: set[str] | None) -> None:
    assert unknown_names(text) == unknown


def test_tables_of_functions() -> None:
    tables = function_tables("def f():\n    def g():\n        pass\n\nclass A:\n    def g(self):\n        pass\n")
    assert {name: len(found) for name, found in tables.items()} == {"f": 1, "g": 2}
