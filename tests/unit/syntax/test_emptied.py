from __future__ import annotations

import pytest

from lsp_server.syntax.emptied import emptied
from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "def f(a):\n    '''Doc.'''\n    return a\n", "def f(a):\n    return None\n"),
        ("python", "def f(a): return a\n", "def f(a): return None\n"),
        (
            "typescript",
            "export function f(a: number): number {\n  return a;\n}\n",
            "export function f(a: number): number {}\n",
        ),
        ("javascript", "const f = (a) => a + 1;\n", "const f = (a) => undefined;\n"),
        ("javascript", "class A { f(a) { return a; } }\n", "class A { f(a) {} }\n"),
        ("rust", "fn f(a: i32) -> i32 {\n    a\n}\n", "fn f(a: i32) -> i32 { unimplemented!() }\n"),
        ("java", "class A { int f(int a) { return a; } }\n", "class A { int f(int a) { return 0; } }\n"),
        ("java", "class A { boolean f() { return x; } }\n", "class A { boolean f() { return false; } }\n"),
        ("java", "class A { List<String> f() { return x; } }\n", "class A { List<String> f() { return null; } }\n"),
        ("java", "class A { void f() { x(); } }\n", "class A { void f() {  } }\n"),
        (
            "go",
            "package a\n\nfunc f(a int) (int, error) {\n\treturn a, nil\n}\n",
            (
                "package a\n\nfunc f(a int) (int, error) { return *new(int), *new(error) }\n\n"
                "func fAsItWas(a int) (int, error) {\n\treturn a, nil\n}\n"
            ),
        ),
        (
            "go",
            "package a\n\nfunc (c *C) f() map[string]int { return c.m }\n",
            (
                "package a\n\nfunc (c *C) f() map[string]int { return *new(map[string]int) }\n\n"
                "func (c *C) fAsItWas() map[string]int { return c.m }\n"
            ),
        ),
        (
            "go",
            "package a\n\nfunc f() (n int, err error) { return }\n",
            "package a\n\nfunc f() (n int, err error) { return }\n\nfunc fAsItWas() (n int, err error) { return }\n",
        ),
    ],
)
def test_a_function_that_does_nothing(language: str, text: str, expected: str) -> None:
    snapshot = Snapshot.open(text, language)
    assert emptied(snapshot, functions(snapshot)[0]) == expected


def test_what_cannot_be_emptied() -> None:
    for language, text in (("java", "interface A { int f(); }\n"), ("ruby", "def f\n  1\nend\n")):
        snapshot = Snapshot.open(text, language)
        assert emptied(snapshot, functions(snapshot)[0]) is None
