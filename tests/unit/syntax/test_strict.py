from __future__ import annotations

import pytest

from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.strict import Refusal, refusal
from tests.support.cursor import cursor


def refused(marked: str, language: str = "python") -> bool:
    text, offset = cursor(marked)
    return refusal(Snapshot.open(text, language), offset) is not None


@pytest.mark.parametrize(
    "marked",
    [
        "x = 1<|>\n",
        "def f():\n    return 1<|>\n",
        "class A:\n    def f(self):\n        if x:\n            <|>pass\n",
        "    def f():\n        return 1<|>\n",
        'if x:\n    class A:\n        s = """\nleft\n"""\n        def f(self):\n            return 1<|>\n',
        "await x<|>\n",
        "",
    ],
)
def test_what_python_takes(marked: str) -> None:
    assert not refused(marked or "<|>")


@pytest.mark.parametrize(
    "marked",
    [
        "def f():<|>\n",
        "def f():\n    try:\n        x()<|>\n    return 1\n",
        "def f():\n    if x:\n    <|>return 1\n",
        "x = yield = 1<|>\n",
        "def f(a, a=1, b):\n    <|>pass\n",
        "x = '\0'<|>\n",
        "return 1<|>\n",
        "def f():\n    for i in x:\n        pass\n    break<|>\n",
    ],
)
def test_what_it_refuses_though_the_grammar_may_not(marked: str) -> None:
    assert refused(marked)


def test_only_the_code_around_counts() -> None:
    broken = "def g(:\n    pass\n"
    assert not refused(f"def f():\n    return 1<|>\n\n\n{broken}")
    assert refused(f"x = 1<|>\n\n\n{broken}")


def test_other_languages_and_long_texts_are_not_asked() -> None:
    assert not refused("function f( {<|>\n", "javascript")
    assert not refused("def f():\n" + "    x = 1\n" * 10_000 + "    y = <|>\n")


def test_where_it_refuses() -> None:
    text, offset = cursor("x = 1\n\n\ndef f():\n    y = 1\n    z = = 2<|>\n")
    assert refusal(Snapshot.open(text, "python"), offset) == Refusal(5, unfinished=False)
    text, offset = cursor("if x:\n    def f():\n        y = = 1<|>\n")
    assert refusal(Snapshot.open(text, "python"), offset) == Refusal(2, unfinished=False)


@pytest.mark.parametrize("marked", ["def f():\n    if x:<|>\n", "for i in x<|>\n", "def f():\n    try:\n        x<|>"])
def test_what_is_only_unfinished(marked: str) -> None:
    text, offset = cursor(marked)
    found = refusal(Snapshot.open(text, "python"), offset)
    assert found is not None
    assert found.unfinished
