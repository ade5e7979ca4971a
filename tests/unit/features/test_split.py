from __future__ import annotations

import pytest

from lsp_server.errors import RefusedError
from lsp_server.features.split import can_split, split
from lsp_server.text.edits import apply_edits
from tests.support.features import target_of, tools_of

REPORT = '''\
import re


def report(text, limit):
    """Words and lines of a text."""
    <|>words = {}
    # Count the words.
    for line in text.splitlines():
        for word in re.findall(r"\\w+", line):
            word = word.lower()
            if word not in words:
                words[word] = 0
            words[word] += 1
    shown = []
    for name, count in sorted(words.items()):
        if count < limit:
            continue
        stars = "*" * count
        shown.append(f"{name}: {stars}")
    return "\\n".join(shown)
'''


async def test_parts_become_functions() -> None:
    target = target_of(REPORT)
    edit = await split(target, tools_of("count_words`", "show_words`"))
    assert (
        apply_edits(target.snapshot.text, edit.edits)
        == '''\
import re


def report(text, limit):
    """Words and lines of a text."""
    words = count_words(text)
    return show_words(limit, words)


def show_words(limit, words):
    shown = []
    for name, count in sorted(words.items()):
        if count < limit:
            continue
        stars = "*" * count
        shown.append(f"{name}: {stars}")
    return "\\n".join(shown)


def count_words(text):
    words = {}
    # Count the words.
    for line in text.splitlines():
        for word in re.findall(r"\\w+", line):
            word = word.lower()
            if word not in words:
                words[word] = 0
            words[word] += 1
    return words
'''
    )
    assert edit.title == "Split report"
    assert edit.preview
    assert edit.notes == (
        "count_words takes text and gives words.",
        "show_words takes limit, words and gives what is returned.",
    )


@pytest.mark.parametrize(
    ("marked", "language"),
    [("def short():\n    <|>return 1\n", "python"), ("function f() {<|>\n" + "  g();\n" * 20 + "}\n", "javascript")],
)
async def test_what_is_short_or_no_python_is_refused(marked: str, language: str) -> None:
    target = target_of(marked, language)
    assert not can_split(target)
    with pytest.raises(RefusedError, match="is not long, or not Python"):
        await split(target, tools_of())


async def test_what_has_no_part_is_refused() -> None:
    target = target_of("def gen(n):\n    <|>pass\n" + "".join(f"    yield n + {i}\n" for i in range(20)))
    assert can_split(target)
    with pytest.raises(RefusedError, match="No part of gen can stand alone"):
        await split(target, tools_of())


async def test_of_several_of_one_name_it_is_the_one_at_the_cursor() -> None:
    body = "".join(f"        if value > {n}:\n            self.log({n})\n" for n in range(8))
    text = (
        "class A:\n    @property\n    def size(self):\n        value = self._size\n" + body + "        return value\n\n"
    )
    text += (
        "    @size.setter\n    def size(self, value):\n"
        + body.replace("log", "note<|>", 1)
        + "        self._size = value\n"
    )
    target = target_of(text)
    edit = await split(target, tools_of(*["note_it`"] * 3))
    after = apply_edits(target.snapshot.text, edit.edits)
    getter, setter = after.split("@size.setter")
    assert "note_it" not in getter
    assert "self.note_it(value)" in setter


async def test_a_comment_of_another_block_stays_there() -> None:
    loop = "    for x in xs:\n        print(x)\n        # TODO: more\n"
    text = (
        "def f(xs):\n    <|>print(1)\n"
        + loop
        + "    total = 0\n    low = min(xs)\n    high = max(xs)\n    total += low\n"
    )
    text += "    total += high\n    for x in xs:\n        print(x)\n        print(2)\n    return total\n"
    target = target_of(text)
    after = apply_edits(target.snapshot.text, (await split(target, tools_of(*["part`"] * 3))).edits)
    assert loop in after
