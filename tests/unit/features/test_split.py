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
    shown = show_words(limit, words)
    return "\\n".join(shown)


def show_words(limit, words):
    shown = []
    for name, count in sorted(words.items()):
        if count < limit:
            continue
        stars = "*" * count
        shown.append(f"{name}: {stars}")
    return shown


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
        "show_words takes limit, words and gives shown.",
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
