from __future__ import annotations

import math
from itertools import combinations

import pytest

from lsp_server.testing.rates import chance_of_one, pass_at, wilson


def test_a_rate_lies_in_wilsons_interval() -> None:
    found = wilson(8, 10)

    assert (found.value, round(found.low, 3), round(found.high, 3)) == (0.8, 0.490, 0.943)
    assert wilson(0, 10).low == 0.0
    assert math.isnan(wilson(0, 0).value)


@pytest.mark.parametrize(("n", "good", "k"), [(5, 2, 1), (5, 2, 3), (6, 1, 2), (4, 0, 2), (4, 4, 1), (3, 2, 2)])
def test_the_estimate_is_the_share_of_choices_in_which_one_passes(n: int, good: int, k: int) -> None:
    choices = list(combinations([True] * good + [False] * (n - good), k))

    assert chance_of_one(n, good, k) == pytest.approx(sum(map(any, choices)) / len(choices))


@pytest.mark.parametrize(("n", "good", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 4), (3, 1, 0)])
def test_what_cannot_be_is_refused(n: int, good: int, k: int) -> None:
    with pytest.raises(ValueError, match="samples"):
        chance_of_one(n, good, k)


def test_pass_at_k_is_the_mean_over_problems_and_for_single_samples_the_plain_rate() -> None:
    assert pass_at(1, [(1, 1), (1, 0), (1, 1), (1, 1)]) == wilson(3, 4)
    assert pass_at(1, [(4, 1), (4, 3)]).value == 0.5
    assert pass_at(4, [(4, 1), (4, 0)]).value == 0.5
