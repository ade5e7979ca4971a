from __future__ import annotations

import pytest

from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.swaps import swaps

PYTHON = """\
def f(self, items, *, key=None):
    total = 0
    for i, item in enumerate(items):
        if item.size <= 1 and not key:
            total += g(item, i)
    return "a < b" if total is None else items[len(items)]  # 1 < 2
"""


def found(code: str, language: str) -> set[tuple[str, str]]:
    snapshot = Snapshot.open(code, language)
    (function,) = functions(snapshot)
    return {(code[swap.start : swap.end], other) for swap in swaps(snapshot, function) for other in swap.alternatives}


def test_names_operators_and_steps() -> None:
    all_of_it = found(PYTHON, "python")
    for swap in [
        ("items", "key"),
        ("item", "items"),
        ("<=", "<"),
        ("and", "or"),
        ("not ", ""),
        ("", "not "),
        ("+=", "-="),
        ("1", "0"),
        ("item, i", "i, item"),
        ("is", "is not"),
        ("", " - 1"),
    ]:
        assert swap in all_of_it
    # Not in a string, nor in a comment; not before it is there; and what is no variable of the function's is none.
    assert ("<", "<=") not in all_of_it
    assert ("items", "item") in all_of_it
    assert not any(before in ("g", "len", "enumerate", "size") or other in ("g", "len") for before, other in all_of_it)


def test_a_name_is_not_replaced_by_one_that_comes_later() -> None:
    all_of_it = found("def f(a):\n    b = g[a]\n    c = b\n    return c\n", "python")
    assert ("b", "a") in all_of_it
    assert ("a", "c") not in all_of_it


@pytest.mark.parametrize(
    ("language", "code", "swap"),
    [
        ("typescript", "function f(a: A[], n: number) {\n  if (a.length === n && !n) return 1;\n}\n", ("===", "!==")),
        ("typescript", "function f(a: A[], n: number) {\n  if (a.length === n && !n) return 1;\n}\n", ("!", "")),
        ("javascript", "function f(a, b) {\n  return g(a, b);\n}\n", ("a, b", "b, a")),
        ("go", "func F(a []int, n int) int {\n\treturn a[n] - 1\n}\n", (" - 1", "")),
        ("java", "class A { boolean f(List<String> a, int n) { return n >= 0 || true; } }", ("||", "&&")),
        ("rust", "fn f(a: i32) -> bool { a > 1 }", (">", ">=")),
        ("php", "<?php function f($a, $b) { return $a + 1; }", ("a", "b")),
        ("c", "int f(int *a, int n) { return *a * n; }", ("*", "/")),
    ],
)
def test_in_many_languages(language: str, code: str, swap: tuple[str, str]) -> None:
    assert swap in found(code, language)


def test_types_and_pointers_are_no_operators() -> None:
    assert ("<", "<=") not in found("class A { int f(List<String> a) { List<Integer> b = a; return 3; } }", "java")
    assert ("*", "/") not in found("int f(int *a) { int *b = a; return 3; }", "c")


def test_without_a_grammar_there_are_none() -> None:
    snapshot = Snapshot.open(PYTHON, "python")
    (function,) = functions(snapshot)
    assert swaps(Snapshot.open(PYTHON, "plaintext"), function) == ()
