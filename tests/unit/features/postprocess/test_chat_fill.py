from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.features.postprocess.chat_fill import grammar, messages, strip
from lsp_server.inference.backend import Message
from lsp_server.prompting.catalog import PromptCatalog, shipped_directory

QUESTION = (Message("system", "Be brief."), Message("user", "Complete this."))


@pytest.mark.parametrize(
    ("prefix", "opening"),
    [
        ("x = 1\ny = f(", "```python\nx = 1\ny = f("),
        ("x = 1\n    ", "```python\nx = 1\n"),
        ("def f():\n    ret", "```python\ndef f():\n"),
        ("x = not", "```python\nx ="),
        ("x = ", "```python\nx ="),
        ("x = größ", "```python\nx ="),
        ("x\r\n\ty", "```python\nx\r\n"),
        ("", "```python\n"),
    ],
)
def test_the_answer_is_begun_with_the_code_before_the_hole_up_to_the_begun_word(prefix: str, opening: str) -> None:
    assert messages(QUESTION, "python", prefix) == (*QUESTION, Message("assistant", opening))


@pytest.mark.parametrize(
    ("line_prefix", "expected"),
    [("", None), ("f(", None), ("    ret", 'root ::= "    ret" [^\\x00]*'), ("x = ", 'root ::= " " [^\\x00]*')],
)
def test_what_was_left_out_is_made_sure_of(line_prefix: str, expected: str | None) -> None:
    assert grammar(line_prefix) == expected


@pytest.mark.parametrize(
    ("answer", "line_prefix", "line_suffix", "expected"),
    [
        ("a, b)", "f(", "", "a, b)"),
        ("    return x", "    ret", "", "urn x"),
        ("    return x", "    ", "", "return x"),
        ("return x", "    ", "", "return x"),
        (" 1", "x = ", "", "1"),
        ("1", "x = ", "", "1"),
        (" print(x)", "    ret", "", ""),
        ("    re", "    ret", "", ""),
        ("a)\nprint(b)", "f(", ")", "a"),
        ("g(a))", "f(", ")", "g(a)"),
        ("a, file=b)", "print(", ", file=b)", "a"),
        ("\n  return x;\n}", "f() {", "}", "\n  return x;\n}"),
        (" x = 1\n  y = 2\n```\nThat is all.", " ", "", "x = 1\n  y = 2"),
        ("x\n```", "", "", "x"),
        ("```", "", "", ""),
        ("'```'", "x = [", "", "'```'"),
    ],
)
def test_what_belongs_at_the_cursor(answer: str, line_prefix: str, line_suffix: str, expected: str) -> None:
    assert strip(answer, line_prefix, line_suffix) == expected


@given(st.text("ab _(\t", max_size=8), st.text("ab _(=", max_size=8))
def test_who_goes_on_with_the_line_is_taken_at_its_word(line_prefix: str, rest: str) -> None:
    """Also if the answer is seen as it grows: a beginning of the answer gives a beginning of the suggestion."""
    (opening,) = messages((), "", line_prefix)
    answer = line_prefix[len(opening.content.removeprefix("```\n")) :] + rest

    assert strip(answer, line_prefix, "") == rest
    for length in range(len(answer)):
        assert rest.startswith(strip(answer[:length], line_prefix, ""))


class TestPrompt:
    """``prompts/fill_hole``."""

    def question(self, **variables: str) -> str:
        given = {"language": "Python", "fence": "python", "suffix": "", "related": "", **variables}
        _, user = PromptCatalog(shipped_directory()).render("fill_hole", "python", **given)
        return user.content

    def test_at_the_end_of_a_file(self) -> None:
        assert self.question(suffix="\n\n") == "Complete this Python code."

    def test_what_comes_behind_the_hole_is_told(self) -> None:
        question = self.question(suffix="\n\n    x = 1\n")
        assert question.startswith("Complete this Python code. Further down")
        assert question.endswith("```python\n    x = 1\n```")

    def test_definitions_come_first(self) -> None:
        """They stay the same from place to place, and what is read of them can be used again."""
        question = self.question(related="def f(): ...", suffix="x")
        assert question.index("def f(): ...") < question.index("Complete") < question.index("```python\nx\n```")
