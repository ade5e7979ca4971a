from __future__ import annotations

import pytest

from lsp_server.features.postprocess.code import (
    ends_with_definition,
    reindent,
    strip_answer,
    up_to_last_definition,
    without_examples,
)


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


@pytest.mark.parametrize(
    ("language", "code", "kept"),
    [
        ("python", "def f():\n    pass\n\n\n# Example usage:\nprint(f())\n", "def f():\n    pass\n"),
        ("typescript", "const f = () => 1;\n\n// Usage\nf();\n", "const f = () => 1;\n"),
        ("python", "def f():\n    # Example\n    return 1\n\n\nX = f()\n", None),
        ("python", "# Example\nx = 1\n", None),
    ],
)
def test_examples_behind_the_code_go(language: str, code: str, kept: str | None) -> None:
    assert without_examples(code, language) == (code if kept is None else kept)


@pytest.mark.parametrize(
    ("language", "code", "kept"),
    [
        ("python", "class A:\n    def f(self):\n        pass\n\n    x = 1\n\n\nprint(A())\n", "x = 1\n"),
        ("typescript", "const f = () => 1;\nf();\n", "const f = () => 1;\n"),
        ("python", "x = 1\n", "x = 1\n"),
    ],
)
def test_what_stands_behind_definitions(language: str, code: str, kept: str) -> None:
    assert up_to_last_definition(code, language).endswith(kept)
    assert not ends_with_definition(code, language)
    if kept != code:
        assert ends_with_definition(up_to_last_definition(code, language), language)
