from __future__ import annotations

from lsp_server.features.trial import Step
from lsp_server.features.trial.mutants import mutants
from lsp_server.features.trial.noticing import Call, best
from lsp_server.testing.shell import Seen


def changed(code: str, most: int = 99) -> set[str]:
    """The lines of the mutants that the function does not have."""
    lines = set(code.splitlines())
    return {line.strip() for one in mutants(code, most) for line in one.splitlines() if line not in lines}


def test_kinds_of_mutants() -> None:
    code = '''\
def f(a, b, on=True):
    """Adds 1."""
    if a < b and not on:
        a += 1
    log(a)
    if a in b:
        return g(a, b)
    return f"{a}: " + "é" if a else a * 2
'''
    assert changed(code) == {
        "def f(a, b, on=False):",
        "if (a <= b) and not on:",
        "if (a < b or not on):",
        "if a < b and (on):",
        "a -= 1",
        "a += (2)",
        "pass",
        "if (a not in b):",
        "return None",
        "return g(b, a)",
        "return f\"{a}: \" + '' if a else a * 2",
        'return f"{a}: " + "é" if (not (a)) else a * 2',
        'return f"{a}: " + "é" if a else (a + 2)',
        'return f"{a}: " + "é" if a else a * (3)',
    }


def test_they_are_spread_over_the_lines() -> None:
    code = "def f(a):\n    b = a + 1 - 2 * 3 + 4\n    return b > 5\n"
    assert len(changed(code, 2)) == 2
    assert any(line.startswith("return") for line in changed(code, 2))
    assert mutants("no code", 3) == []
    assert mutants("def f():\n    pass\n", 3) == []


def call(code: str, noticed: set[int], reached: set[int]) -> Call:
    return Call([Step(code, Seen(reached=frozenset(reached)))], noticed)


def test_the_best_notice_most_together() -> None:
    calls = [
        call("f(1, 2, 3)", {1, 2}, {1}),
        call("f(1)", {1}, {1}),
        call("f(2)", {3}, {1}),
        call("f(3)", {2, 3}, {1}),
        call("f(4, 4)", set(), {2}),
        call("f(5)", set(), {1}),
    ]
    assert [one.codes[0] for one in best(calls, 9)] == ["f(2)", "f(4, 4)", "f(1, 2, 3)"]
    assert [one.codes[0] for one in best(calls, 1)] == ["f(1, 2, 3)"]
    assert best([], 3) == []
