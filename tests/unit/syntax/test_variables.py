from __future__ import annotations

import pytest

from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.variables import renameable, variables

PYTHON = """\
def f(items, rate):
    s = 0
    d = {"x": 1}
    for x in items:
        s += x.y * rate
        d[x] = s
    q = [n for n in items]
    g(w=1, q=q)
    return d
"""
CASES = [
    ("python", PYTHON, {"s": 3, "d": 3, "n": 2}),
    ("python", 'def f():\n    s = 1\n    return f"{s}"\n', {"s": 2}),
    ("python", 'def f():\n    s = 1\n    return "s", s\n', {}),
    ("python", "def f():\n    s = 1  # s counts\n    return s\n", {}),
    ("python", "def f():\n    global s\n    s = 1\n    return s\n", {}),
    ("python", "def f(a):\n    s = a\n    return a.s + s\n", {}),
    ("python", "def f(s):\n    s = 1\n    return s\n", {}),
    ("python", "def f():\n    s = 1\n    return {s: s}\n", {"s": 3}),
    (
        "typescript",
        "function f() {\n  let s = 0;\n  const r = 1;\n  const t = 2;\n  return { s, r: r, u: t };\n}\n",
        {"t": 2},
    ),
    ("javascript", "function f() {\n  let s = 0;\n  return g(s);\n}\n", {"s": 2}),
    ("javascript", "function f() {\n  let s = 0;\n  return `${s} s`;\n}\n", {}),
    (
        "go",
        "func F(a []int) int {\n\ts := 0\n\tfor _, x := range a {\n\t\ts += x\n\t}\n\treturn s\n}\n",
        {"s": 3, "x": 2},
    ),
    ("rust", 'fn f() -> i32 {\n    let q = 1;\n    let s = 2;\n    println!("{q}");\n    s\n}\n', {"s": 2}),
    ("rust", "fn f() -> P {\n    let x = 1;\n    let y = 2;\n    P { x, y }\n}\n", {}),
    ("kotlin", "fun f(): Int {\n    val s = 1\n    return g(s = 2) + s\n}\n", {}),
    ("java", "class A { int f() { int s = 0; return s; } }", {"s": 2}),
    ("c", "int f(int *a) { int s = 0; return *a + s; }", {"s": 2}),
]


@pytest.mark.parametrize(("language", "code", "expected"), CASES)
def test_what_can_be_called_otherwise(language: str, code: str, expected: dict[str, int]) -> None:
    snapshot = Snapshot.open(f"<?php {code}" if language == "php" else code, language)
    (function,) = functions(snapshot)
    found = renameable(snapshot, function)
    assert {name: len(places) for name, places in found.items() if name != "_"} == expected
    for name, places in found.items():
        assert all(snapshot.text.startswith(name, place) for place in places)


def test_what_is_bound_and_read() -> None:
    snapshot = Snapshot.open(PYTHON, "python")
    (function,) = functions(snapshot)
    found = variables(snapshot, function)
    assert list(found.bound) == ["items", "rate", "s", "d", "x", "q", "n"]
    assert found.parameters == {"items", "rate"}
    used = [name.text for name in found.uses]
    assert used == ["items", "s", "x", "rate", "d", "x", "s", "n", "items", "q", "d"]
