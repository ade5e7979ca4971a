from __future__ import annotations

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.simplify import simplify
from lsp_server.text.edits import apply_edits
from tests.support.features import target_of, tools_of

LONG = target_of("def f(x):\n    <|>if x == 1:\n        return True\n    else:\n        return False\n")


async def test_a_shorter_function_is_taken() -> None:
    edit = await simplify(LONG, tools_of("def f(x):\n    return x == 1\n"))
    assert edit.title == "Simplify f"
    assert edit.path is None
    assert apply_edits(LONG.snapshot.text, edit.edits) == "def f(x):\n    return x == 1\n"


@pytest.mark.parametrize(
    "answer",
    [
        LONG.code,
        "def f(x):\n    if x == 1:\n        return True\n\n    else:\n        return False\n",
        "def f(x):\n    result = x == 1\n    if result:\n        return True\n    else:\n        return False\n",
        "def f(x: int) -> bool:\n    if x == 1: return True\n    else: return False\n",
    ],
    ids=["unchanged", "more blank lines", "longer", "only types and layout"],
)
async def test_what_is_not_simpler_is_refused(answer: str) -> None:
    with pytest.raises(RefusedError, match="found nothing to simplify in f"):
        await simplify(LONG, tools_of(answer))


@pytest.mark.parametrize(
    ("language", "marked", "answer", "lost"),
    [
        (
            "python",
            "class A:\n    def f(self):\n        <|>self._clean()\n        found = self.a[0]\n        return found\n",
            "def f(self):\n    return self.a[0]\n",
            "_clean",
        ),
        (
            "javascript",
            "function first(a) {\n  <|>log(a);\n  const found = a[0];\n  return found;\n}\n",
            "function first(a) {\n  return a[0];\n}\n",
            "log",
        ),
    ],
)
async def test_what_is_called_for_what_it_does_is_still_called(
    language: str, marked: str, answer: str, lost: str
) -> None:
    with pytest.raises(RefusedError, match=f"{lost} is no longer called"):
        await simplify(target_of(marked, language), tools_of(answer, answer))


OPENED = """\
def f(path):
    <|>file = open(path)
    text = file.read()
    file.close()
    return text
"""


async def test_what_was_closed_is_closed() -> None:
    forgot = "def f(path):\n    return open(path).read()\n"
    right = "def f(path):\n    with open(path) as file:\n        return file.read()\n"
    edit = await simplify(target_of(OPENED), tools_of(forgot, right))
    assert "with open" in edit.edits[-1].new_text


async def test_a_list_may_be_made_in_another_way() -> None:
    target = target_of(
        "def f(items):\n    <|>found = []\n    for item in items:\n        found.append(item + 1)\n    return found\n"
    )
    edit = await simplify(target, tools_of("def f(items):\n    return [item + 1 for item in items]\n"))
    assert "append" not in apply_edits(target.snapshot.text, edit.edits)
