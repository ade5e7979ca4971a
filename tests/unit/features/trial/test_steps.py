from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lsp_server.features.trial.repairs import Signature, repairs
from lsp_server.features.trial.steps import Trial, needed
from lsp_server.features.trial.variations import literals, variations
from lsp_server.features.unit_tests.recorded import assertions, body_of
from lsp_server.testing.shell import Seen
from tests.support.shell import LocalShell

ShellOf = Callable[[str], LocalShell]
BOX = """\
class Box:
    def __init__(self, size=2):
        self.size = size
        self.held = []

    def put(self, thing):
        if len(self.held) == self.size:
            raise OverflowError("it is full")
        self.held.append(thing)
        return len(self.held)
"""
PUT = Signature("put", "Box", ["thing"])


async def tried(shell: LocalShell, codes: Sequence[str], signature: Signature = PUT) -> Trial:
    trial = Trial(shell, signature)
    await trial.replay(codes)
    return trial


def bodies(trial: Trial) -> list[str]:
    return [body_of(trial.steps, at, unittest=False) for at in trial.useful]


async def test_a_test_has_what_its_call_needs(shell_of: ShellOf) -> None:
    codes = ["box = Box(1)", "other = Box()", "things = ['a']", "things.append('b')", "box.put(things)", "box.put(1)"]
    trial = await tried(shell_of(BOX), codes)
    made = "box = Box(1)\nthings = ['a']\nthings.append('b')\n"
    assert (
        bodies(trial)
        == [
            "box = Box(1)\nassert box.size == 1  # as it is today\nassert box.held == []  # as it is today\n",
            "other = Box()\nassert other.size == 2  # as it is today\nassert other.held == []  # as it is today\n",
            f"{made}assert box.put(things) == 1  # as it is today\nassert box.held == [['a', 'b']]  # as it is today\n",
            f"{made}box.put(things)\nwith pytest.raises(OverflowError):  # as it is today\n    box.put(1)\n",
        ][2:]
    )


async def test_useful_is_what_shows_something_new(shell_of: ShellOf) -> None:
    codes = ["box = Box()", "1 + 1", "box.put('a')", "Box().put('a')", "Box().put('b')", "box.size"]
    trial = await tried(shell_of(BOX), codes)
    assert [trial.steps[at].code for at in trial.useful] == ["box.put('a')", "Box().put('a')", "box.size"]
    trial = Trial(shell_of(BOX), PUT)
    await trial.replay(["box = Box()", "box.put('a')", "box.put('b')"], if_new=True)
    assert [trial.steps[at].code for at in trial.useful] == ["box.put('a')"]


async def test_what_cannot_be_made_ends_it(shell_of: ShellOf) -> None:
    trial = await tried(shell_of(BOX), ["box = Nothing()", "Box().put('a')"])
    assert trial.steps == []


async def test_a_wrong_call_is_made_in_a_right_way(shell_of: ShellOf) -> None:
    trial = await tried(shell_of(BOX), ["box = Box(1, 2, 3)", "Box.put('a')", "box.put('a', 'b', colour=1)"])
    assert [step.code for step in trial.steps] == ["box = Box()", "Box().put('a')", "box.put('a')"]


class Gone(LocalShell):
    """A shell that ends at a word."""

    async def run(self, code: str) -> Seen:
        """See ``PythonShell``."""
        return None if "end" in code else await super().run(code)  # type: ignore[return-value]


async def test_a_shell_that_ends_leaves_what_was_seen(shell_of: ShellOf) -> None:
    shell = shell_of(BOX)
    shell.__class__ = Gone
    trial = await tried(shell, ["Box().put('a')", "end()", "Box().put('b')"])
    assert trial.ended
    assert [step.code for step in trial.steps] == ["Box().put('a')"]


def test_assertions() -> None:
    assert assertions("f(1)", Seen(forms=(("{}", "True"),)), unittest=False) == [
        "assert f(1) is True  # as it is today"
    ]
    assert assertions("f(1)", Seen(forms=(("{}", "True"),)), unittest=True) == [
        "self.assertIs(f(1), True)  # as it is today"
    ]
    assert assertions("f(1)", Seen(error="KeyError", on_purpose=True), unittest=True) == [
        "with self.assertRaises(KeyError):  # as it is today",
        "    f(1)",
    ]
    assert assertions("f(1)", Seen(error="KeyError"), unittest=False) == []
    assert assertions("f(1)", Seen(nothing=True), unittest=False) == []
    assert assertions("f(1)", Seen(nothing=True, printed="é\n"), unittest=False) == [
        "f(1)",
        "assert capsys.readouterr().out == 'é\\n'  # as it is today",
    ]
    assert assertions("f(1)", Seen(nothing=True, printed="é\n"), unittest=True) == []


