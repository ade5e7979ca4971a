from __future__ import annotations

import pytest

from lsp_server.errors import BackendUnavailableError
from lsp_server.features.bug_hints import BugHint, find_bugs
from lsp_server.inference.backend import ChatRequest, Priority
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.text.edits import apply_edits
from tests.support.features import limited, scripted, target_of, tools_of

MEAN = "def mean(values):\n    <|>total = sum(values)\n    return total / (len(values) - 1)\n"
RIGHT = "def mean(values):\n    total = sum(values)\n    return total / len(values)\n"


async def hint_for(marked: str, *answers: str, language: str = "python") -> BugHint | None:
    return await find_bugs(target_of(marked, language), tools_of(*answers))


def fixed(hint: BugHint) -> str:
    return apply_edits(hint.function_text, hint.edits)


def underlined(hint: BugHint) -> str:
    return hint.function_text[hint.start : hint.end]


async def test_a_small_correction_is_a_hint() -> None:
    hint = await hint_for("x = 1\n\n\n" + MEAN, RIGHT, " the count is one too small. So it is wrong.")
    assert hint is not None
    assert hint.message == "Possible bug: the count is one too small."
    assert hint.fix_title == "Fix: `return total / len(values)`"
    assert underlined(hint) == "return total / (len(values) - 1)"
    assert fixed(hint) + "\n" == RIGHT


async def test_the_model_is_shown_what_changed_when_it_is_asked_for_the_reason() -> None:
    backend = scripted(RIGHT, " x.")
    await find_bugs(target_of(MEAN), tools_of(backend=backend), priority=Priority.BACKGROUND)
    reason = backend.seen[1]
    assert isinstance(reason, ChatRequest)
    question = reason.messages[1].content
    assert "    return total / (len(values) - 1)\n```\n\nto" in question
    assert "    return total / len(values)\n```" in question
    assert all(isinstance(r, ChatRequest) and r.priority is Priority.BACKGROUND for r in backend.seen)


async def test_the_cost_is_that_of_both_questions() -> None:
    hint = await hint_for(MEAN, RIGHT, " one two three.")
    assert hint is not None
    assert hint.timings.predicted_tokens == len(RIGHT.split()) + 1 + 3


async def test_a_reason_that_does_not_come_leaves_a_plain_sentence() -> None:
    hint = await hint_for(MEAN, RIGHT, "")
    assert hint is not None
    assert hint.message == "Possible bug: the model would write this differently."


async def test_an_added_line_underlines_something_that_can_be_seen() -> None:
    for before, after, seen in (
        (
            "def f(a):\n    <|>return 1 / a\n",
            "def f(a):\n    if not a:\n        return 0\n    return 1 / a\n",
            "return 1 / a",
        ),
        ("def f(a):\n    <|>a.go()\n", "def f(a):\n    a.go()\n    a.close()\n", "a.go()"),
        (
            "def f(a):\n    <|>a.go()\n\n    a.end()\n",
            "def f(a):\n    a.go()\n    a.close()\n\n    a.end()\n",
            "a.go()",
        ),
    ):
        hint = await hint_for(before, after, " x.")
        assert hint is not None
        assert underlined(hint) == seen
        assert fixed(hint) + "\n" == after


async def test_a_removed_line() -> None:
    hint = await hint_for(
        "def f(a):\n    <|>a.go()\n    a.go()\n    return a\n", "def f(a):\n    a.go()\n    return a\n", " x."
    )
    assert hint is not None
    assert underlined(hint) == "a.go()"
    assert hint.fix_title == "Fix: remove the wrong lines"


async def test_line_ends_and_indentation_of_the_file_stay() -> None:
    before = "class A:\r\n\tdef f(self, a):\r\n\t\tb = a\r\n\r\n\t\t<|>return b - 1\r\n"
    hint = await hint_for(before, "def f(self, a):\n\tb = a\n\n\treturn b + 1\n", " x.")
    assert hint is not None
    assert fixed(hint) == "def f(self, a):\r\n\t\tb = a\r\n\r\n\t\treturn b + 1"


@pytest.mark.parametrize(
    "answer",
    [
        MEAN.replace("<|>", ""),
        MEAN.replace("<|>", "").replace("    total", '    """Compute the mean."""\n    total'),
        MEAN.replace("<|>", "").replace("sum(values)\n", "sum(values)   \n\n"),
        "def mean(values):\n    n = t = 0\n    for v in values:\n        t += v\n        n += 1\n    return t / n\n",
        "def mean(values, default):\n    total = sum(values)\n    return total / len(values)\n",
        "def average(values):\n    total = sum(values)\n    return total / len(values)\n",
        "def mean(values):\n    return (sum(values)\n",
        "There is no bug.",
        "",
    ],
    ids=["unchanged", "docs", "layout", "rewritten", "signature", "name", "syntax", "prose", "nothing"],
)
async def test_no_hint(answer: str) -> None:
    backend = scripted(answer, " unasked.")
    assert await find_bugs(target_of(MEAN), tools_of(backend=backend)) is None
    assert len(backend.seen) == 1


async def test_a_correction_that_was_cut_off_is_no_hint() -> None:
    assert await find_bugs(target_of(MEAN), tools_of(backend=limited(6, RIGHT))) is None


async def test_a_dead_model_is_not_taken_for_correct_code() -> None:
    backend = ScriptedBackend(chats=[BackendUnavailableError("gone")])
    with pytest.raises(BackendUnavailableError):
        await find_bugs(target_of(MEAN), tools_of(backend=backend))
