from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.change import Problem, change, fix
from lsp_server.features.types import Selection, find_selection
from lsp_server.inference.backend import ChatRequest
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import apply_edits
from lsp_server.text.snippet import Snippet
from tests.support.cursor import cursor
from tests.support.features import limited, scripted, tools_of

ADD = "import os\n\n\nclass A:\n    def add(self, a, b):\n        <|>return a + b\n\n\nx = 1\n"
BETTER = "def add(self, a, b):\n    return sum((a, b))\n"


def selected(marked: str, language: str = "python") -> Selection:
    """The function at the cursor, or what stands between two."""
    if marked.count("<|>") == 2:
        before, between, after = marked.split("<|>")
        text, start, end = before + between + after, len(before), len(before) + len(between)
    else:
        text, start = cursor(marked)
        end = start
    return find_selection(Snapshot.open(text, language), start, end, PurePosixPath("a.py"))


async def changed(
    marked: str,
    *answers: str,
    instruction: str = "use sum",
    language: str = "python",
    backend: ScriptedBackend | None = None,
) -> str:
    """The document after a change."""
    selection = selected(marked, language)
    edit = await change(selection, instruction, tools_of(*answers, backend=backend))
    assert edit.preview
    return apply_edits(selection.snapshot.text, edit.edits)


async def test_the_function_changes_where_it_stands() -> None:
    assert await changed(ADD, BETTER) == ADD.replace("<|>return a + b", "return sum((a, b))")


async def test_what_is_asked() -> None:
    backend = scripted(BETTER)
    await changed(ADD, backend=backend, instruction="  use\n sum ")
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "Change it: use sum\n" in request.messages[1].content
    assert "```python\ndef add(self, a, b):\n    return a + b\n```" in request.messages[1].content


async def test_only_the_selected_statements_change() -> None:
    marked = "def f():\n    a = 1\n    <|>b = 2\n    c<|> = 3\n    return a\n"
    assert await changed(marked, "b, c = 2, 3\n") == "def f():\n    a = 1\n    b, c = 2, 3\n    return a\n"


async def test_imports_join_those_of_the_file() -> None:
    after = await changed(ADD, "import math\nimport os\n\n" + BETTER.replace("sum(", "math.fsum("))
    assert after.startswith("import os\nimport math\n\n\nclass A:\n    def add(self, a, b):\n        return math.fsum(")


async def test_imports_of_a_file_without_any() -> None:
    after = await changed('"""It."""\n\ndef f():\n    <|>return 1\n', "import math\n\ndef f():\n    return math.pi\n")
    assert after == '"""It."""\n\nimport math\n\ndef f():\n    return math.pi\n'


async def test_what_the_model_was_shown_of_other_files_is_left_out() -> None:
    selection = replace(selected(ADD), related=(Snippet("rooms.py", "@dataclass\nclass Room:\n    width: int\n"),))
    answer = f"from dataclasses import dataclass\nimport math\n\n@dataclass\nclass Room:\n    width: int\n\n\n{BETTER}"
    edit = await change(selection, "use sum", tools_of(answer))
    assert apply_edits(selection.snapshot.text, edit.edits) == ADD.replace("<|>return a + b", "return sum((a, b))")


async def test_crlf_stays() -> None:
    after = await changed("def f():\r\n    <|>return 1\r\n", "def f():\n    x = 1\n    return x\n")
    assert after == "def f():\r\n    x = 1\r\n    return x\r\n"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "It is empty."),
        ("def add(self, a, b):\n    return a + b\n", "It is the same code."),
        ("def add(self, a, b:\n    return\n", "It is no sound Python."),
        ("return sum((a, b))\n", "add is no longer there."),
        ("def add(self, a, b):\n    # ... rest of the code\n", "It leaves out code."),
    ],
)
async def test_the_model_is_told_what_is_wrong_once(answer: str, reason: str) -> None:
    backend = scripted(answer, BETTER)
    assert "sum((a, b))" in await changed(ADD, backend=backend)
    request = backend.seen[1]
    assert isinstance(request, ChatRequest)
    assert f"That cannot be used: {reason}" in request.messages[-2].content
    with pytest.raises(RefusedError, match=reason.replace(".", r"\.")):
        await changed(ADD, answer, answer)