def test_long_values_get_lines_of_their_own() -> None:
    value = str(list(range(40)))
    (said,) = assertions("f(1)", Seen(forms=(("{}", value),)), unittest=False)
    assert max(map(len, said.splitlines())) <= 100
    space: dict[str, object] = {"f": lambda _: list(range(40))}
    exec(said, space)  # noqa: S102


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("put(1, 2)", ["put(1)"]),
        ("Box.put(1)", ["Box().put(1)"]),
        ("Box.put(1, 2)", ["Box().put(1)"]),
        ("box.put(1, thing=2)", ["box.put(1)"]),
        ("box = Box(1)", ["box = Box()"]),
        ("box = Box()", []),
        ("box.put(thing=2)", []),
        ("box.other(1, 2)", []),
    ],
)
def test_repairs(code: str, expected: list[str]) -> None:
    assert list(repairs(code, PUT)) == expected


def test_what_takes_anything_is_not_repaired() -> None:
    assert list(repairs("f(1, 2, a=3)", Signature("f", "", ["*args", "**more"]))) == []
    assert list(repairs("f(1, 2, a=3)", Signature("f", "", ["*", "a"]))) == ["f(a=3)"]
    assert list(repairs("f(1, 2, a=3)", Signature("f", "", ["x", "*rest"]))) == ["f(1, 2)"]


def test_variations() -> None:
    every = list(variations(["data = ['é', 1]", "f(data, 2, on=True)"], "f", {"sep": "','", "on": "True", "n": "None"}))
    last = [pieces[1] for pieces in every if pieces[0] == "data = ['é', 1]"]
    assert last == [
        *(f"f(data, 2, on=True, sep={value})" for value in ("''", "'a'", "'Ab 1'", "'a,b'")),
        *(f"f(data, 2, on=True, n={value})" for value in ("1", "'a'", "[1]", "True")),
        *(f"f(data, {value}, on=True)" for value in ("0", "-1", "10", "'1'", "None")),
        "f(data, 2, on=False)",
    ]
    first = [pieces[0] for pieces in every if pieces[1] == "f(data, 2, on=True)"]
    assert first[:4] == ["data = [1, 'é']", "data = ['é']", "data = ['é', 1, 'é']", "data = []"]
    assert "data = ['', 1]" in first


def test_definitions_do_not_vary() -> None:
    assert list(variations(["def g(x=1):\n    return 2", "f(g)"], "f", {})) == []
    assert list(variations(["f()"], "f", {"a": "0.5"})) == [["f(a=0.0)"], ["f(a=-1.5)"]]


def test_the_values_of_a_function_are_tried() -> None:
    code = 'def f(n, kind):\n    """Doc 7."""\n    if kind == "old" and n > 50:\n        return f"{n} years"\n'
    more = literals(code)
    assert more == {int: ("50", "49", "51"), str: ("'old'", "' years'")}
    found = [pieces[0] for pieces in variations(["f(1, 'x')"], "f", {}, more)]
    assert found[:3] == ["f(50, 'x')", "f(49, 'x')", "f(51, 'x')"]
    assert "f(1, 'old')" in found
    assert literals("no code") == {int: (), str: ()}


async def test_what_gives_nothing_is_called_for_what_it_changes(shell_of: ShellOf) -> None:
    source = "class Bag:\n    def __init__(self):\n        self._n = 0\n\n    def grow(self):\n        self._n += 1\n\n"
    source += "    def size(self):\n        return self._n\n"
    codes = ["bag = Bag()", "other = Bag()", "bag.grow()", "other.grow()", "bag.size()"]
    trial = await tried(shell_of(source), codes, Signature("size", "Bag", []))
    assert bodies(trial)[-1] == "bag = Bag()\nbag.grow()\nassert bag.size() == 1  # as it is today\n"


async def test_only_names_of_the_trial_are_what_a_step_changes(shell_of: ShellOf) -> None:
    """A change is said with ``len`` where there are objects in a list."""
    source = "class Stack:\n    def __init__(self): self.items = []\n    def push(self): self.items.append(print)\n"
    codes = ["stack = Stack()", "stack.push()", "stack.push()", "len([1, 2])"]
    trial = await tried(shell_of(source), codes, Signature("push", "Stack", []))
    assert trial.steps[2].seen.changed == (("len(stack.items)", "2"),)
    assert needed(trial.steps, len(trial.steps) - 1) == [0, 1]
