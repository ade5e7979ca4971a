from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace
from lsp_server.testing import shell as shell_module
from lsp_server.testing.bench import ProjectBench
from lsp_server.testing.shell import PythonShell, Seen
from lsp_server.testing.sites import test_site as site_of

CALC = """\
import itertools
import sys
from collections import namedtuple

Point = namedtuple("Point", "x y")


class Account:
    def __init__(self, owner):
        self.owner = owner
        self.amount = 0
        self._log = []

    def add(self, amount):
        if amount < 0:
            raise ValueError("a negative amount")
        self.amount += amount


def half(n):
    if n % 2:
        return n / 2
    return n // 2
"""
Open = Callable[..., Awaitable[PythonShell]]


@pytest.fixture
async def opened(root: Path) -> AsyncIterator[Open]:
    """Opens a shell with the names of a module, by default with these."""
    async with AsyncExitStack() as stack:

        async def open_one(source: str = CALC, *, lines: range = range(1, 100)) -> PythonShell:
            path = root / "calc.py"
            path.write_text(source, encoding="utf-8")
            site = site_of(path, "python", Workspace((root,), lambda _path: None))
            assert site is not None
            bench = await stack.enter_async_context(ProjectBench(site, trusted=True, timeout_s=60))
            shell = await stack.enter_async_context(bench.shell({path: source}, lines))
            assert shell is not None
            begun = await shell.forget()
            assert begun is not None
            return shell

        yield open_one


async def seen(shell: PythonShell, code: str) -> Seen:
    found = await shell.run(code)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "forms"),
    [
        ("half(4)", (("{}", "2"),)),
        ("x = 3; half(x)", (("{}", "1.5"),)),
        ("'é' + \"'\"", (("{}", '"é\'"'),)),
        ("Point(1, [2])", (("{}", "(1, [2])"),)),
        ("{'b', 'a'}", (("{}", "{'a', 'b'}"),)),
        ("iter([1, 2])", (("list({})", "[1, 2]"),)),
        ("{1: 2}.keys()", (("list({})", "[1]"),)),
        ("Account('me')", (("{}.owner", "'me'"), ("{}.amount", "0"))),
        ("Account", (("{}.__name__", "'Account'"),)),
        ("ValueError('why')", (("str({})", "'why'"),)),
        ("[0] * 1000", (("len({})", "1000"),)),
        ("{n: n for n in range(40)}", (("sorted({})", str(list(range(40)))),)),
        ("float('nan')", (("repr({})", "'nan'"),)),
        ("half", (("{}.__name__", "'half'"),)),
        ("lambda: 1", ()),
        ("object()", ()),
        ("itertools.count()", ()),
        ("sys.prefix", ()),
        ("None", ()),
        ("x = 1", ()),
    ],
)
async def test_what_can_be_said_of_a_value(opened: Open, code: str, forms: tuple[tuple[str, str], ...]) -> None:
    found = await seen(await opened(), code)
    assert not found.error
    assert found.forms == forms


async def test_what_a_shell_shows(opened: Open) -> None:
    shell = await opened()
    assert (await seen(shell, "half(4)")).shown == "2"
    printed = await seen(shell, "print('one'); print('two')")
    assert (printed.shown, printed.printed, printed.nothing) == ("one\ntwo", "one\ntwo\n", True)
    assert (await seen(shell, "half('a')")).shown.startswith("TypeError: not all arguments converted")
    assert (await seen(shell, "half(")).error == "SyntaxError"
    assert len((await seen(shell, "'a' * 5000")).shown) == 300


async def test_errors_on_purpose(opened: Open) -> None:
    shell = await opened()
    await seen(shell, "it = Account('me')")
    wanted = await seen(shell, "it.add(-1)")
    assert (wanted.error, wanted.on_purpose, wanted.shown) == ("ValueError", True, "ValueError: a negative amount")
    for code in ("it.add('a')", "int('a')", "raise ValueError", "it.nothing"):
        slip = await seen(shell, code)
        assert slip.error, code
        assert not slip.on_purpose, code


async def test_what_it_changes(opened: Open) -> None:
    shell = await opened()
    await seen(shell, "it = Account('me'); others = [1]")
    added = await seen(shell, "it.add(2)")
    assert (added.changed, added.nothing, added.forms) == ((("it.amount", "2"),), True, ())
    assert (await seen(shell, "others.append(3)")).changed == (("others", "[1, 3]"),)
    assert (await seen(shell, "it.add(0)")).changed == ()
    assert (await seen(shell, "it = Account('you'); others = others + [4]")).changed == ()


async def test_the_lines_that_were_reached(opened: Open) -> None:
    first = CALC[: CALC.index("def half")].count("\n") + 1
    shell = await opened(lines=range(first, first + 4))
    assert (await seen(shell, "half(3)")).reached == {first + 1, first + 2}
    assert (await seen(shell, "half(4)")).reached == {first + 1, first + 3}
    assert (await seen(shell, "map(half, [3, 4])")).reached == {first + 1, first + 2, first + 3}
    assert (await seen(shell, "Account('me')")).reached == set()


