from __future__ import annotations

import asyncio
import random
from pathlib import PurePosixPath

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.extract import can_extract, extract_function
from lsp_server.features.types import FileEdit, find_selection, find_target
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import apply_edits
from tests.support.features import tools_of


def extracted(marked: str, said: str = "new_one`") -> tuple[FileEdit, str]:
    """What comes of the statements between ``«`` and ``»``."""
    start, end = marked.index("«"), marked.index("»") - 1
    text = marked.replace("«", "").replace("»", "")
    selection = find_selection(Snapshot.open(text, "python"), start, end, PurePosixPath("a.py"))
    edit = asyncio.run(extract_function(selection, tools_of(said)))
    return edit, apply_edits(text, edit.edits)


def test_what_it_takes_and_gives() -> None:
    edit, text = extracted(
        "def total(items: list[int], rate):\n    found = 0\n    «for item in items:\n        found += item * rate»\n"
        "    return found\n\n\nx = 1\n",
        "add_up`",
    )
    assert text == (
        "def total(items: list[int], rate):\n    found = 0\n    found = add_up(items, rate, found)\n"
        "    return found\n\n\n"
        "def add_up(items: list[int], rate, found):\n"
        "    for item in items:\n        found += item * rate\n"
        "    return found\n\n\nx = 1\n"
    )
    assert edit.title == "Extract add_up from total"
    assert edit.notes == ("add_up takes items, rate, found and gives found.",)


@pytest.mark.parametrize(
    ("decorator", "first", "call", "head"),
    [
        ("", "self, ", "self.new_one(x)", "    def new_one(self, x):\n"),
        ("    @classmethod\n", "cls, ", "cls.new_one(x)", "    @classmethod\n    def new_one(cls, x):\n"),
        ("    @staticmethod\n", "", "A.new_one(x)", "    @staticmethod\n    def new_one(x):\n"),
        ("", "this, ", "A.new_one(x)", "    @staticmethod\n    def new_one(x):\n"),
    ],
)
def test_methods(decorator: str, first: str, call: str, head: str) -> None:
    marked = f"class A:\n{decorator}    def f({first}x):\n        # Twice.\n        «y = x * 2»\n        return y\n"
    assert extracted(marked)[1] == (
        f"class A:\n{decorator}    def f({first}x):\n        # Twice.\n        y = {call}\n        return y\n\n"
        f"{head}        y = x * 2\n        return y\n"
    )


def test_a_return_is_returned_and_what_waits_is_awaited() -> None:
    assert extracted("async def f(x):\n    «a = await g(x)\n    return a»\n")[1] == (
        "async def f(x):\n    return await new_one(x)\n\n\nasync def new_one(x):\n    a = await g(x)\n    return a\n"
    )


def test_what_the_next_turn_of_a_loop_needs_is_given_back() -> None:
    loop = "    for x in xs:\n        «if seen == x:\n            print(x)\n        seen = x»\n"
    marked = f"def f(xs):\n    seen = None\n{loop}"
    assert "        seen = new_one(seen, x)\n" in extracted(marked)[1]


def test_a_nested_function_stays_where_it_sees_what_is_around_it() -> None:
    marked = "def f(k):\n    def g(x):\n        «y = x + k»\n        return y\n    return g\n"
    assert extracted(marked)[1] == (
        "def f(k):\n    def new_one(x):\n        y = x + k\n        return y\n\n"
        "    def g(x):\n        y = new_one(x)\n        return y\n    return g\n"
    )


def test_line_ends_and_names_that_are_taken() -> None:
    text = extracted("def new_one(x):\r\n    «y = x»\r\n    return y\r\n")[1]
    assert text == (
        "def new_one(x):\r\n    y = get_y(x)\r\n    return y\r\n\r\n\r\ndef get_y(x):\r\n    y = x\r\n    return y\r\n"
    )
    # Nothing comes of it that it could be called by.
    assert "def new_one_2(x):" in extracted("def new_one(x):\n    «print(x)»\n    return x\n")[1]


