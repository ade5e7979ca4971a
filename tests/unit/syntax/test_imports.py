from __future__ import annotations

import pytest

from lsp_server.syntax.imports import Import, import_edit, imports
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import apply_edits


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import a.b", [Import("a.b")]),
        ("import a.b as c, d", [Import("a.b", aliases=(("*", "c"),)), Import("d")]),
        ("from . import x", [Import("", ("x",), 1)]),
        ("from .m import a as b, c", [Import("m", ("a", "c"), 1, (("a", "b"),))]),
        ("from ...p.q import (\n    x,\n    y,\n)", [Import("p.q", ("x", "y"), 3)]),
        ("from m import *", [Import("m", ("*",))]),
        ("from __future__ import annotations", [Import("__future__", ("annotations",))]),
        ("def f():\n    if x:\n        import y\n", [Import("y")]),
        ("from a import", []),
        ("x = 'import y'", []),
    ],
)
def test_python(text: str, expected: list[Import]) -> None:
    assert list(imports(Snapshot.open(text, "python"))) == expected


@pytest.mark.parametrize("language_id", ["javascript", "javascriptreact", "typescript", "typescriptreact"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import './side';", [Import("./side")]),
        ("import d, { a as b, c } from './m';", [Import("./m", ("d", "a", "c"), aliases=(("a", "b"),))]),
        ('import * as ns from "n";', [Import("n", ("*",), aliases=(("*", "ns"),))]),
        ("const x = require('y');", [Import("y")]),
        ("const x = await import('./z');", [Import("./z")]),
        ("export { a } from './b';", [Import("./b", ("a",))]),
        ("export { a as c, default as D } from './b';", [Import("./b", ("a", "D"), aliases=(("a", "c"),))]),
        ("import { default as D } from './b';", [Import("./b", ("D",))]),
        ("export * from './b';", [Import("./b", ("*",))]),
        ("export * as ns from './b';", [Import("./b")]),
        ("export { a };", []),
        ("notrequire('y');", []),
    ],
)
def test_javascript_and_typescript(language_id: str, text: str, expected: list[Import]) -> None:
    assert list(imports(Snapshot.open(text, language_id))) == expected


@pytest.mark.parametrize(
    ("language_id", "text", "expected"),
    [
        ("go", 'package m\nimport (\n\t"fmt"\n\tx "a/b"\n)\n', [Import("fmt"), Import("a/b", aliases=(("*", "x"),))]),
        (
            "rust",
            "use std::io::{self, Read as R};\nuse a::b;\nuse a::b as c;\n",
            [
                Import("std::io", ("self", "Read"), aliases=(("Read", "R"),)),
                Import("a::b"),
                Import("a", ("b",), aliases=(("b", "c"),)),
            ],
        ),
        (
            "rust",
            "use crate::{config::Config, db, a::{b::{C, D as E}, /* x */ f::*}};\nuse super::*;\n",
            [
                Import("crate::config", ("Config",)),
                Import("crate", ("db",)),
                Import("crate::a::b", ("C", "D"), aliases=(("D", "E"),)),
                Import("crate::a::f", ("*",)),
                Import("super", ("*",)),
            ],
        ),
        ("java", "import a.b.C;\nimport static a.D.*;\n", [Import("a.b.C"), Import("a.D", ("*",))]),
        ("c", '#include <stdio.h>\n#include "a.h"\n', [Import("stdio.h"), Import("a.h")]),
        ("ruby", "require_relative 'a'\nputs 'b'\n", [Import("a")]),
        ("shellscript", ". ./a.sh\necho b\n", [Import("./a.sh")]),
        ("sql", "SELECT 1;\n", []),
        ("klingon", "import a\n", []),
    ],
)
def test_other_languages(language_id: str, text: str, expected: list[Import]) -> None:
    assert list(imports(Snapshot.open(text, language_id))) == expected


@pytest.mark.parametrize(
    ("language", "text", "line", "expected"),
    [
        ("java", "package a;\n\nclass A {}\n", "import b.C;", "package a;\n\nimport b.C;\n\nclass A {}\n"),
        ("rust", "#![no_std]\n\nfn f() {}\n", "use a::B;", "#![no_std]\n\nuse a::B;\n\nfn f() {}\n"),
        ("javascript", "#!/usr/bin/env node\nf();\n", "import a;", "#!/usr/bin/env node\nimport a;\n\nf();\n"),
        (
            "javascript",
            "/** Loads. */\nfunction load() {}\n",
            "import a;",
            "import a;\n\n/** Loads. */\nfunction load() {}\n",
        ),
        (
            "python",
            "# The file.\n\n# Of f.\ndef f(): ...\n",
            "import a",
            "# The file.\n\nimport a\n\n# Of f.\ndef f(): ...\n",
        ),
        ("python", "# The file.\ndef f(): ...\n", "import a", "# The file.\nimport a\n\ndef f(): ...\n"),
        ("python", "import os  # noqa\n\nf()\n", "import a", "import os  # noqa\nimport a\n\nf()\n"),
        (
            "python",
            "import os\n\ndef f():\n    import a\n",
            "import a",
            "import os\nimport a\n\ndef f():\n    import a\n",
        ),
    ],
)
def test_where_an_import_goes(language: str, text: str, line: str, expected: str) -> None:
    assert apply_edits(text, import_edit([line], Snapshot.open(text, language))) == expected