async def test_names_are_forgotten(opened: Open) -> None:
    shell = await opened()
    await seen(shell, "half = 3")
    assert (await seen(shell, "half")).forms == (("{}", "3"),)
    await shell.forget()
    assert (await seen(shell, "half(4)")).forms == (("{}", "2"),)


async def test_what_it_prints_and_reads_stays_apart(opened: Open) -> None:
    shell = await opened("import os, sys\n\ndef noise():\n    os.write(1, b'{}\\n')\n    return sys.stdin.read()\n")
    assert (await seen(shell, "noise()")).forms == (("{}", "''"),)
    assert (await seen(shell, "1 + 1")).shown == "2"


@pytest.mark.parametrize("code", ["import os; os._exit(3)", "while True: pass"])
async def test_a_shell_that_ends(opened: Open, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(shell_module, "_STEP_S", 1.0)
    shell = await opened()
    assert await shell.run(code) is None
    assert await shell.run("1") is None


async def test_exits_are_errors(opened: Open) -> None:
    assert (await seen(await opened(), "import sys; sys.exit(1)")).error == "SystemExit"


async def test_a_module_that_cannot_be_imported(root: Path) -> None:
    path = root / "calc.py"
    path.write_text("import nothing_of_that_name\n", encoding="utf-8")
    site = site_of(path, "python", Workspace((root,), lambda _path: None))
    assert site is not None
    async with ProjectBench(site, trusted=True, timeout_s=60) as bench, bench.shell({}, range(1, 2)) as shell:
        assert shell is not None
        begun = await shell.forget()
    assert begun is not None
    assert (begun.error, begun.shown) == ("ModuleNotFoundError", "No module named 'nothing_of_that_name'")


async def test_code_that_is_not_trusted_is_not_run(root: Path) -> None:
    path = root / "calc.py"
    path.write_text("raise SystemExit\n", encoding="utf-8")
    site = site_of(path, "python", Workspace((root,), lambda _path: None))
    assert site is not None
    async with ProjectBench(site, trusted=False, timeout_s=60) as bench, bench.shell({}, range(1, 2)) as shell:
        assert shell is None


async def test_names_of_annotations_are_there(opened: Open) -> None:
    source = (
        "import typing as t\n\nif t.TYPE_CHECKING:\n    from decimal import Decimal as D\n"
        "    import no_such_module\n\n\n"
        "def half(n: 'D') -> 'D':\n    return n / 2\n"
    )
    shell = await opened(source)
    assert (await seen(shell, "half(D(3))")).shown == "Decimal('1.5')"
    await shell.forget()
    assert (await seen(shell, "D(1)")).shown == "Decimal('1')"


BOARD = """\
class Rules:
    def __init__(self):
        self.names = ["a"]
        self.hooks = []
        self._seen = 0


class Board:
    def __init__(self):
        self.rules = Rules()
        self.rules.self = self.rules

    def add(self, name):
        self.rules.names.append(name)
        self.rules.hooks.append(print)


class Move:
    def __init__(self, to):
        self.to = to

    def __str__(self):
        return f"to {self.to}"


class Bare:
    pass


async def wait(n):
    if n < 0:
        raise ValueError("before now")
    return [n]
"""


async def test_what_is_in_objects_within_objects(opened: Open) -> None:
    shell = await opened(BOARD)
    assert (await seen(shell, "Board()")).forms == (("{}.rules.names", "['a']"), ("{}.rules.hooks", "[]"))
    await seen(shell, "board = Board()")
    added = await seen(shell, "board.add('b')")
    assert added.changed == (("board.rules.names", "['a', 'b']"), ("len(board.rules.hooks)", "1"))


@pytest.mark.parametrize(
    ("code", "forms"),
    [
        ("[Move(1), Move(2)]", (("[str(one) for one in {}]", "['to 1', 'to 2']"),)),
        ("(Bare(), Move(2))", (("[type(one).__name__ for one in {}]", "['Bare', 'Move']"),)),
        ("map(Move, [1])", (("[str(one) for one in {}]", "['to 1']"),)),
        ("[range]", (("[repr(one) for one in {}]", "[\"<class 'range'>\"]"),)),
        ("[Bare()] * 20", (("len({})", "20"),)),
        # In another order each time.
        ("[{'a', 'b'}, {'c'}]", (("len({})", "2"),)),
    ],
)
async def test_what_can_be_said_of_some_objects(opened: Open, code: str, forms: tuple[tuple[str, str], ...]) -> None:
    assert (await seen(await opened(BOARD), code)).forms == forms


async def test_attributes_that_code_cannot_name(opened: Open) -> None:
    shell = await opened(BOARD)
    await seen(shell, "it = Bare()")
    named = await seen(shell, "it.__dict__.update({'class': 1, 'first name': 2, 'ok': 3})")
    assert named.changed == (("it.ok", "3"),)


async def test_what_is_to_be_awaited_is(opened: Open) -> None:
    shell = await opened(BOARD)
    found = await seen(shell, "wait(1)")
    assert (found.awaited, found.forms, found.shown) == (True, (("{}", "[1]"),), "[1]")
    failed = await seen(shell, "wait(-1)")
    assert (failed.awaited, failed.error, failed.on_purpose) == (True, "ValueError", True)
    assert failed.reached
    assert not (await seen(shell, "it = wait(1)")).awaited
