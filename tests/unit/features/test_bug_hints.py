from __future__ import annotations

from dataclasses import replace

import pytest

from lsp_server.errors import BackendRejectedError, BackendUnavailableError
from lsp_server.features.bug_hints import LEAST_GAIN, BugHint, find_bugs, fingerprint, suspicions
from lsp_server.inference.backend import Priority, ScoredToken, ScoreRequest
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.text.edits import apply_edits
from lsp_server.text.snippet import Snippet
from tests.support.features import target_of, tools_of
from tests.support.scores import expecting

RIGHT = """\
def total(prices, rate):
    summed = 0
    for price in prices:
        summed += price * rate
    return summed
"""
WRONG = RIGHT.replace("price * rate", "prices * rate")


def marked(code: str) -> str:
    return code.replace("return", "<|>return", 1)


async def hint_for(
    code: str, right: str, *, language: str = "python", least_gain: float = LEAST_GAIN
) -> BugHint | None:
    backend = ScriptedBackend(scores=expecting(right))
    return await find_bugs(target_of(marked(code), language), tools_of(backend=backend), least_gain=least_gain)


def fixed(hint: BugHint) -> str:
    return apply_edits(hint.function_text, hint.edits)


async def test_a_name_that_was_mixed_up() -> None:
    hint = await hint_for(WRONG, RIGHT)
    assert hint is not None
    assert hint.message == "Possible bug: `prices` here, where `price` would be expected."
    assert hint.fix_title == "Fix: `summed += price * rate`"
    assert hint.function_text[hint.start : hint.end] == "prices"
    assert fixed(hint) + "\n" == RIGHT
    assert hint.gain > LEAST_GAIN


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("python", "def f(a, b):\n    if a <= b:\n        b = a\n    return b\n", ("a <= b", "a < b")),
        ("python", "def f(a, b):\n    if a is not b and b:\n        b = a\n    return b\n", ("is not", "is")),
        (
            "typescript",
            "function f(a: string[], n: number) {\n  const s = a.length;\n  return s === n && n !== 0;\n}\n",
            ("===", "!=="),
        ),
        ("go", "func F(a []int, n int) int {\n\ts := 0\n\ts += a[n]\n\treturn s\n}\n", ("a[n]", "a[s]")),
        ("java", "class A { int f(int a, int b) { int c = a + b; return c; } }\n", ("a + b", "a - b")),
        ("rust", "fn f(a: i32, b: i32) -> bool {\n    let c = a;\n    return c > 1 && true;\n}\n", ("true", "false")),
        ("php", "<?php function f($a, $b) { $c = $a; return $c + $b; }\n", ("$c + $b", "$c + $a")),
    ],
)
async def test_in_many_languages(language: str, right: str, wrong: tuple[str, str]) -> None:
    hint = await hint_for(right.replace(*wrong), right, language=language, least_gain=1)
    assert hint is not None
    assert fixed(hint) in right


async def test_what_is_asked() -> None:
    backend = ScriptedBackend(scores=expecting(RIGHT))
    target = target_of("import os\nimport re\n\n\n" + marked(WRONG))
    target = replace(target, related=(Snippet("a.py", "class Price: ...\n"),))
    assert await find_bugs(target, tools_of(backend=backend), priority=Priority.BACKGROUND)
    whole, changed = backend.seen
    assert isinstance(whole, ScoreRequest)
    assert isinstance(changed, ScoreRequest)
    assert whole.context == "class Price: ...\nimport os\nimport re\n\n\n"
    assert whole.text == WRONG.rstrip("\n")
    assert changed.context.endswith("summed +=")
    assert changed.text.startswith(" price * rate\n")
    assert {whole.priority, changed.priority} == {Priority.BACKGROUND}


async def test_line_ends_and_indentation_stay() -> None:
    right = "class A:\r\n\tdef f(self, one, two):\r\n\t\tboth = one + two\r\n\r\n\t\treturn both\r\n"
    hint = await hint_for(right.replace("one + two", "one + one"), right)
    assert hint is not None
    assert fixed(hint) in right


