from __future__ import annotations

import pytest

from lsp_server.syntax.python_symbols import defined_names, function_tables, import_statements, unknown_names


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


def test_what_is_brought_and_what_is_defined_at_the_top() -> None:
    code = """\
from __future__ import annotations
import os.path, re as regex
from .a import (
    b,  # the first
    c as d,
)
from e import *
if TYPE_CHECKING:
    from f import G

one, (two, three) = 1, (2, 3)
four: int = 4


def five():
    import six


class Seven: ...
"""
    assert import_statements(code) == {
        "annotations": "from __future__ import annotations",
        "os": "import os.path",
        "regex": "import re as regex",
        "b": "from .a import b",
        "d": "from .a import c as d",
        "G": "from f import G",
    }
    assert defined_names(code) == {"one", "two", "three", "four", "five", "Seven"}
    assert import_statements("import (") == {}
    assert defined_names("x = (") == set()
