from __future__ import annotations

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.rewriting import rewrite
from lsp_server.inference.backend import ChatRequest
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.text.edits import apply_edits
from tests.support.features import limited, scripted, target_of, tools_of

ABS = "def absolute(x):\n    <|>if x < 0:\n        return -x\n    return x\n"
SHORT = "def absolute(x):\n    return -x if x < 0 else x\n"


async def rewritten(
    marked: str, answer: str, language: str = "python", backend: ScriptedBackend | None = None
) -> str | None:
    """The document after the rewriting; None if nothing changed."""
    target = target_of(marked, language)
    tools = tools_of(answer, answer, backend=backend)
    edits, _ = await rewrite("simplify", target, tools, phase="Rewriting")
    return apply_edits(target.snapshot.text, edits) if edits else None


async def test_only_the_function_changes() -> None:
    after = await rewritten(f"import os\n\n\n{ABS}\n\nx = 1\n", SHORT)
    assert after == f"import os\n\n\n{SHORT}\n\nx = 1\n"


async def test_the_request() -> None:
    backend = scripted(SHORT)
    await rewritten(ABS, "", backend=backend)
    request = backend.seen[0]
    assert isinstance(request, ChatRequest)
    assert request.messages[-1].content == "```python\n"
    assert "\n```" in request.stop


async def test_unchanged_is_none() -> None:
    assert await rewritten(ABS, ABS.replace("<|>", "")) is None


@pytest.mark.parametrize(
    "answer",
    [
        SHORT + "```\nThis is shorter.",
        "\n\n" + SHORT,
        "# A comment before\n" + SHORT,
        "import math\n\n\n" + SHORT + "\n\nprint(absolute(-1))\n",
        "<think>Use a conditional expression.</think>" + SHORT,
        SHORT.replace("\n", "\r\n"),
        "    " + SHORT.replace("\n    ", "\n        "),
    ],
)
async def test_what_stands_around_the_function_is_left_out(answer: str) -> None:
    assert await rewritten(ABS, answer) == SHORT


async def test_a_method_keeps_its_place_and_the_files_line_ends() -> None:
    before = (
        "class A:\r\n    def absolute(self, x):\r\n        y = x\r\n\r\n        <|>return abs(y)\r\n\r\n    z = 1\r\n"
    )
    after = await rewritten(before, "def absolute(self, x):\n    return abs(x)\n")
    assert after == "class A:\r\n    def absolute(self, x):\r\n        return abs(x)\r\n\r\n    z = 1\r\n"


@pytest.mark.parametrize(
    ("language", "before", "answer", "expected"),
    [
        (
            "typescript",
            "class A {\n  area(r: number): number {\n    <|>const x = r * r;\n    return 3 * x;\n  }\n}\n",
            "area(r: number): number {\n  return 3 * r * r;\n}",
            "class A {\n  area(r: number): number {\n    return 3 * r * r;\n  }\n}\n",
        ),
        (
            "javascript",
            "const area = (r) => {\n\t<|>const x = r;\n\treturn x;\n};\n",
            "const area = (r) => {\n\treturn r;\n};",
            "const area = (r) => {\n\treturn r;\n};\n",
        ),
        (
            "java",
            "class A {\n    int area(int r) {\n        <|>int x = r;\n        return x;\n    }\n}\n",
            "int area(int r) {\n    return r;\n}",
            "class A {\n    int area(int r) {\n        return r;\n    }\n}\n",
        ),
        (
            "go",
            "package a\n\nfunc Area(r int) int {\n\t<|>x := r\n\treturn x\n}\n",
            "func Area(r int) int {\n\treturn r\n}",
            "package a\n\nfunc Area(r int) int {\n\treturn r\n}\n",
        ),
        (
            "rust",
            "impl A {\n    fn area(&self, r: i32) -> i32 {\n        <|>let x = r;\n        x\n    }\n}\n",
            "fn area(&self, r: i32) -> i32 {\n    r\n}",
            "impl A {\n    fn area(&self, r: i32) -> i32 {\n        r\n    }\n}\n",
        ),
    ],
)
async def test_other_languages(language: str, before: str, answer: str, expected: str) -> None:
    assert await rewritten(before, answer, language) == expected