async def test_characters_beyond_ascii() -> None:
    right = "def f(größe, 数):\n    # 😀\n    both = größe + 数\n    return both\n"
    hint = await hint_for(right.replace("größe + 数", "größe + größe"), right)
    assert hint is not None
    assert fixed(hint) + "\n" == right


@pytest.mark.parametrize(
    ("right", "wrong", "message", "seen"),
    [
        ("a[len(a) - 1]", "a[len(a)]", "`- 1` would be expected here", "return a[len(a)]"),
        ("a[len(a)]", "a[len(a) - 1]", "`- 1` here, where nothing would be expected", " - 1"),
    ],
)
async def test_what_is_missing_and_what_is_too_much(right: str, wrong: str, message: str, seen: str) -> None:
    code = "def f(a):\n    return {}\n"
    hint = await hint_for(code.format(wrong), code.format(right), least_gain=1)
    assert hint is not None
    assert (hint.message, hint.fix_title) == (f"Possible bug: {message}.", f"Fix: `return {right}`")
    assert hint.function_text[hint.start : hint.end] == seen
    assert fixed(hint) + "\n" == code.format(right)


async def test_no_hint_where_all_is_as_expected() -> None:
    backend = ScriptedBackend(scores=expecting(RIGHT))
    assert await find_bugs(target_of(marked(RIGHT)), tools_of(backend=backend)) is None
    assert len(backend.seen) == 1


async def test_no_hint_below_the_threshold() -> None:
    found, _ = await suspicions(target_of(marked(WRONG)), tools_of(backend=ScriptedBackend(scores=expecting(RIGHT))))
    gain = max(one.gain for one in found)
    assert await hint_for(WRONG, RIGHT, least_gain=gain + 0.1) is None
    assert await hint_for(WRONG, RIGHT, least_gain=gain) is not None


async def test_a_name_that_is_not_the_functions_own_is_left_alone() -> None:
    """That something does not exist other tools tell; a model has only not seen it."""
    wrong = RIGHT.replace("price * rate", "Price * rate")
    assert await hint_for(wrong, RIGHT, least_gain=0) is None


async def test_a_function_that_is_too_long_is_not_read() -> None:
    backend = ScriptedBackend(scores=expecting(RIGHT))
    long = marked(RIGHT).replace("    summed = 0\n", "    summed = 0\n" * 1000)
    assert await find_bugs(target_of(long), tools_of(backend=backend)) is None
    data = marked(RIGHT).replace("summed = 0\n", f"summed = 0 * sum({[*range(200)]})\n")
    assert await find_bugs(target_of(data), tools_of(backend=backend)) is None
    assert backend.seen == []


async def test_a_server_that_cannot_score_is_not_taken_for_correct_code() -> None:
    with pytest.raises(BackendRejectedError, match="does not tell how likely"):
        await find_bugs(target_of(marked(WRONG)), tools_of(backend=ScriptedBackend()))


async def test_a_dead_model_is_not_taken_for_correct_code() -> None:
    def gone(_request: ScoreRequest) -> list[ScoredToken]:
        raise BackendUnavailableError("gone")

    with pytest.raises(BackendUnavailableError):
        await find_bugs(target_of(marked(WRONG)), tools_of(backend=ScriptedBackend(scores=gone)))


def test_a_fingerprint_is_of_the_function_and_what_it_uses() -> None:
    here = fingerprint(target_of("import os\n" + marked(WRONG)))
    assert here == fingerprint(target_of("import os\nx = 1\n\n" + marked(WRONG)))
    assert here != fingerprint(target_of("import re\n" + marked(WRONG)))
    assert here != fingerprint(target_of("import os\n" + marked(RIGHT)))
    related = replace(target_of("import os\n" + marked(WRONG)), related=(Snippet("a.py", "x\n"),))
    assert here != fingerprint(related)