async def test_what_does_not_end_is_refused() -> None:
    with pytest.raises(RefusedError, match="did not come to an end"):
        await changed(ADD, backend=limited(2, BETTER, BETTER))


async def test_a_name_may_go_if_that_is_said() -> None:
    assert "def plus(" in await changed(ADD, BETTER.replace("add", "plus"), instruction="rename it to plus")


async def test_nothing_is_said() -> None:
    with pytest.raises(RefusedError, match="nothing to do"):
        await changed(ADD, BETTER, instruction=" \n")


@pytest.mark.parametrize("marked", ["x = 1\n<|>\n", "<|>\n\n<|>x = 1\n"])
async def test_there_is_no_code_there(marked: str) -> None:
    with pytest.raises(RefusedError):
        selected(marked)


async def test_a_problem_is_mended() -> None:
    backend = scripted("def f(items):\n    return items[-1]\n")
    selection = selected("def f(items):\n    <|>return items[len(items)]\n")
    edit = await fix(
        selection, Problem("index out of range\nmore", "    return items[len(items)]"), tools_of(backend=backend)
    )
    assert edit.title == "Fix: index out of range"
    assert apply_edits(selection.snapshot.text, edit.edits) == "def f(items):\n    return items[-1]\n"
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert "in the line `return items[len(items)]`: index out of range" in request.messages[1].content


@pytest.mark.parametrize(
    ("language", "marked", "answer", "after"),
    [
        (
            "typescript",
            'import { a } from "./a";\n\nexport function f(x: number) {\n  <|>return x;\n}\n',
            'import { b } from "./b";\n\nexport function f(x: number) {\n  return b(x);\n}\n',
            'import { a } from "./a";\nimport { b } from "./b";\n\nexport function f(x: number) {\n  return b(x);\n}\n',
        ),
        (
            "go",
            "package a\n\nfunc F() int {\n\t<|>return 1\n}\n",
            'import "math"\n\nfunc F() int {\n\treturn math.MaxInt\n}\n',
            'package a\n\nimport "math"\n\nfunc F() int {\n\treturn math.MaxInt\n}\n',
        ),
        (
            "java",
            "class A {\n    int f() {\n        <|>return 1;\n    }\n}\n",
            "int f() {\n    return 2;\n}\n",
            "class A {\n    int f() {\n        return 2;\n    }\n}\n",
        ),
    ],
)
async def test_in_other_languages(language: str, marked: str, answer: str, after: str) -> None:
    assert await changed(marked, answer, language=language) == after


SUM = "def f(items):\n    <|>total = 0\n    for item in items:\n        total += item\n    return total\n"
COMMENTED = SUM.replace("<|>", "").replace("    for", "    # one by one\n    for")