@pytest.mark.parametrize(
    "answer",
    [
        "def absolute(x, y):\n    return x\n",
        "def absolute(y):\n    return y\n",
        "def magnitude(x):\n    return x\n",
        "async def absolute(x):\n    return x\n",
        "@cache\ndef absolute(x):\n    return x\n",
    ],
)
async def test_another_signature_is_refused(answer: str) -> None:
    with pytest.raises(RefusedError, match=r"signature of absolute|no sound|no longer be|has to be|async"):
        await rewritten(ABS, answer)


async def test_a_lost_decorator_is_refused() -> None:
    before = "class A:\n    @property\n    def size(self):\n        x = 1\n        <|>return x\n"
    with pytest.raises(RefusedError, match="signature of size"):
        await rewritten(before, "def size(self):\n    return 1\n")


async def test_a_new_default_is_allowed() -> None:
    after = await rewritten("def f(x=[]):\n    <|>return x\n", "def f(x=None):\n    return x or []\n")
    assert after == "def f(x=None):\n    return x or []\n"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot do that.",
        "def absolute(x:\n    return",
        "Here it is:\n" + SHORT,
        "def absolute(x):\n    return (x\n",
    ],
)
async def test_what_is_not_that_function_is_refused(answer: str) -> None:
    with pytest.raises(RefusedError, match="no sound Python"):
        await rewritten(ABS, answer)


async def test_cut_off_is_refused() -> None:
    with pytest.raises(RefusedError, match="did not come to an end"):
        await rewritten(ABS, "", backend=limited(4, SHORT, SHORT))


async def test_two_functions_instead_of_a_method_are_refused() -> None:
    before = "class A {\n  area(r) {\n    <|>return r;\n  }\n}\n"
    with pytest.raises(RefusedError):
        await rewritten(before, "area(r) {\n  return r + 1;\n}\nother() {\n  return 2;\n}", "javascript")


async def test_a_function_with_text_at_the_lines_start_is_left_alone() -> None:
    before = 'class A:\n    def usage(self):\n        <|>return """\nusage: a\n"""\n'
    backend = scripted("def usage(self):\n    return ''\n")
    with pytest.raises(RefusedError, match="must not be indented"):
        await rewritten(before, "", backend=backend)
    assert not backend.seen


async def test_half_typed_code_elsewhere_does_not_matter() -> None:
    after = await rewritten(ABS + "\n\nx = (1,\n", SHORT)
    assert after == SHORT + "\n\nx = (1,\n"


async def test_what_is_exported_stays_so() -> None:
    before = "export function area(r) {\n  <|>const x = r;\n  return x;\n}\n"
    after = "export function area(r) {\n  return r;\n}\n"
    assert await rewritten(before, "function area(r) {\n  return r;\n}\n", "javascript") == after
    assert await rewritten(before, after, "javascript") == after


async def test_lost_modifiers_are_refused() -> None:
    before = "class A {\n    public static int area(int r) {\n        <|>int x = r;\n        return x;\n    }\n}\n"
    with pytest.raises(RefusedError, match="signature of area"):
        await rewritten(before, "int area(int r) {\n    return r;\n}", "java")


@pytest.mark.parametrize("line", ["", "import math\n\n\n", "import os, math\n"])
async def test_imports_come_along(line: str) -> None:
    answer = f"{line}def absolute(x):\n    return math.fabs(x)\n"
    after = await rewritten(f"import os\n\n\n{ABS}", answer)
    assert after is not None
    assert "\n\n\ndef absolute(x):\n    return math.fabs(x)\n" in after
    assert after.index("math") < after.index("def")


async def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(RefusedError, match="numpy is not known there"):
        await rewritten(ABS, "def absolute(x):\n    return numpy.abs(x)\n")
    after = await rewritten(ABS, "import numpy\n\ndef absolute(x):\n    return numpy.abs(x)\n")
    assert after is not None
    assert after.startswith("import numpy\n\n")


