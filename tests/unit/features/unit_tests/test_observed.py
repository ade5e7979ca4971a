from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from lsp_server.features.unit_tests import write_unit_tests
from lsp_server.features.unit_tests.cases import Case
from lsp_server.features.unit_tests.observed import as_observed
from lsp_server.testing.reports import TestRun as Run
from lsp_server.text.edits import apply_edits
from tests.support.features import FakeBench, bench, target_of, tools_of
from tests.support.shell import LocalShell

ShellOf = Callable[[str], LocalShell]
ADD = "def add(a, b):\n    return a + b\n"


def case(body: str) -> Case:
    return Case("test_a", f"def test_a():\n{body}", "")


async def observed(one: Case, shell: LocalShell, *, unittest: bool = False) -> tuple[str, list[str]] | None:
    found = await as_observed(one, shell, unittest=unittest)
    return found and (found[0].source, found[1])


async def test_what_was_expected_becomes_what_is(shell_of: ShellOf) -> None:
    body = "    x = 'é'\n    assert add(1, 2) == 4\n    assert add(x, x) == 'éé'  # right\n    assert len(x) == 1\n"
    found = await observed(case(body), shell_of(ADD))
    assert found is not None
    assert found[0] == (
        "def test_a():\n    x = 'é'\n    assert add(1, 2) == 3  # as it is today\n"
        "    assert add(x, x) == 'éé'  # right\n    assert len(x) == 1\n"
    )
    assert found[1] == ["add(1, 2) was expected to be 4, and is 3."]


async def test_other_kinds_of_expectations(shell_of: ShellOf) -> None:
    body = (
        "    result = add('é', 'b')\n    assert result == 'x', 'because'\n    assert add(1, -1)\n"
        "    assert not add(1, 1)  # hm\n    assert add([], []) is None\n    assert len(result) == 2\n"
        "    assert add(\n        1, 2\n    ) == 4\n"
    )
    found = await observed(case(body), shell_of(ADD))
    assert found is not None
    assert found[0] == (
        "def test_a():\n    result = add('é', 'b')\n    assert result == 'éb'  # as it is today\n"
        "    assert add(1, -1) == 0  # as it is today\n    assert add(1, 1) == 2  # as it is today  # hm\n"
        "    assert add([], []) == []  # as it is today\n    assert len(result) == 2\n"
        "    assert add(1, 2) == 3  # as it is today\n"
    )
    assert found[1][2] == "add(1, 1) was expected to be False, and is 2."


async def test_what_only_its_parts_tell(shell_of: ShellOf) -> None:
    pair = "class Pair:\n    def __init__(self, a, b):\n        self.a, self.b = a, b\n"
    source = f"{pair}\n\ndef add(a, b):\n    yield a\n"
    shell = shell_of(source)
    found = await observed(case("    assert add(1, 2) == [3]\n    assert Pair(1, 2) == (1, 2)\n"), shell)
    assert found is not None
    assert found[0] == (
        "def test_a():\n    assert list(add(1, 2)) == [1]  # as it is today\n"
        "    result = Pair(1, 2)\n    assert result.a == 1  # as it is today\n"
        "    assert result.b == 2  # as it is today\n"
    )


async def test_assertions_of_unittest(shell_of: ShellOf) -> None:
    body = (
        "    self.assertEqual(add(1, 2), 4)\n    self.assertTrue(add(1, -1))\n    self.assertIsNone(add(1, 1))\n"
        "    self.assertEqual(add(2, 2), 4)\n"
    )
    found = await observed(case(body), shell_of(ADD), unittest=True)
    assert found is not None
    assert found[0] == (
        "def test_a():\n    self.assertEqual(add(1, 2), 3)  # as it is today\n"
        "    self.assertEqual(add(1, -1), 0)  # as it is today\n    self.assertEqual(add(1, 1), 2)  # as it is today\n"
        "    self.assertEqual(add(2, 2), 4)\n"
    )


async def test_nothing_is_something(shell_of: ShellOf) -> None:
    found = await observed(case("    assert add(1, 2) == 3\n"), shell_of("def add(a, b):\n    pass\n"))
    assert found is not None
    assert found[0] == "def test_a():\n    assert add(1, 2) is None  # as it is today\n"


@pytest.mark.parametrize(
    "body",
    [
        "    assert add(1, 2) != 4\n",
        "    assert 4 == add(1, 2)\n",
        "    for n in (1, 2):\n        assert add(n, n) == n\n",
        "    assert add(1, 2) == 3\n",
        "    assert add(1) == 3\n",
        "    x = add(1)\n    assert add(1, 2) == 4\n",
        "    assert add(1, 2) == 4\n    assert object() == 4\n",
    ],
)
async def test_what_is_no_plain_equality_is_left_alone(shell_of: ShellOf, body: str) -> None:
    assert await observed(case(body), shell_of(ADD)) is None


class Seeing(FakeBench):
    """A bench on which ``add(1, 2)`` is 3."""

    local: LocalShell

    async def run(self, files, names) -> Run:  # type: ignore[no-untyped-def]
        """See ``TestBench.run``."""
        if "== 4" in files[self.site.path]:
            return Run(failed={"test_add": "assert 3 == 4"})
        return await super().run(files, names)

    @asynccontextmanager
    async def shell(self, files, lines) -> AsyncIterator[LocalShell]:  # type: ignore[no-untyped-def]
        """See ``TestBench.shell``."""
        yield self.local


async def test_people_are_told_what_was_expected(shell_of: ShellOf) -> None:
    where = Seeing(**vars(bench(passed=("test_add",))))
    where.local = shell_of(ADD)
    target = target_of("def add(a, b):\n    <|>return a + b\n")
    edit = await write_unit_tests(target, tools_of("():\n    assert add(1, 2) == 4\n", *[""] * 5, bench=where))
    assert "    assert add(1, 2) == 3  # as it is today\n" in apply_edits("", edit.edits)
    said = "1 written, 1 passes (1 expecting what it returns today). They notice 0 of 2 small changes to it."
    assert edit.notes == (f"{said} add(1, 2) was expected to be 4, and is 3.",)


WAIT = "async def wait(n):\n    return n\n\nasync def store(held, n):\n    held.append(n)\n"


async def test_what_is_async_is_run(shell_of: ShellOf) -> None:
    body = (
        "    held = []\n    store(held, 1)\n    assert held == [1]\n    assert wait(3) == 3\n    assert wait(2) == 4\n"
    )
    found = await observed(case(body), shell_of(WAIT))
    assert found is not None
    assert found[0] == (
        "def test_a():\n    held = []\n    asyncio.run(store(held, 1))\n    assert held == [1]\n"
        "    assert asyncio.run(wait(3)) == 3  # as it is today\n"
        "    assert asyncio.run(wait(2)) == 2  # as it is today\n"
    )
    assert found[1] == [
        "store(held, 1) is async, and is run.",
        "wait(3) is async, and is run.",
        "wait(2) was expected to be 4, and is 2.",
    ]


async def test_a_test_that_is_async_itself(shell_of: ShellOf) -> None:
    source = (
        "@pytest.mark.asyncio\nasync def test_a():\n    x = await wait(1)\n    assert await wait(await wait(x)) == 2\n"
    )
    found = await as_observed(Case("test_a", source, ""), shell_of(WAIT), unittest=False)
    assert found is not None
    assert found[0].source == (
        "def test_a():\n    x = asyncio.run(wait(1))\n"
        "    assert asyncio.run(wait(asyncio.run(wait(x)))) == 1  # as it is today\n"
    )
    assert found[1][0] == "test_a is async; what it awaits is run."
