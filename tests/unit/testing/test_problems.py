"""HumanEval's format: files that have it and files that do not, and the programs that answers make."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from lsp_server.errors import RefusedError
from lsp_server.testing import confined
from lsp_server.testing.problems import Problem, read_problems

OWN = Path(__file__).parents[2] / "support" / "problems.jsonl"
LINE = {"task_id": "a/0", "prompt": "def f(x):\n", "entry_point": "f", "test": "def check(f):\n    assert f(1) == 2\n"}
ADD = Problem("a/0", "import math\n\n\ndef f(x):\n", "f", LINE["test"])


@pytest.mark.parametrize("problem", read_problems(OWN), ids=lambda problem: problem.entry_point)
async def test_our_own_problems_are_solved_by_their_solutions_and_not_by_nothing(problem: Problem) -> None:
    assert (await confined.run(problem.program(problem.canonical_solution, "completion"), timeout_s=30)).passed
    assert not (await confined.run(problem.program("    pass\n", "completion"), timeout_s=30)).passed


def test_files_may_be_compressed(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(gzip.compress(OWN.read_bytes()))
    assert read_problems(path) == read_problems(OWN)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "has no problems"),
        (b"\n{", "line 2 is not JSON"),
        (b"[1]", "line 1 is no JSON object"),
        (json.dumps({**LINE, "prompt": 3}).encode(), "line 1: prompt must be a text"),
        (json.dumps({**LINE, "entry_point": "f(); evil"}).encode(), "entry_point must be the name of a function"),
        ((json.dumps(LINE) + "\n" + json.dumps(LINE)).encode(), "line 2: a/0 is there twice"),
        (b"\xff", "is not UTF-8 (byte 0)"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(content)
    with pytest.raises(RefusedError) as error:
        read_problems(path)
    assert complaint in error.value.message
    assert str(path) in error.value.message
    assert "task_id" in error.value.hint


@pytest.mark.parametrize("content", [b"no gzip", gzip.compress(OWN.read_bytes())[:200]])
def test_a_damaged_archive(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl.gz"
    path.write_bytes(content)
    with pytest.raises(RefusedError, match="cannot be read"):
        read_problems(path)


def test_a_text_may_have_any_character(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    lines = [
        json.dumps({**LINE, "task_id": char, "prompt": f"x = '{char}'"}, ensure_ascii=False) for char in "\u2028\x85"
    ]
    path.write_text("\r\n".join(lines), encoding="utf-8", newline="")
    assert [problem.prompt for problem in read_problems(path)] == ["x = '\u2028'", "x = '\x85'"]


def test_a_file_that_is_not_there_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="None is downloaded for you"):
        read_problems(tmp_path / "HumanEval.jsonl.gz")


@pytest.mark.parametrize(
    "answer",
    [
        "def f(x):\n    return x + 1\n",
        "def f(x):\n    return math.floor(x) + 1\n```\nIt adds one.",
        "from os import path\nN = 1\n\ndef f(x):\n    return x + N\n\nprint(f(1))\nassert f(1) == 9\ninput()\n",
        "def g(x):\n    return x + 1\n\n@staticmethod\ndef f(x):\n    return g(x)\n",
        "    return x + 1\n",
        # Cut off where it had no end.
        "def f(x):\n    return x + 1\n\nprint(f(1))\nprint([1, 1, 1, 1",
    ],
)
async def test_answers_of_a_conversation(answer: str) -> None:
    assert (await confined.run(ADD.program(answer, "chat"), timeout_s=30)).passed


async def test_an_answer_that_is_no_function_statement_loses_its_examples_too() -> None:
    problem = Problem("a/0", 'def f(x):\n    """x + 1."""\n', "f", LINE["test"])
    answer = "f = lambda x: x + 1\nprint(f(1))\ninput()\n"
    assert (await confined.run(problem.program(answer, "chat"), timeout_s=30)).passed


@pytest.mark.parametrize("answer", ["def f(x:\n    return x", "import math\ndef f(x):\n    return (x"])
async def test_an_answer_that_is_no_python_fails_as_what_it_is(answer: str) -> None:
    outcome = await confined.run(ADD.program(answer, "chat"), timeout_s=30)
    assert outcome.reason.startswith("SyntaxError")
