from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.sequence import CachedSequence
from lsp_server.errors import DecodeAbortedError, DecodeError
from tests.support.memory import FakeMemory


def evaluated(tokens: list[int], *, drops_tails: bool = True) -> CachedSequence[FakeMemory]:
    """A sequence in which these tokens stand."""
    sequence = CachedSequence(FakeMemory(drops_tails=drops_tails))
    sequence.extend(tokens, want_logits=True)
    return sequence


def test_the_shared_prefix_is_kept_and_the_rest_dropped() -> None:
    sequence = evaluated([1, 2, 3, 4, 5])

    assert sequence.reuse([1, 2, 3, 9, 9, 9]) == 3
    assert sequence.tokens == sequence.memory.cells == [1, 2, 3]


def test_a_prompt_that_only_appends_costs_only_that() -> None:
    sequence = evaluated([1, 2, 3])

    assert sequence.reuse([1, 2, 3, 4]) == 3
    sequence.extend([4], want_logits=True)

    assert sequence.memory.decoded[-1] == (3, [4])


def test_the_same_prompt_again_evaluates_its_last_token_for_the_logits() -> None:
    assert evaluated([1, 2, 3]).reuse([1, 2, 3]) == 2


def test_a_shorter_prompt_evaluates_its_last_token_too() -> None:
    sequence = evaluated([1, 2, 3, 4])

    assert sequence.reuse([1, 2]) == 1
    assert sequence.memory.cells == [1]


@pytest.mark.parametrize("prompt", [[9, 2, 3], [1]])
def test_nothing_in_common_starts_from_nothing(prompt: list[int]) -> None:
    sequence = evaluated([1, 2, 3])

    assert sequence.reuse(prompt) == 0
    assert sequence.tokens == sequence.memory.cells == []


def test_a_memory_that_refuses_to_drop_a_tail_is_evaluated_anew() -> None:
    sequence = evaluated([1, 2, 3, 4], drops_tails=False)

    assert sequence.reuse([1, 2, 3, 9]) == 0
    assert sequence.tokens == sequence.memory.cells == []


def test_such_a_memory_still_appends() -> None:
    sequence = evaluated([1, 2, 3], drops_tails=False)

    assert sequence.reuse([1, 2, 3, 4]) == 3


def test_after_a_failed_decode_everything_is_forgotten() -> None:
    sequence = evaluated([1, 2, 3])
    sequence.memory.fails = True

    with pytest.raises(DecodeError):
        sequence.extend([4, 5, 6, 7], want_logits=True)

    assert sequence.tokens == sequence.memory.cells == []
    assert sequence.reuse([1, 2, 3]) == 0
    sequence.extend([1, 2, 3], want_logits=True)
    assert sequence.tokens == sequence.memory.cells == [1, 2, 3]


def test_what_stood_before_an_evaluation_that_is_broken_off_is_kept() -> None:
    sequence = evaluated([1, 2, 3])

    with pytest.raises(DecodeAbortedError):
        sequence.extend([4, 5, 6, 7], want_logits=True, cancelled=lambda: True)

    assert sequence.tokens == sequence.memory.cells == [1, 2, 3]
    sequence.extend([4], want_logits=True, cancelled=lambda: False)
    assert sequence.memory.decoded[-1] == (3, [4])


def test_a_memory_that_does_not_get_back_there_forgets_everything() -> None:
    sequence = evaluated([1, 2, 3], drops_tails=False)

    with pytest.raises(DecodeAbortedError):
        sequence.extend([4, 5, 6, 7], want_logits=True, cancelled=lambda: True)

    assert sequence.tokens == sequence.memory.cells == []


@pytest.mark.parametrize("drops_tails", [True, False])
def test_of_a_first_evaluation_that_is_broken_off_nothing_is_left(drops_tails: bool) -> None:
    sequence = CachedSequence(FakeMemory(drops_tails=drops_tails))

    with pytest.raises(DecodeAbortedError):
        sequence.extend([1, 2, 3, 4], want_logits=True, cancelled=lambda: True)

    assert sequence.tokens == sequence.memory.cells == []


OUTCOMES = st.sampled_from(["evaluated", "failed", "broken off"])


@given(st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=8), OUTCOMES)), st.booleans())
def test_the_tokens_are_always_what_the_memory_holds(prompts: list[tuple[list[int], str]], drops_tails: bool) -> None:
    sequence = CachedSequence(FakeMemory(drops_tails=drops_tails))
    for prompt, outcome in prompts:
        kept = sequence.reuse(prompt)
        assert sequence.tokens == prompt[:kept] == sequence.memory.cells
        sequence.memory.fails = outcome == "failed"
        try:
            sequence.extend(prompt[kept:], want_logits=True, cancelled=lambda o=outcome: o == "broken off")
        except DecodeAbortedError:
            prompt = prompt[:kept] if drops_tails else []
        except DecodeError:
            prompt = []
        assert sequence.tokens == sequence.memory.cells == prompt
