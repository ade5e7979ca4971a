from __future__ import annotations

import pytest

from lsp_server.features.unit_tests.joining import join_imports


@pytest.mark.parametrize(
    ("text", "statement", "joined"),
    [
        ("from a import b\n\nx = 1\n", "from a import b", "from a import b\n\nx = 1\n"),
        ("from a import b\n\nx = 1\n", "from a import c", "from a import b, c\n\nx = 1\n"),
        ("import os\n\nx = 1\n", "from a import c", "import os\nfrom a import c\n\nx = 1\n"),
        # In brackets: a line of its own.
        (
            "from a import (b,\n    c)\nx = 1\n",
            "from a import d",
            "from a import (b,\n    c)\nfrom a import d\nx = 1\n",
        ),
        # What a function imports is that function's.
        (
            "import os\n\n\ndef f():\n    from a import c\n",
            "from a import c",
            "import os\nfrom a import c\n\n\ndef f():\n    from a import c\n",
        ),
    ],
)
def test_imports_of_python(text: str, statement: str, joined: str) -> None:
    assert join_imports(text, [statement], "python") == joined


def test_imports_of_a_group_and_of_a_module_are_seen_where_they_are_indented() -> None:
    go = 'package a\n\nimport (\n\t"testing"\n)\n'
    assert join_imports(go, ['import "testing"'], "go") == go
    rust = "#[cfg(test)]\nmod tests {\n    use super::*;\n    use std::fmt;\n}\n"
    assert join_imports(rust, ["use std::fmt;"], "rust") == rust
