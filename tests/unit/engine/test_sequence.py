from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.sequence import CachedSequence
from lsp_server.errors import DecodeError
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


@given(st.lists(st.tuples(st.lists(st.integers(0, 2), min_size=1, max_size=8), st.booleans())), st.booleans())
def test_the_tokens_are_always_what_the_memory_holds(prompts: list[tuple[list[int], bool]], drops_tails: bool) -> None:
    sequence = CachedSequence(FakeMemory(drops_tails=drops_tails))
    for prompt, fails in prompts:
        kept = sequence.reuse(prompt)
        assert sequence.tokens == prompt[:kept] == sequence.memory.cells
        sequence.memory.fails = fails
        try:
            sequence.extend(prompt[kept:], want_logits=True)
        except DecodeError:
            prompt = []
        assert sequence.tokens == sequence.memory.cells == prompt
