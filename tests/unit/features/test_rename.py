from __future__ import annotations

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.rename import has_unclear_variables, rename_variables
from lsp_server.inference.backend import ChatRequest
from lsp_server.text.edits import apply_edits
from tests.support.features import scripted, target_of, tools_of

SUM = "def total(items):\n    s = 0\n    for x in items:\n        s += x.price\n    <|>return s\n"


async def renamed(marked: str, *answers: str, language: str = "python") -> str:
    target = target_of(marked, language)
    edit = await rename_variables(target, tools_of(*answers))
    return apply_edits(target.snapshot.text, edit.edits)


async def test_variables_get_the_names_that_the_model_says() -> None:
    target = target_of(SUM)
    backend = scripted("price_sum`", "item`")
    edit = await rename_variables(target, tools_of(backend=backend))
    assert apply_edits(target.snapshot.text, edit.edits) == (
        "def total(items):\n    price_sum = 0\n    for item in items:\n        price_sum += item.price\n"
        "    return price_sum\n"
    )
    # To apply a part of it would break the code, and it is the same code: nothing has to be looked at before.
    assert (edit.notes, edit.preview) == (("s → price_sum, x → item.",), False)
    first, second = backend.seen
    assert isinstance(first, ChatRequest)
    assert isinstance(second, ChatRequest)
    assert first.messages[-1].content == "- `s` → `"
    assert second.messages[-1].content == "- `s` → `price_sum`\n- `x` → `"
    assert second.grammar


@pytest.mark.parametrize(
    ("language", "said", "written"),
    [("python", "priceSum", "price_sum"), ("python", "HTTPSum", "http_sum"), ("typescript", "price_sum", "priceSum")],
)
async def test_names_are_as_the_language_has_them(language: str, said: str, written: str) -> None:
    code = {
        "python": "def f():\n    <|>s = 0\n    return s\n",
        "typescript": "function f() {\n  <|>let s = 0;\n  return s;\n}\n",
    }[language]
    assert f"return {written}" in await renamed(code, said, language=language)


@pytest.mark.parametrize("said", ["s", "tmp", "class", "items", "x", "", "total"])
async def test_names_that_are_no_better_or_taken(said: str) -> None:
    with pytest.raises(RefusedError, match="knew no better names"):
        await renamed(SUM, said, said)


@pytest.mark.parametrize(("old", "new"), [("idx", "index"), ("sym", "symbol"), ("ret", "price"), ("t", "price")])
async def test_a_word_for_what_is_short_for_it(old: str, new: str) -> None:
    assert f"return {new}" in await renamed(f"def f():\n    <|>{old} = 0\n    return {old}\n", new)


@pytest.mark.parametrize(("old", "new"), [("idx", "position"), ("col", "element"), ("ret", "output")])
async def test_a_word_for_something_else(old: str, new: str) -> None:
    with pytest.raises(RefusedError, match="knew no better names"):
        await renamed(f"def f():\n    <|>{old} = 0\n    return {old}\n", new)


def test_short_words_are_clear() -> None:
    assert not has_unclear_variables(target_of("def f(a):\n    <|>for row in a:\n        tag = row\n    return tag\n"))


async def test_one_name_is_not_given_twice() -> None:
    assert "    for x in items" in await renamed(SUM, "amount", "amount")


@pytest.mark.parametrize(
    "code",
    [
        "def f(a):\n    <|>return a\n",
        "def f():\n    <|>total = 1\n    return total\n",
        "def f():\n    <|>for i in a:\n        print(i)\n",
    ],
)
async def test_where_all_names_are_clear(code: str) -> None:
    assert not has_unclear_variables(target_of(code))
    with pytest.raises(RefusedError, match="say something"):
        await renamed(code, "better")