@pytest.mark.parametrize(
    ("instruction", "answer", "reason"),
    [
        ("add comments that say why", "def f(items):\n    # the sum\n    return sum(items)\n", "more than comments"),
        ("Add a log line", "def f(items):\n    print(items)\n", "leaves out code that was to stay"),
        ("log the result", SUM.replace("<|>", "") + "    print(total)\n", "never reached"),
        ("use a while loop", "def f(items):\n    return 0\n    while items: pass\n", "never reached"),
        ("use a generator", SUM.replace("<|>", '"""Sum."""\n    '), "nothing but the documentation"),
        ("take the time", "def f(items):\n    return sum(items), elapsed\n", "elapsed is not known there"),
    ],
)
async def test_what_the_instruction_does_not_say_is_refused(instruction: str, answer: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        await changed(SUM, answer, answer, instruction=instruction)


async def test_a_module_that_the_answer_forgot_is_imported() -> None:
    after = await changed(
        SUM, "def f(items):\n    print(time.time())\n    return sum(items)\n", instruction="take the time"
    )
    assert after.startswith("import time\n\ndef f(items):\n    print(")


async def test_a_type_that_the_answer_forgot_is_imported() -> None:
    marked = f"from __future__ import annotations\n\n\n{SUM}"
    after = await changed(marked, "def f(items: Optional[list]) -> Tuple:\n    return (1, 2)\n", instruction="give two")
    assert "import annotations\nfrom typing import Optional, Tuple\n" in after
    with pytest.raises(RefusedError, match="Numbers is not known there"):
        await changed(marked, *["def f(items: Numbers):\n    return 1\n"] * 2, instruction="give one")


async def test_examples_behind_a_function_are_left_out() -> None:
    better = "def f(items):\n    return sum(items)\n"
    assert await changed(SUM, f"{better}\n\n# Example usage:\nprint(f([1]))\n", instruction="use sum") == better


async def test_what_is_told_of_such_a_change_may_mend_it() -> None:
    wrong = "def f(items):\n    # the sum\n    return sum(items)\n"
    assert await changed(SUM, wrong, COMMENTED, instruction="add comments that say why") == COMMENTED
    # Whoever wants less gets less.
    short = "def f(items):\n    return sum(items)\n"
    assert await changed(SUM, short, instruction="add a docstring and replace the loop by sum") == short
    assert await changed(SUM, short, instruction="use sum") == short


USES = "import json\n\n\ndef f(values, key):\n    <|>found = values.get(key)\n    return json.dumps({0})\n"


@pytest.mark.parametrize(
    ("wrong", "message", "right"),
    [
        ("foundd", "Undefined name `foundd`", "found"),
        # `founds` may be meant as well, and is less like it.
        ("[foundd for founds in found]", "Undefined name `foundd`", "[found for founds in found]"),
        ("vlaues", 'F821 Undefined name "vlaues"', "values"),
        ("valuess + [valuess]", "name 'valuess' is not defined", "values + [values]"),
        ("'valuess', valuess", "Cannot find name 'valuess'.", "'valuess', values"),
    ],
)
async def test_a_slip_of_the_keys_is_mended_without_the_model(wrong: str, message: str, right: str) -> None:
    selection = selected(USES.replace("{0}", wrong))
    edit = await fix(selection, Problem(message, wrong), tools_of())
    assert apply_edits(selection.snapshot.text, edit.edits) == USES.replace("{0}", right).replace("<|>", "")
    assert edit.title == f"Fix: {message}"
    assert edit.preview


async def test_a_module_of_that_name_is_imported_without_the_model() -> None:
    selection = selected(USES.replace("{0}", "os.sep"))
    edit = await fix(selection, Problem("Undefined name `os`", ""), tools_of())
    assert "import json\nimport os\n" in apply_edits(selection.snapshot.text, edit.edits)


async def test_a_name_that_is_still_not_defined_is_told() -> None:
    selection = selected("def f(a):\n    <|>b = a + zzzzz\n    return zzzzz\n")
    problem = Problem("Undefined name `zzzzz`", "b = a + zzzzz")
    again = "def f(a):\n    b = a - zzzzz\n    return zzzzz\n"
    with pytest.raises(RefusedError, match="zzzzz is still not defined"):
        await fix(selection, problem, tools_of(again, again))
    given = "def f(a):\n    zzzzz = 1\n    b = a + zzzzz\n    return zzzzz\n"
    edit = await fix(selection, problem, tools_of(again, given))
    assert apply_edits(selection.snapshot.text, edit.edits) == given


async def test_a_problem_without_a_word_has_a_name() -> None:
    selection = selected(ADD)
    edit = await fix(selection, Problem("\n", "    return a + b"), tools_of(BETTER))
    assert edit.title == "Fix: a problem without a name"
