"""Functions that are tried out before and after a change, with a project's real Python."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace
from lsp_server.errors import RefusedError
from lsp_server.features.simplify import optimise, simplify
from lsp_server.features.split import split
from lsp_server.features.to_async import to_async
from lsp_server.features.trial.behaviour import Behaviour
from lsp_server.features.types import Target, Tools
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.testing.bench import ProjectBench
from lsp_server.testing.sites import test_site as site_of
from lsp_server.text.edits import apply_edits
from tests.support.features import target_of, tools_of

LEVEL = """\
def level(percent):
    <|>if percent > 100:
        raise ValueError("too much")
    elif percent > 50:
        return "high"
    else:
        return "low"
"""
DRAWN = """\
def plain(items):
    '''Plain.

    >>> list(plain([1]))
    [1]
    '''
    <|>return (one for one in items)
"""
# After so many answers that are no code, the model is asked for no more calls.
NOTHING = ["a b)"] * 5
Set = Callable[..., Awaitable[tuple[Target, Tools]]]


@pytest.fixture
async def case(tmp_path: Path) -> AsyncIterator[Set]:
    """A function in a project, and tools whose model says some words."""
    async with AsyncExitStack() as stack:

        async def made(marked: str, *chats: str, trusted: bool = True) -> tuple[Target, Tools]:
            target = target_of(marked)
            path = tmp_path / "calc.py"
            path.write_text(target.snapshot.text, encoding="utf-8")
            site = site_of(path, "python", Workspace((tmp_path,), lambda _path: None))
            assert site is not None
            bench = await stack.enter_async_context(ProjectBench(site, trusted=trusted, timeout_s=60))
            return target, replace(tools_of(*chats), bench=bench)

        yield made


async def tried(target: Target, tools: Tools) -> Behaviour:
    before = Behaviour(target, tools)
    await before.try_out()
    return before


def called(before: Behaviour) -> list[str]:
    return [call.codes[-1] for call in before.calls]


async def test_what_calls_show(case: Set) -> None:
    target, tools = await case(LEVEL, "60)", "500)", *NOTHING)
    before = await tried(target, tools)
    assert {"level(60)", "level(500)", "level(0)"} <= set(called(before))
    assert "level('1')" not in called(before)
    assert before.note.startswith("It does the same in the ")
    assert before.note.endswith(" calls that were tried, such as `level(60)`.")
    assert await before.difference(target.snapshot.text) == ""


@pytest.mark.parametrize(
    ("old", "new", "difference"),
    [
        ('"high"', '"High"', "`level(60)` gives 'high', and would give 'High'."),
        ('raise ValueError("too much")', "return None", "gives ValueError: too much, and would give nothing."),
        ("percent > 50", "percent >= 60.5", "`level(60)` gives 'high', and would give 'low'."),
        ("if percent", "if nothing", "would give NameError: name 'nothing' is not defined."),
    ],
)
async def test_what_is_otherwise_is_told(case: Set, old: str, new: str, difference: str) -> None:
    target, tools = await case(LEVEL, "60)", "500)", *NOTHING)
    before = await tried(target, tools)
    assert difference in await before.difference(target.snapshot.text.replace(old, new))


@pytest.mark.parametrize(
    "marked",
    [
        "import random\n\n\ndef roll(n):\n    <|>return random.random() + n\n",
        "async def later(n):\n    <|>return n\n",
        "def outer():\n    def inner(n):\n        <|>return n\n    return inner\n",
    ],
)
async def test_what_cannot_be_compared_is_let_be(case: Set, marked: str) -> None:
    target, tools = await case(marked, "6)", *NOTHING)
    before = await tried(target, tools)
    assert (before.calls, before.note) == ([], "")
    assert await before.difference("no python") == ""


async def test_what_is_not_trusted_is_not_run(case: Set) -> None:
    target, tools = await case(LEVEL, trusted=False)
    assert (await tried(target, tools)).calls == []


SHORTER = 'def level(percent):\n    if percent > 100:\n        raise ValueError("too much")\n'


async def test_a_simplification_has_to_do_the_same(case: Set) -> None:
    wrong = f'{SHORTER}    return "low" if percent > 50 else "high"\n'
    right = f'{SHORTER}    return "high" if percent > 50 else "low"\n'
    target, tools = await case(LEVEL, wrong, "60)", "500)", *NOTHING, right)
    edit = await simplify(target, tools)
    assert apply_edits(target.snapshot.text, edit.edits) == right
    assert edit.notes[0].startswith("It does the same in the ")
    target, tools = await case(LEVEL, wrong, "60)", "500)", *NOTHING, wrong)
    with pytest.raises(RefusedError, match=r"`level\(60\)` gives 'high', and would give 'low'"):
        await optimise(target, tools)


async def test_something_else_is_returned_though_it_looks_the_same_in_a_call(case: Set) -> None:
    target, tools = await case(DRAWN, *NOTHING)
    before = await tried(target, tools)
    assert "list(plain([1]))" in called(before)
    before.calls = [call for call in before.calls if call.codes[-1].startswith("list(")]
    changed = target.snapshot.text.replace("(one for one in items)", "[one for one in items]")
    assert "it returns iterator, and would return list." in await before.difference(changed)


async def test_where_an_object_is_does_not_count(case: Set) -> None:
    target, tools = await case("def plain(x):\n    <|>return [x][0]\n", "object())", *NOTHING)
    before = await tried(target, tools)
    assert await before.difference(target.snapshot.text.replace("[x][0]", "x")) == ""


async def test_what_is_awaited_gives_the_same(case: Set) -> None:
    marked = "import time\n\n\ndef nap(n):\n    <|>time.sleep(n / 1000)\n    return n + 1\n"
    answer = "async def nap(n):\n    await asyncio.sleep(n / 1000)\n    return n + {}\n"
    target, tools = await case(marked, answer.format(2), "3)", *NOTHING, answer.format(1))
    edit = await to_async(target, tools)
    assert "return n + 1" in apply_edits(target.snapshot.text, edit.edits)
    assert edit.notes[0].startswith("It does the same in the ")


async def test_parts_are_tried_too(case: Set) -> None:
    lines = "".join(f"        total += n * {i}\n" for i in range(6))
    marked = f"def f(numbers):\n    <|>total = 0\n    for n in numbers:\n{lines}    low = min(numbers)\n"
    marked += "    high = max(numbers)\n    spread = high - low\n    return total, spread\n"
    target, tools = await case(marked, "add_up`", "spread_of`", "[1, 2])", *NOTHING)
    edit = await split(target, tools)
    assert "def add_up(" in apply_edits(target.snapshot.text, edit.edits)
    assert edit.notes[-1].startswith("It does the same in the ")


async def test_what_is_not_split_is_not_tried(case: Set) -> None:
    marked = "def gen(n):\n    <|>pass\n" + "".join(f"    yield n + {i}\n" for i in range(20))
    target, tools = await case(marked, *NOTHING)
    with pytest.raises(RefusedError, match="No part of gen can stand alone"):
        await split(target, tools)
    assert isinstance(tools.backend, ScriptedBackend)
    assert not tools.backend.seen
