from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.drafting import Drafter
from lsp_server.models.planning.settings import MOST_OUTPUTS

SOURCE = list(range(100, 160))


def written(source: Sequence[int], answer: Sequence[int], most: int = MOST_OUTPUTS) -> tuple[Drafter, int]:
    """A drafter after a whole answer, and the steps that it took."""
    drafter, history, steps, n = Drafter(most), list(source), 0, len(source)
    target = [*source, *answer]
    while len(history) < len(target):
        steps += 1
        right = 0
        guesses = drafter.draft(history, len(target) - len(history) - 1)
        assert len(guesses) <= max(0, len(target) - len(history) - 1)
        for guess in (*guesses, None):
            token = target[len(history)]
            history.append(token)
            right += token == guess
            if token != guess:
                break
        drafter.checked(history, right)
    assert history[n:] == list(answer)
    return drafter, steps


def test_nothing_is_guessed_where_nothing_was_repeated() -> None:
    drafter, steps = written(SOURCE, list(range(200, 220)))

    assert (drafter.drafted, steps) == (0, 20)


def test_a_repetition_is_written_in_ever_larger_steps() -> None:
    drafter, steps = written([*SOURCE, 1], SOURCE[:50])

    # Three tokens to see what it is, then 8, 16, 16 …
    assert steps <= 8
    assert drafter.accepted == drafter.drafted


def test_the_longest_repetition_is_taken_and_of_equals_the_last() -> None:
    drafter = Drafter(3)
    history = [1, 2, 3, 50, 9, 9, 7, 1, 2, 3, 60, 9, 8, 1, 2, 3, 70, 9, 7, 1, 2, 3]

    # `7 1 2 3` stood there once, `1 2 3` three times.
    assert drafter.draft(history, 10)[0] == 60
    assert Drafter(3).draft([1, 2, 3, 50, 9, 1, 2, 3, 60, 8, 1, 2, 3], 10)[0] == 60


def test_behind_something_else_the_guesses_go_on() -> None:
    answer = [*SOURCE[:20], 7, *SOURCE[21:50]]
    drafter, steps = written([*SOURCE, 1], answer)

    assert steps <= 12
    assert drafter.accepted >= 38


def test_what_was_written_instead_is_expected_again() -> None:
    source = [token for i in range(12) for token in (5, 300 + i, 301 + 2 * i, 400 + i)]
    answer = [6 if token == 5 else token for token in source]
    drafter, _ = written([*source, 1], answer)

    # Of twelve places two at most had to be seen.
    assert drafter.drafted - drafter.accepted <= 16
    assert drafter.accepted >= 36


def test_wrong_guesses_become_short_and_rare() -> None:
    source = [token for i in range(30) for token in (1, 2, 3, 100 + i)]
    drafter, _ = written(source, [token for i in range(30) for token in (1, 2, 3, 500 + i)])

    assert drafter.drafted <= 120


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_no_more_than_is_wanted(most: int) -> None:
    drafter = Drafter(most)

    assert len(drafter.draft([*SOURCE, *SOURCE[:5]], 100)) == most
    assert drafter.draft([*SOURCE, *SOURCE[:5]], 0) == []


@given(st.lists(st.integers(0, 3), max_size=40), st.lists(st.integers(0, 3), max_size=60), st.integers(0, 20))
def test_any_answer_gets_written(source: list[int], answer: list[int], most: int) -> None:
    drafter, steps = written(source, answer, most)

    assert 0 <= drafter.accepted <= drafter.drafted
    assert steps <= len(answer)
