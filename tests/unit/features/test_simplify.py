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
    ],
    ids=["unchanged", "more blank lines", "longer"],
)
async def test_what_is_not_simpler_is_refused(answer: str) -> None:
    with pytest.raises(RefusedError, match="found nothing to simplify in f"):
        await simplify(LONG, tools_of(answer))
