from __future__ import annotations

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.to_async import can_become_async, to_async
from lsp_server.text.edits import apply_edits
from tests.support.features import target_of, tools_of

FETCH = (
    "import time\n\n\ndef fetch(url):\n    <|>time.sleep(1)\n    return url\n\n\na = fetch('a')\n"
    "b = [fetch('b')]\nclass A:\n    def fetch(self):\n        pass\n"
)
ANSWER = "async def fetch(url):\n    await asyncio.sleep(1)\n    return url\n"


async def test_it_is_awaited_from_now_on() -> None:
    target = target_of(FETCH)
    edit = await to_async(target, tools_of(ANSWER))
    text = apply_edits(target.snapshot.text, edit.edits)
    assert text.startswith(f"import time\nimport asyncio\n\n\n{ANSWER}")
    assert edit.title == "Make fetch async"
    assert edit.preview
    assert edit.notes == ("Whoever calls fetch has to await it now, as in lines 10, 11.",)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("def fetch(url):\n    return url\n", "fetch has to be async"),
        ("async def fetch(url):\n    return url\n", "It awaits nothing"),
        ("async def fetch(url):\n    await time.sleep(1)\n    return url\n", "time.sleep is not async"),
        ("async def fetch(url, session):\n    await session.get(url)\n", "would change the signature of fetch"),
    ],
)
async def test_what_is_no_async_function_is_refused_after_two_tries(answer: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        await to_async(target_of(FETCH), tools_of(answer, answer))
    assert (await to_async(target_of(FETCH), tools_of(answer, ANSWER))).edits


async def test_javascript() -> None:
    target = target_of("export function load(path) {\n  <|>return fs.readFileSync(path);\n}\n", "javascript")
    edit = await to_async(
        target, tools_of("async function load(path) {\n  return await fs.promises.readFile(path);\n}\n")
    )
    after = apply_edits(target.snapshot.text, edit.edits)
    assert after == "export async function load(path) {\n  return await fs.promises.readFile(path);\n}\n"
    assert edit.notes == ("Whoever calls load has to await it now.",)


@pytest.mark.parametrize(
    ("marked", "language"),
    [
        ("async def f():\n    <|>pass\n", "python"),
        ("class A:\n    def __init__(self):\n        <|>pass\n", "python"),
        ("class A {\n  constructor() {<|>}\n}\n", "javascript"),
        ("fn f() {<|>}\n", "rust"),
    ],
)
async def test_what_cannot_be_awaited(marked: str, language: str) -> None:
    target = target_of(marked, language)
    assert not can_become_async(target)
    with pytest.raises(RefusedError, match="cannot become async"):
        await to_async(target, tools_of())


async def test_what_is_async_already_can_be_awaited() -> None:
    target = target_of("async def load(): ...\n\n\ndef both():\n    <|>load()\n    return 1\n")
    edit = await to_async(target, tools_of("async def both():\n    await load()\n    return 1\n"))
    assert "await load()" in apply_edits(target.snapshot.text, edit.edits)


async def test_a_function_that_calls_itself_awaits_itself() -> None:
    target = target_of("def walk(n):\n    <|>return walk(n - 1) if n else 0\n")
    edit = await to_async(target, tools_of("async def walk(n):\n    return await walk(n - 1) if n else 0\n"))
    assert "await walk" in edit.edits[-1].new_text
