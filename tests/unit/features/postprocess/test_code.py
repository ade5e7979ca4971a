from __future__ import annotations

import pytest

from lsp_server.features.postprocess.code import reindent, strip_answer


@pytest.mark.parametrize(
    "answer",
    [
        "a = 1\nb = 2",
        "a = 1\nb = 2\n\n\n",
        "```python\na = 1\nb = 2\n```",
        "```\na = 1\nb = 2\n```\nThat is it.",
        "Here it is:\n\n```py\na = 1\nb = 2\n```\n\n```py\nc = 3\n```",
        "```python\na = 1\nb = 2",
        "<think>\n```\nno\n```\n</think>\na = 1\nb = 2",
        "    a = 1\n    b = 2\n",
        "a = 1   \r\nb = 2\t\r\n",
    ],
    ids=[
        "bare",
        "blank lines behind",
        "fenced",
        "prose behind the fence",
        "prose before it, and a second one",
        "no closing fence",
        "thinking",
        "indented",
        "CRLF and blanks",
    ],
)
def test_strip_answer(answer: str) -> None:
    assert strip_answer(answer) == "a = 1\nb = 2\n"


def test_thinking_that_never_ended_is_no_answer() -> None:
    assert strip_answer("<think>a = 1").strip() == ""


def test_only_the_line_ends_of_code_end_a_line() -> None:
    assert strip_answer("a = '\u2028'\nb = 1\x0cc") == "a = '\u2028'\nb = 1\x0cc\n"


def test_reindent() -> None:
    assert reindent("def f():\n    a\n\n    b\n", "\t", "\r\n") == "def f():\r\n\t    a\r\n\r\n\t    b"


def test_a_single_line_needs_no_indentation() -> None:
    assert reindent("a\n", "    ", "\n") == "a"