async def test_a_fault_is_told_to_the_model_once() -> None:
    target, backend = target_of(ABS), scripted("def magnitude(x):\n    return x\n", SHORT)
    edits, _ = await rewrite("simplify", target, tools_of(backend=backend), phase="Rewriting")
    assert apply_edits(target.snapshot.text, edits) == SHORT
    asked = [request for request in backend.seen if isinstance(request, ChatRequest)]
    assert "change the signature of absolute" in asked[1].messages[-2].content


@pytest.mark.parametrize(
    ("before", "answer", "language", "reason"),
    [
        (
            "def f(x, y=1):\n    <|>return x + y\n",
            "def f(x, y):\n    return x + y\n",
            "python",
            "y would have no default",
        ),
        (
            'def f(x):\n    """It."""\n    <|>y = x\n    return y\n',
            "def f(x):\n    return x\n",
            "python",
            "documentation of f would be lost",
        ),
        ("def f(xs):\n    <|>yield from xs\n", "def f(xs):\n    return list(xs)\n", "python", "signature of f"),
        (
            "class A {\n  get size() {\n    <|>const x = 1;\n    return x;\n  }\n}\n",
            "size() {\n  return 1;\n}",
            "javascript",
            "signature of size",
        ),
        (
            "package a\n\nfunc (a *A) Area(r int) int {\n\t<|>x := r\n\treturn x\n}\n",
            "func Area(r int) int {\n\treturn r\n}",
            "go",
            "signature of Area",
        ),
        (
            "function fib(n) {\n  <|>return n < 2 ? n : fib(n - 1) + fib(n - 2);\n}\n",
            "const cache = new Map();\n\nfunction fib(n) {\n  return cache.get(n) || n;\n}\n",
            "javascript",
            "no sound JavaScript",
        ),
    ],
)
async def test_what_others_rely_on_stays(before: str, answer: str, language: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        await rewritten(before, answer, language)


async def test_a_method_in_its_class_is_taken_out_of_it() -> None:
    before = "class A:\n    class B:\n        def absolute(self, x):\n            <|>y = x\n            return abs(y)\n"
    answer = "class B:\n    def absolute(self, x):\n        return abs(x)\n"
    assert await rewritten(before, answer) == (
        "class A:\n    class B:\n        def absolute(self, x):\n            return abs(x)\n"
    )


async def test_imports_that_nobody_can_check_come_along() -> None:
    after = await rewritten(
        f"from tkinter import *\n\n\n{ABS}", "import math\n\n\ndef absolute(x):\n    return math.fabs(x)\n"
    )
    assert after is not None
    assert after.startswith("from tkinter import *\nimport math\n")


async def test_imports_at_the_end_of_a_file() -> None:
    after = await rewritten(f"{ABS}\n\nfrom app import routes\n", "def absolute(x):\n    return math.fabs(x)\n")
    assert after == "def absolute(x):\n    return math.fabs(x)\n\n\nfrom app import routes\nimport math\n"


async def test_names_that_a_file_has_are_not_imported_again() -> None:
    before = "const fs = require('fs');\n\nfunction load(p) {\n  <|>const x = fs.readFileSync(p);\n  return x;\n}\n"
    after = await rewritten(
        before, "import fs from 'fs/promises';\n\nfunction load(p) {\n  return fs.readFileSync(p);\n}\n", "javascript"
    )
    assert after == "const fs = require('fs');\n\nfunction load(p) {\n  return fs.readFileSync(p);\n}\n"


async def test_documentation_with_code_in_it() -> None:
    body = '    """It.\n\n    ```\n    absolute(-1)\n    ```\n    """\n'
    before = f"def absolute(x):\n{body}    <|>if x < 0:\n        return -x\n    return x\n"
    answer = f"def absolute(x):\n{body}    return abs(x)\n"
    assert await rewritten(before, answer) == answer
