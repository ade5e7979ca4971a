from __future__ import annotations

from pathlib import Path

import pytest

from tools.demo.excerpt import Excerpt, diff_lines, excerpt, function_excerpt, split_cursor
from tools.demo.parts import HOLES, Hole

_PROJECT = Path(__file__).resolve().parents[2] / "examples" / "shop"
_TEXT = "import os\n\n\ndef one():\n    return 1\n\n\ndef two():\n    return 2\n"


def test_an_excerpt_is_whole_lines_with_the_mark_in_them() -> None:
    at = _TEXT.index("1\n")
    assert excerpt(_TEXT, "python", at, at, above=1) == Excerpt("python", 4, "def one():\n    return 1", 22, 22)


def test_blank_lines_at_the_edges_are_left_out() -> None:
    at = _TEXT.index("def one")
    shown = excerpt(_TEXT, "python", at, at, above=2, below=3)
    assert (shown.first_line, shown.text) == (4, "def one():\n    return 1")


def test_a_blank_line_with_the_cursor_stays() -> None:
    shown = excerpt("a\n\nb\n", "python", 2, 2)
    assert (shown.first_line, shown.text, shown.start) == (2, "", 0)


def test_the_line_of_an_excerpt_is_that_of_its_mark() -> None:
    at = _TEXT.index("2\n")
    assert excerpt(_TEXT, "python", at, at, above=1).line == 9
    assert Excerpt("python", 7, "x\ny").line == 7


def test_a_function_is_found_by_name() -> None:
    assert function_excerpt(_TEXT, "two") == Excerpt("python", 8, "def two():\n    return 2")
    with pytest.raises(ValueError, match="three"):
        function_excerpt(_TEXT, "three")


def test_a_cursor_is_taken_out() -> None:
    assert split_cursor("f(<|>)") == ("f()", 2)
    for marked in ("f()", "<|>f<|>"):
        with pytest.raises(ValueError, match="exactly one"):
            split_cursor(marked)


def test_a_diff_has_no_file_names_and_no_blank_end() -> None:
    assert diff_lines("a\nb\n\n", "a\nc\n\n") == ["@@ -1,3 +1,3 @@", " a", "-b", "+c"]
    assert diff_lines("a\n", "a\n") == []


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole.title)
def test_what_the_demo_takes_out_stands_once_in_the_example(hole: Hole) -> None:
    text = (_PROJECT / hole.file).read_text(encoding="utf-8")
    assert text.count(hole.code) == 1
    split_cursor(hole.typed)