@pytest.mark.parametrize(
    ("marked", "reason"),
    [
        ("def f(x):\n    «if x:\n        y = 1»\n    return y\n", "y may have no value there"),
        ("def f(xs):\n    for x in xs:\n        «if x:\n            break»\n", "leaves a loop"),
        ("def f(x):\n    «if x:\n        return 1\n    y = 2»\n    return y\n", "may return before its end"),
        ("def f(x):\n    «yield x»\n", "it yields"),
        ("def f(x):\n    «global y\n    y = x»\n", "declares a name of elsewhere"),
        (
            "def f(x):\n    try:\n        «y = g(x)»\n    except E:\n        y = 1\n    return y\n",
            "would be lost if it fails",
        ),
        (
            "total = 0\ndef f(xs):\n    global total\n    «for x in xs:\n        total += x»\n",
            "total is a name of elsewhere",
        ),
        (
            "def f():\n    n = 0\n    def add():\n        nonlocal n\n        n += 1\n    «add()\n    print(n)»\n",
            "n is given a value by a function inside",
        ),
        ("def f():\n    n = 0\n    «show = lambda: print(n)»\n    n = 5\n    show()\n", "n is looked at later"),
        (
            'def f(a):\n    if a:\n        «text = """\n        Hello\n        """\n        print(text)»\n',
            "A text in these statements would change",
        ),
        ("x = 1\n«y = 2»\n", "not statements of a function"),
        ("def f(x):\n    «y = 1\n", "not statements of a function"),
    ],
)
def test_what_could_behave_otherwise_is_refused(marked: str, reason: str) -> None:
    marked = marked if "»" in marked else marked + "»"
    if reason == "not statements of a function" and marked.startswith("def"):
        marked = "«def f(x):\n    y = 1»\n"
    with pytest.raises(RefusedError, match=reason):
        extracted(marked)


def test_other_languages_are_told() -> None:
    text = "function f(x) {\n  const y = x;\n  return y;\n}\n"
    at = text.index("const")
    selection = find_selection(Snapshot.open(text, "javascript"), at, at + 12, PurePosixPath("a.js"))
    with pytest.raises(RefusedError, match="from Python so far"):
        asyncio.run(extract_function(selection, tools_of("x`")))


def test_it_is_offered_in_bodies_only() -> None:
    text = "def f(x):\n    y = x\n    return y\n"
    target = find_target(Snapshot.open(text, "python"), 20, PurePosixPath("a.py"))
    assert can_extract(target, text.index("y"))
    assert can_extract(target, text.index("    y"))
    assert not can_extract(target, 2)


SOURCE = """
def work(items, k):
    total, best = 0, None
    seen = []
    for i, item in enumerate(items):
        doubled = item * 2
        if doubled > k:
            total += doubled
            label = "large"
        else:
            label = "small"
        seen.append((i, label))
        if best is None or item > best:
            best = item
        last = [x + k for x in seen and range(item % 3)]
        total += sum(last)
    try:
        share = total / len(items)
    except ZeroDivisionError:
        share = 0
    with_k = {n: (lambda m: m + k)(n) for n in range(k % 4)}
    while total > 100:
        total -= k + 1
        share += 1
    return total, best, seen, share, with_k
"""


@pytest.mark.parametrize("seed", range(40))
def test_it_does_what_it_did(seed: int) -> None:
    """Any run of statements that is taken leaves a function with the same results."""
    choice = random.Random(seed)  # noqa: S311
    lines = SOURCE.splitlines(keepends=True)
    first = choice.randrange(2, len(lines))
    last = choice.randrange(first, min(first + 9, len(lines)))
    start = sum(map(len, lines[:first])) + len(lines[first]) - len(lines[first].lstrip())
    end = sum(map(len, lines[: last + 1])) - 1
    marked = SOURCE[:start] + "«" + SOURCE[start:end] + "»" + SOURCE[end:]
    try:
        _, text = extracted(marked)
    except RefusedError:
        return
    before: dict[str, object] = {}
    after: dict[str, object] = {}
    exec(SOURCE, before)  # noqa: S102
    exec(text, after)  # noqa: S102
    for items in ([], [1], [3, 40, 2, 60, 5], [9, 9, 9]):
        for k in (0, 5, 11):
            assert before["work"](items, k) == after["work"](items, k), text  # type: ignore[operator]


def test_what_is_bound_around_is_known() -> None:
    _, text = extracted("def f(g):\n    try:\n        g()\n    except E as e:\n        «print(e)\n        log(e)»\n")
    assert "        new_one(e)\n" in text
    _, text = extracted("def f(g):\n    match g:\n        case [a, b]:\n            «print(a)\n            log(b)»\n")
    assert "            new_one(a, b)\n" in text


def test_names_of_comprehensions_and_deleted_ones_are_taken_along() -> None:
    _, text = extracted("def f(line):\n    «line = [line for line in line.split()]»\n    return line\n")
    assert "    line = new_one(line)\n" in text
    _, text = extracted("def f(n):\n    big = n * n\n    «del big\n    m = n + 1»\n    return m\n")
    assert "    m = new_one(n, big)\n" in text
    _, text = extracted("async def f(xs):\n    «y = [x async for x in xs]»\n    return y\n")
    assert "    y = await new_one(xs)\n" in text
    assert "async def new_one(xs):\n" in text
