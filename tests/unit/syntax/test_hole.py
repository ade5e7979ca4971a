from __future__ import annotations

import pytest

from lsp_server.syntax.hole import Extent, extent_at
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor

LINE, STATEMENT, BLOCK = Extent.LINE, Extent.STATEMENT, Extent.BLOCK


def extent(marked: str, language: str = "python") -> Extent:
    text, offset = cursor(marked)
    return extent_at(Snapshot.open(text, language), offset)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("x = <|>\n", LINE),
        ("f(<|>)\n", LINE),
        ("f(a, <|>, b)\n", LINE),
        ("if x:<|>\n", BLOCK),
        ("if x: <|>\n", BLOCK),
        ("if x:<|>  # why\n", LINE),
        ("def f(x):<|>\n", BLOCK),
        ("x: <|>\n", LINE),
        ("d = {1:<|>}\n", LINE),
        ("x[1:<|>]\n", LINE),
        ("f = lambda x:<|>\n", LINE),
        ('x = "a:<|>"\n', LINE),
        ("# a:<|>\n", LINE),
        ("def f(x):\n    <|>\n", BLOCK),
        ("def f(x):\n    y = x\n    <|>\n", BLOCK),
        ("def f(x):\n    <|>\n    return x\n", STATEMENT),
        ("def f(x):\n    if x:\n        <|>\n    return x\n", BLOCK),
        ("class A:\n    x = 1\n    <|>\n", STATEMENT),
        ("class A:\n    <|>\n", STATEMENT),
        ("import a\n<|>\n", STATEMENT),
        ("<|>", STATEMENT),
        ("x = [\n    1,\n    <|>\n]\n", BLOCK),
        ("x = [\n    <|>\n    1,\n]\n", LINE),
        ("f(\n    a,\n    <|>\n    b,\n)\n", LINE),
    ],
)
def test_python(marked: str, expected: Extent) -> None:
    assert extent(marked) is expected


@pytest.mark.parametrize(
    ("language", "marked", "expected"),
    [
        ("javascript", "if (a) {<|>}\n", BLOCK),
        ("javascript", "if (a) { <|> }\n", BLOCK),
        ("javascript", "x = {<|>: 1}\n", LINE),
        ("javascript", "const f = () =><|>\n", BLOCK),
        ("javascript", "f(() => {<|>});\n", BLOCK),
        ("javascript", "function f() {\n  <|>\n}\n", BLOCK),
        ("javascript", "function f() {\n  <|>\n  return 1;\n}\n", STATEMENT),
        ("javascript", "const a = {\n  x: 1,\n  <|>\n};\n", BLOCK),
        ("javascript", "const a = {\n  <|>\n  x: 1,\n};\n", LINE),
        ("typescript", "class A {\n  x = 1;\n  <|>\n}\n", STATEMENT),
        ("go", "package a\n\nfunc f() {\n\t<|>\n}\n", BLOCK),
        ("go", "package a\n\nfunc f() {\n\t<|>\n\treturn\n}\n", STATEMENT),
        ("rust", "fn f() {\n    <|>\n}\n", BLOCK),
        ("ruby", "def f\n  <|>\nend\n", BLOCK),
        ("ruby", "def f\n  <|>\n  1\nend\n", STATEMENT),
        ("lua", "function f()\n  <|>\nend\n", BLOCK),
        ("shellscript", "for x in *; do<|>\n", BLOCK),
        ("shellscript", "if x; then <|>\n", BLOCK),
        ("shellscript", "undo<|>\n", LINE),
        ("brainfuck", "+++<|>\n", LINE),
        ("brainfuck", "<|>\n", BLOCK),
    ],
)
def test_other_languages(language: str, marked: str, expected: Extent) -> None:
    assert extent(marked, language) is expected
