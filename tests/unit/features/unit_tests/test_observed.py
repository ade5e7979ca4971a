from __future__ import annotations

import pytest

from lsp_server.features.unit_tests import write_unit_tests
from lsp_server.features.unit_tests.cases import Case
from lsp_server.features.unit_tests.observed import as_observed, probe
from lsp_server.testing.reports import TestRun as Run
from lsp_server.text.edits import apply_edits
from tests.support.features import FakeBench, bench, target_of, tools_of


def case(body: str) -> Case:
    return Case("test_a", f"def test_a():\n{body}", "")


def observed(one: Case, **names: object) -> tuple[str, list[str]] | None:
    """What comes of a test whose probe is really run."""
    made = probe(one)
    if made is None:
        return None
    space: dict[str, object] = dict(names)
    exec(made.source, space)  # noqa: S102
    with pytest.raises(AssertionError) as caught:
        space["test_a"]()  # type: ignore[operator]
    found = as_observed(one, f"AssertionError: {caught.value}")
    return found and (found[0].source, found[1])


def add(a: object, b: object) -> object:
    return a + b  # type: ignore[operator]


def test_what_was_expected_becomes_what_is() -> None:
    body = "    x = 'é'\n    assert add(1, 2) == 4\n    assert add(x, x) == 'éé'  # right\n    assert len(x) == 1\n"
    found = observed(case(body), add=add)
    assert found is not None
    assert found[0] == (
        "def test_a():\n    x = 'é'\n    assert add(1, 2) == 3  # as it is today\n"
        "    assert add(x, x) == 'éé'  # right\n    assert len(x) == 1\n"
    )
    assert found[1] == ["add(1, 2) was expected to be 4, and is 3."]


def test_other_kinds_of_expectations() -> None:
    body = (
        "    result = add('é', 'b')\n    assert result == 'x', 'because'\n    assert add(1, -1)\n"
        "    assert not add(1, 1)  # hm\n    assert add([], []) is None\n    assert len(result) == 2\n"
    )
    found = observed(case(body), add=add)
    assert found is not None
    assert found[0] == (
        "def test_a():\n    result = add('é', 'b')\n    assert result == 'éb'  # as it is today\n"
        "    assert add(1, -1) == 0  # as it is today\n    assert add(1, 1) == 2  # as it is today  # hm\n"
        "    assert add([], []) == []  # as it is today\n    assert len(result) == 2\n"
    )
    assert found[1][2] == "add(1, 1) was expected to be False, and is 2."


@pytest.mark.parametrize(
    "body",
    [
        "    assert add(1, 2) != 4\n",
        "    assert 4 == add(1, 2)\n",
        "    x = 1; assert add(1, 2) == 4\n",
        "    for n in (1, 2):\n        assert add(n, n) == n\n",
        "    assert add(\n        1, 2\n    ) == 4\n",
    ],
)
def test_what_is_no_plain_equality_is_left_alone(body: str) -> None:
    assert probe(case(body)) is None


@pytest.mark.parametrize(
    "result", [object(), "x" * 100, float("nan"), {1: object()}], ids=["object", "long", "nan", "inside"]
)
def test_what_cannot_be_written_down_is_left_alone(result: object) -> None:
    assert observed(case("    assert add(1, 2) == 4\n"), add=lambda *_: result) is None


def test_what_failed_for_another_reason_is_left_alone() -> None:
    one = case("    assert add(1, 2) == 4\n")
    assert as_observed(one, "TypeError: add() takes 1 positional argument") is None
    assert as_observed(one, "AssertionError: observed: [") is None
    assert as_observed(one, 'AssertionError: observed: ["1", "2"]') is None


class Seeing(FakeBench):
    """A bench on which ``add(1, 2)`` is 3."""

    async def run(self, files, names) -> Run:  # type: ignore[no-untyped-def]
        """See ``TestBench.run``."""
        text = files[self.site.path]
        if "_seen" in text:
            return Run(failed={"test_add": 'AssertionError: observed: ["3"]'})
        if "== 4" in text:
            return Run(failed={"test_add": "assert 3 == 4"})
        return await super().run(files, names)


async def test_people_are_told_what_was_expected() -> None:
    where = Seeing(**vars(bench(passed=("test_add",))))
    target = target_of("def add(a, b):\n    <|>return a + b\n")
    edit = await write_unit_tests(target, tools_of("():\n    assert add(1, 2) == 4\n", "", bench=where))
    assert "    assert add(1, 2) == 3  # as it is today\n" in apply_edits("", edit.edits)
    assert edit.notes == (
        "1 written, 1 passes (1 expecting what it returns today). add(1, 2) was expected to be 4, and is 3.",
    )
