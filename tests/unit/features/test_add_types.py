from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.errors import RefusedError
from lsp_server.features.add_types import add_types, lacks_types
from lsp_server.inference.backend import ChatRequest
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.text.edits import apply_edits
from tests.support.features import scripted, target_of, tools_of


async def typed(marked: str, *answers: str, backend: ScriptedBackend | None = None) -> str:
    """The document with types."""
    target = target_of(marked)
    edit = await add_types(target, tools_of(*answers, backend=backend))
    return apply_edits(target.snapshot.text, edit.edits)


async def test_each_type_is_asked_for_behind_what_is_there() -> None:
    backend = scripted("str, limit", "Zorro = 3", "List[str]:")
    after = await typed("def split(text, by, limit=3):\n    <|>return text.split()[:limit]\n", backend=backend)
    assert after == "def split(text: str, by, limit: int = 3) -> list[str]:\n    return text.split()[:limit]\n"
    openings = [r.messages[-1].content for r in backend.seen if isinstance(r, ChatRequest)]
    # What cannot be taken is not shown again, and what a default tells is not asked for.
    assert openings == [
        "```python\ndef split(text: ",
        "```python\ndef split(text: str, by: ",
        "```python\ndef split(text: str, by, limit: int=3) -> ",
    ]


@pytest.mark.parametrize(
    ("head", "answers", "after"),
    [
        ("def f(self, a):", ["int", "int"], "def f(self, a: int) -> int:"),
        ("def f(a: int, b):", ["str", "int"], "def f(a: int, b: str) -> int:"),
        (
            "def f(a, *, b, **rest):",
            ["int", "str", "object", "int"],
            "def f(a: int, *, b: str, **rest: object) -> int:",
        ),
        ("def f(*a) -> int:", ["int"], "def f(*a: int) -> int:"),
        ("def f(a=None):", ["int | None", "int"], "def f(a: int | None = None) -> int:"),
        ("def f(a = 1):", ["int"], "def f(a: int = 1) -> int:"),
        ("def f(a=')(', b='def ('):", ["int"], "def f(a: str = ')(', b: str = 'def (') -> int:"),
        ("@x('def (')\ndef f(a=(1,)):", ["int", "int"], "@x('def (')\ndef f(a: int = (1,)) -> int:"),
        ("def f():", ["dict[str, list[int]]:"], "def f() -> dict[str, list[int]]:"),
        ("async def f(a) :", ["int", "int"], "async def f(a: int) -> int :"),
        ("def f(a, b):", ["Zorro", "int", "lambda: 1"], "def f(a, b: int):"),
        ("def f(a, b):", ["'str'", "1", "int"], "def f(a, b) -> int:"),
        (
            "@cache\ndef f(\n    a,  # it\n    b=(1, 2),\n):",
            ["int", "tuple[int, int]", "int"],
            "@cache\ndef f(\n    a: int,  # it\n    b: tuple[int, int] = (1, 2),\n) -> int:",
        ),
    ],
)
async def test_signatures(head: str, answers: list[str], after: str) -> None:
    assert await typed(f"{head}\n    <|>return 1\n", *answers) == f"{after}\n    return 1\n"


async def test_names_for_types_are_imported() -> None:
    after = await typed(
        '"""It."""\nimport os\n\ndef f(a, b, c=None):\n    <|>return a\n', "Iterable[Any]", "os", "Sequence[int]", "Any"
    )
    assert after == (
        '"""It."""\nimport os\nfrom collections.abc import Iterable, Sequence\nfrom typing import Any, Optional\n\n'
        "def f(a: Iterable[Any], b: os, c: Optional[Sequence[int]] = None) -> Any:\n    return a\n"
    )


