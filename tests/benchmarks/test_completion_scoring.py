from __future__ import annotations

import math

import pytest

from benchmarks.completion.scoring import (
    difference,
    identifiers,
    inserted,
    is_exact,
    parses,
    ratio,
    similarity,
)


@pytest.mark.parametrize(
    ("filled", "expected"),
    [("a = f(x)\n", "f(x)"), ("a = \n", ""), ("a = f(x)", "f(x)"), ("b\n", "b")],
)
def test_what_was_inserted_is_found_between_what_stood_around_it(filled: str, expected: str) -> None:
    assert inserted(filled, "a = ", "\n") == expected


def test_blank_lines_and_blanks_at_ends_make_no_difference() -> None:
    assert is_exact("a = 1  \n\n\nb = 2\n", "a = 1\nb = 2\n")
    assert not is_exact("a =  1\n", "a = 1\n")
    assert not is_exact("  a = 1\n", "a = 1\n")


def test_similarity_is_of_texts_without_blanks_around_them() -> None:
    assert similarity(" abcd\n", "abcd") == 1.0
    assert similarity("abcx", "abcd") == 0.75
    assert similarity("", "abcd") == 0.0


def test_what_python_would_not_run_does_not_parse() -> None:
    assert parses("def f():\n    return 1\n")
    assert not parses("return 1\n")
    assert not parses("def f(:\n")
    assert not parses("a\0b")


def test_words_are_names_and_keywords_not_numbers() -> None:
    assert identifiers("return self.a_1(2, b3)") == ["return", "self", "a_1", "b3"]


def test_pairs_that_never_differ_leave_no_doubt_and_others_do() -> None:
    ours = [1.0] * 30 + [0.0] * 10
    same = difference(ours, ours)
    better = ratio(ours, [1.0] * 15 + [0.0] * 25)

    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    assert better.value == 2.0
    assert 1.3 < better.low < 2.0 < better.high < 3.5
    assert better == ratio(ours, [1.0] * 15 + [0.0] * 25)


def test_a_ratio_to_nothing_is_infinite() -> None:
    assert ratio([1.0, 0.0], [0.0, 0.0]).value == math.inf
