from __future__ import annotations

from collections.abc import Callable

from lsp_server.features.guided import Guide
from lsp_server.features.trial.dialogue import Calls, Dialogue, goals
from lsp_server.features.trial.repairs import Signature
from lsp_server.features.trial.steps import Trial
from lsp_server.inference.backend import Message
from lsp_server.inference.scripted import ScriptedBackend
from tests.support.features import scripted, tools_of
from tests.support.shell import LocalShell

ShellOf = Callable[[str], LocalShell]
SIGN = """\
def sign(n):
    if n < 0:
        return -1
    if n > 0:
        return 1
    return 0
"""
QUEUE = """\
class Queue:
    def __init__(self, first=None):
        self.held = [] if first is None else [first]

    def pop(self):
        if not self.held:
            raise LookupError("it is empty")
        return self.held.pop()
"""


def dialogue(shell: LocalShell, calls: Calls, backend: ScriptedBackend, wanted: int = 5, **more: object) -> Dialogue:
    trial = Trial(shell, Signature(calls.call.rstrip("()").rpartition(".")[2], "", []))
    trial.signature = Signature("pop", "Queue", []) if calls.maker else Signature("sign", "", ["n"])
    guide = Guide(tools_of(backend=backend), (Message("user", "Try it."),), phase="")
    return Dialogue(guide, trial, ("from calc import it",), calls, wanted, **{"goals": {}, **more})  # type: ignore[arg-type]


def asked(backend: ScriptedBackend) -> list[str]:
    """What each answer was begun with."""
    return [request.messages[-1].content for request in backend.seen]  # type: ignore[union-attr]


async def test_the_model_sees_what_came_of_its_calls(shell_of: ShellOf) -> None:
    backend = scripted("-5)", "None)", "7)  # more", "7)")
    it = dialogue(shell_of(SIGN), Calls("", "sign("), backend, wanted=2, goals=goals(SIGN, 1))
    await it.run()
    start = "```python\n>>> from calc import it\n"
    aim = ">>> # where n > 0\n>>> sign("
    after_one = f"{start}>>> sign(-5)\n-1\n{aim}"
    assert asked(backend) == [
        f"{start}>>> sign(",
        after_one,
        f"{after_one}None)\nTypeError: '<' not supported between instances of 'NoneType' and 'int'\n{aim}",
    ]
    assert [step.code for step in it.trial.steps] == ["sign(-5)", "sign(7)"]


async def test_an_object_is_made_before_its_method_is_called(shell_of: ShellOf) -> None:
    backend = scripted("3)")
    it = dialogue(shell_of(QUEUE), Calls("queue = Queue(", "queue.pop()"), backend, wanted=2)
    await it.run()
    assert [step.code for step in it.trial.steps] == [
        "queue = Queue()",
        "queue.pop()",
        "queue = Queue(3)",
        "queue.pop()",
    ]
    assert asked(backend)[0].endswith(
        ">>> queue = Queue()\n>>> queue.pop()\nLookupError: it is empty\n>>> queue = Queue("
    )


async def test_pieces_of_several_lines(shell_of: ShellOf) -> None:
    backend = scripted("[", "    3,", "])", "")
    it = dialogue(shell_of("def sign(n):\n    return n\n"), Calls("", "sign("), backend, wanted=1)
    await it.run()
    assert [step.code for step in it.trial.steps] == ["sign([\n    3,\n])"]
    assert asked(backend)[-1].endswith(">>> sign([\n...     3,\n... ")


async def test_it_ends_when_nothing_new_comes(shell_of: ShellOf) -> None:
    backend = scripted("1)", *["1)"] * 9)
    it = dialogue(shell_of(SIGN), Calls("", "sign("), backend)
    await it.run()
    assert [step.code for step in it.trial.steps] == ["sign(1)"]
    assert len(backend.seen) == 6


async def test_what_takes_nothing_is_called_once_and_no_model_asked(shell_of: ShellOf) -> None:
    backend = scripted()
    it = dialogue(shell_of("def sign():\n    return 3\n"), Calls("", "sign()"), backend)
    await it.run()
    assert [step.code for step in it.trial.steps] == ["sign()"]
    assert backend.seen == []


async def test_what_is_no_code_or_of_no_use_is_not_run(shell_of: ShellOf) -> None:
    backend = scripted("1 +)", "help(sign)", "", "# a comment", "  # another")
    it = dialogue(shell_of(SIGN), Calls("", ""), backend)
    await it.run()
    assert it.trial.steps == []


def test_goals() -> None:
    code = """\
def f(a):
    for one in a:
        try:
            one()
        except ValueError:
            return 1
        else:
            pass
    while a:
        a = 0
    if a and a.very_long_name_of_something > a.another_very_long_name_of_something:
        return 2
    else:
        return 3
"""
    assert goals(code, 11) == {
        13: "# with something in a",
        16: "# where one() fails with ValueError",
        20: "# where a",
    }
    assert goals("no code", 1) == {}


async def test_objects_that_are_given_are_taken_and_the_rest_is_asked_for(shell_of: ShellOf) -> None:
    source = "class Level:\n    def __init__(self, n): self.n = n\n\ndef sign(level, n):\n    return level.n + n\n"
    backend = scripted("3", "4", *["a b)"] * 9)
    made = ["import math", "level = Level(2)"]
    it = dialogue(shell_of(source), Calls("", "sign(", ("level", "n"), given={"level": made}), backend, wanted=2)
    await it.run()
    start = "```python\n>>> from calc import it\n"
    given = ">>> import math\n>>> level = Level(2)\n"
    assert asked(backend) == [
        f"{start}{given}>>> n = ",
        f"{start}{given}>>> n = 3\n>>> sign(level, n)\n5\n{given}>>> n = ",
    ]
    assert it.trial.sequences() == [["level = Level(2)", f"n = {n}", "sign(level, n)"] for n in (3, 4)]


async def test_where_all_is_given_it_is_called_once(shell_of: ShellOf) -> None:
    source = "class Queue:\n    def pop(self): return self\n\ndef sign(queue):\n    queue.size = 1\n"
    backend = scripted(*["a b)"] * 30)
    it = dialogue(shell_of(source), Calls("", "sign(", ("queue",), given={"queue": ["queue = Queue()"]}), backend)
    await it.run()
    assert [step.code for step in it.trial.steps].count("sign(queue)") == 1