async def test_a_class_is_called_as_the_file_calls_it() -> None:
    text = "from shapes import Circle\nimport os\n\ndef f(a, b, c):\n    <|>return a\n"
    after = await typed(text, "List[shapes.Circle]", "os.PathLike", "typing.Iterable[str]", "typing.Dict[str, int]")
    assert after.startswith("from shapes import Circle\nimport os\nfrom collections.abc import Iterable\n\n")
    assert "def f(a: list[Circle], b: os.PathLike, c: Iterable[str]) -> dict[str, int]:" in after


async def test_classes_of_the_file_and_what_it_imports_are_known() -> None:
    text = "from shapes import Circle\n\nclass Cart: ...\n\ndef f(a, b):\n    <|>return a\n"
    after = await typed(text, "Cart", "list[Circle]", "Cart")
    assert "def f(a: Cart, b: list[Circle]) -> Cart:" in after


@pytest.mark.parametrize(
    ("body", "returns"),
    [
        ("print(a)", " -> None"),
        ("return", " -> None"),
        ("yield a", ""),
        ("raise ValueError", ""),
        ('"""Abstract."""', ""),
    ],
)
async def test_what_returns_nothing_needs_no_model(body: str, returns: str) -> None:
    assert await typed(f"def f(a):\n    <|>{body}\n", "int", "") == f"def f(a: int){returns}:\n    {body}\n"


async def test_within_a_class_with_wide_characters() -> None:
    after = await typed("class A:\n    x = '😀'\n    def f(self, größe='ü'):\n        <|>return größe\n", "str")
    assert after == "class A:\n    x = '😀'\n    def f(self, größe: str = 'ü') -> str:\n        return größe\n"


async def test_nothing_sure_is_refused() -> None:
    with pytest.raises(RefusedError, match="No type came out for f"):
        await typed("def f(a):\n    <|>return a\n", "Zorro", "")
    with pytest.raises(RefusedError, match="cannot be read"):
        await typed("def f(a):\n    <|>return (a\n", "int", "")


def test_when_it_is_offered() -> None:
    assert lacks_types(target_of("def f(a) -> int:\n    <|>return 1\n"))
    assert lacks_types(target_of("def f(self):\n    <|>return 1\n"))
    assert not lacks_types(target_of("class A:\n    def f(self, a: int, *, b: int) -> int:\n        <|>return 1\n"))
    assert not lacks_types(target_of("function f(a) {<|>}\n", "javascript"))


@given(st.lists(st.text("int[](),:=|. \nstr'\"{}", max_size=12), min_size=3, max_size=3))
async def test_whatever_is_answered_only_types_change(answers: list[str]) -> None:
    text = "def f(a, b=1):\n    return [a, b]\n"
    try:
        after = await typed(text.replace("return", "<|>return"), *answers)
    except RefusedError:
        return
    (function,) = [node for node in ast.parse(after).body if isinstance(node, ast.FunctionDef)]
    assert [arg.arg for arg in function.args.args] == ["a", "b"]
    assert after.endswith(":\n    return [a, b]\n")


async def test_a_method_with_decorators() -> None:
    head = "class A:\n    @cached(\n        1,\n    )\n    @other\n    def f(self, a{0}){1}:\n        <|>return 1\n"
    after = await typed(head.format("", ""), "int", "int")
    assert after == head.format(": int", " -> int").replace("<|>", "")


async def test_what_has_all_its_types_says_so() -> None:
    with pytest.raises(RefusedError, match="f has all its types already"):
        await typed("def f(a: int) -> int:\n    <|>return a\n")


@pytest.mark.parametrize(
    ("body", "said", "taken"),
    [
        ("return a.strip()", "int", False),
        ("return a.strip()", "str", True),
        ("return [one for one in a]", "dict", False),
        ("return [a[one] for one in a]", "dict[str, int]", True),
        ("return a.keys()", "dict", True),
        ("return a.anything", "object", True),
    ],
)
async def test_a_type_that_cannot_do_what_is_done_with_it(body: str, said: str, taken: bool) -> None:
    after = await typed(f"def f(a):\n    <|>{body}\n", said, "object")
    assert after == f"def f(a{': ' + said if taken else ''}) -> object:\n    {body}\n"
