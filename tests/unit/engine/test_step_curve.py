from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.step_curve import Pace, StepCurve


def curve(seconds: dict[int, float]) -> StepCurve:
    """What was measured once."""
    measured = StepCurve()
    for size, took in seconds.items():
        measured.observe(size, took)
    return measured


def test_before_anything_was_measured_a_step_is_small_enough_for_any_machine() -> None:
    assert StepCurve().size(1.0, 512) == 64
    assert StepCurve().size(0.0, 30) == 30
    assert StepCurve().seconds(64) is None


def test_sizes_between_are_taken_in_proportion_to_the_next_smaller() -> None:
    measured = curve({64: 0.2, 256: 0.4})
    assert measured.seconds(128) == pytest.approx(0.4)
    assert measured.seconds(512) == pytest.approx(0.8)


def test_tokens_of_a_smaller_step_than_any_that_was_measured_are_taken_to_be_twice_as_dear() -> None:
    measured = curve({64: 0.2})
    assert measured.seconds(8) == pytest.approx(0.05)
    assert measured.seconds(48) == 0.2


def test_a_step_is_as_large_as_its_time_allows() -> None:
    measured = curve({64: 0.1, 512: 0.6})
    assert measured.size(1.0, 2048) == 512
    assert measured.size(0.35, 512) == 128
    assert measured.size(0.05, 512) == 16


def test_a_step_is_as_large_as_the_context_takes_even_if_nobody_measures_that() -> None:
    assert curve({64: 0.1}).size(10.0, 500) == 500


def test_no_step_is_smaller_than_8_tokens_or_larger_than_a_batch() -> None:
    slow = curve({8: 60.0})
    assert slow.size(0.1, 512) == 8
    assert slow.size(0.1, 4) == 4


def test_odd_sizes_tell_nothing() -> None:
    assert curve({63: 9.0, 65: 9.0}).seconds(64) is None


def test_the_newer_counts_more_but_a_single_hiccup_little() -> None:
    measured = curve({64: 1.0})
    measured.observe(64, 2.0)
    assert measured.seconds(64) == pytest.approx(1.3)
    for _ in range(20):
        measured.observe(64, 2.0)
    assert measured.seconds(64) == pytest.approx(2.0, rel=0.01)


def test_a_machine_that_got_faster_is_given_larger_steps_again() -> None:
    """Sizes that were too slow once are tried again, by what smaller ones promise: only what is chosen is measured."""
    measured = curve({64: 10.0})
    assert measured.size(0.5, 512) < 64
    for _ in range(40):
        size = measured.size(0.5, 512)
        measured.observe(size, size * 0.0003)
    assert measured.size(0.5, 512) == 512


@given(
    st.lists(st.tuples(st.sampled_from([1, 2, 7, 8, 64, 65, 512]), st.floats(0, 100)), max_size=12),
    st.floats(0, 100),
    st.integers(1, 2048),
)
def test_a_step_has_tokens_and_no_more_than_may_be(
    measured: list[tuple[int, float]], limit_s: float, most: int
) -> None:
    steps = StepCurve()
    for size, took in measured:
        steps.observe(size, took)
    size = steps.size(limit_s, most)
    assert min(8, most) <= size <= most
    assert steps.size(math.inf, most) >= size


def test_a_pace_asks_for_its_limit_before_each_step() -> None:
    limits = iter([1.0, 0.2])
    pace = Pace(curve({64: 0.1, 512: 0.8}), 512, lambda: next(limits))
    assert [pace.size(), pace.size()] == [512, 128]
