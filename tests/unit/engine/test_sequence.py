from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.evaluation import Evaluation, evaluate
from lsp_server.engine.sequence import CachedSequence, Kept
from lsp_server.errors import DecodeAbortedError, DecodeError
from tests.support.memory import FakeMemory, failing

ROOMY = 1 << 20


def extend(
    sequence: CachedSequence[FakeMemory], tokens: Sequence[int], *, broken_off: bool = False, fails: bool = False
) -> None:
    """Evaluate more."""
    sequence.memory.failure = failing() if fails else None
    evaluate([Evaluation(cast(Any, sequence), tokens, 1, lambda: broken_off)])


def evaluated(*parts: Sequence[int], budget: int = ROOMY, **kind: Any) -> CachedSequence[FakeMemory]:
    """A sequence in which these tokens stand, with a checkpoint after each part but the last."""
    sequence = CachedSequence(FakeMemory(**kind), 0, CheckpointStore(budget))
    for i, part in enumerate(parts):
        if i:
            sequence.checkpoint()
        extend(sequence, part)
    return sequence


def sibling(sequence: CachedSequence[FakeMemory], number: int = 1) -> CachedSequence[FakeMemory]:
    """Another sequence of the same context."""
    return CachedSequence(sequence.memory, number, sequence._checkpoints)


def check(sequence: CachedSequence[FakeMemory], tokens: Sequence[int]) -> None:
    """The sequence says that it has these tokens, and has them."""
    assert sequence.tokens == sequence.memory.cells_of(sequence.number) == list(tokens)


class TestMemoryThatDropsItsTail:
    def test_the_shared_prefix_is_kept_and_the_rest_dropped(self) -> None:
        sequence = evaluated([1, 2, 3, 4, 5])

        assert sequence.within_reach([1, 2, 3, 9, 9, 9]) == Kept(3)
        assert sequence.reuse([1, 2, 3, 9, 9, 9]) == 3
        check(sequence, [1, 2, 3])

    def test_a_prompt_that_only_appends_costs_only_that(self) -> None:
        sequence = evaluated([1, 2, 3])

        assert sequence.reuse([1, 2, 3, 4]) == 3
        extend(sequence, [4])

        assert sequence.memory.evaluated[-1] == [4]
        check(sequence, [1, 2, 3, 4])

    def test_the_same_prompt_again_evaluates_its_last_token_for_the_logits(self) -> None:
        assert evaluated([1, 2, 3]).reuse([1, 2, 3]) == 2

    def test_a_shorter_prompt_evaluates_its_last_token_too(self) -> None:
        sequence = evaluated([1, 2, 3, 4])

        assert sequence.reuse([1, 2]) == 1
        check(sequence, [1])

    @pytest.mark.parametrize("prompt", [[9, 2, 3], [1]])
    def test_nothing_in_common_starts_from_nothing(self, prompt: list[int]) -> None:
        sequence = evaluated([1, 2, 3])

        assert sequence.reuse(prompt) == 0
        check(sequence, [])

    def test_no_state_is_ever_saved_to_come_back(self) -> None:
        sequence = evaluated([1, 2], [3, 4], [5])

        assert sequence.reuse([1, 2, 9]) == 2
        assert sequence.memory.saves == []

    def test_what_stood_before_an_evaluation_that_is_broken_off_is_kept(self) -> None:
        sequence = evaluated([1, 2, 3])

        with pytest.raises(DecodeAbortedError):
            extend(sequence, [4, 5, 6, 7], broken_off=True)

        check(sequence, [1, 2, 3])
        extend(sequence, [4])
        check(sequence, [1, 2, 3, 4])


class TestMemoryThatDoesNot:
    def test_without_a_checkpoint_it_is_evaluated_anew(self) -> None:
        sequence = evaluated([1, 2, 3, 4], drops_tails=False)

        assert sequence.within_reach([1, 2, 3, 9]) == Kept(0)
        assert sequence.reuse([1, 2, 3, 9]) == 0
        check(sequence, [])

    def test_it_still_appends(self) -> None:
        sequence = evaluated([1, 2, 3], drops_tails=False)

        assert sequence.within_reach([1, 2, 3, 4]) == Kept(3)
        assert sequence.reuse([1, 2, 3, 4]) == 3

    def test_it_goes_back_to_the_last_checkpoint_before_what_is_new(self) -> None:
        sequence = evaluated([1], [2], [3], [4, 5], drops_tails=False)

        assert sequence.within_reach([1, 2, 9, 9]) == Kept(2)
        assert sequence.reuse([1, 2, 9, 9]) == 2
        check(sequence, [1, 2])
        extend(sequence, [9, 9])
        check(sequence, [1, 2, 9, 9])

    def test_and_to_an_earlier_one_after_that(self) -> None:
        sequence = evaluated([1], [2], [3], [4, 5], drops_tails=False)
        sequence.reuse([1, 2, 9, 9])
        extend(sequence, [9, 9])

        assert sequence.reuse([1, 7]) == 1
        check(sequence, [1])

    def test_a_checkpoint_of_what_was_replaced_is_gone(self) -> None:
        """The tokens are the same again, but were evaluated anew, and the state is of the ones before."""
        sequence = evaluated([1, 2], [3], [4], drops_tails=False)
        sequence.reuse([1, 2, 9])
        extend(sequence, [9])
        sequence.reuse([1, 2, 3, 4, 5])
        extend(sequence, [3, 4, 5])

        assert sequence.reuse([1, 2, 3, 7]) == 2
        check(sequence, [1, 2])

    def test_a_checkpoint_does_not_outlive_a_sequence_that_was_emptied(self) -> None:
        sequence = evaluated([1, 2], [3, 4], drops_tails=False)
        sequence.forget()
        extend(sequence, [1, 2, 3, 4])

        assert sequence.reuse([1, 2, 9]) == 0
        check(sequence, [])

    def test_a_checkpoint_is_no_other_sequences(self) -> None:
        sequence = evaluated([1, 2], [3, 4], drops_tails=False, n_sequences=2)
        other = sibling(sequence)
        extend(other, [1, 2, 3, 4])

        assert other.within_reach([1, 2, 9]) == Kept(0)
        assert other.reuse([1, 2, 9]) == 0
        check(other, [])

    def test_a_checkpoint_is_taken_once(self) -> None:
        sequence = evaluated([1, 2], drops_tails=False)
        sequence.checkpoint()
        sequence.checkpoint()
        assert sequence.memory.saves == [(0, 2, True)]

    def test_of_nothing_there_is_no_checkpoint(self) -> None:
        sequence = evaluated(drops_tails=False)
        sequence.checkpoint()
        assert sequence.memory.saves == []

    def test_a_state_that_llama_cpp_refuses_costs_everything_but_the_truth(self) -> None:
        sequence = evaluated([1, 2], [3, 4], drops_tails=False)
        sequence.memory.refuses = True

        assert sequence.reuse([1, 2, 9]) == 0
        check(sequence, [])

    def test_an_evaluation_that_is_broken_off_goes_back_to_the_last_checkpoint(self) -> None:
        sequence = evaluated([1, 2], [3], drops_tails=False)

        with pytest.raises(DecodeAbortedError):
            extend(sequence, [4, 5, 6, 7], broken_off=True)

        check(sequence, [1, 2])
        extend(sequence, [3, 4])
        check(sequence, [1, 2, 3, 4])

    def test_or_to_nothing_where_there_is_none(self) -> None:
        sequence = evaluated([1, 2, 3], drops_tails=False)

        with pytest.raises(DecodeAbortedError):
            extend(sequence, [4, 5, 6, 7], broken_off=True)

        check(sequence, [])

    def test_a_budget_that_is_used_up_costs_checkpoints_and_nothing_else(self) -> None:
        sequence = evaluated([1], [2], [3], [4], drops_tails=False, budget=20)

        assert sequence.memory.saves == [(0, n, True) for n in (1, 2, 3)]
        assert sequence.reuse([1, 2, 3, 9]) == 3
        assert sequence.reuse([1, 9]) == 0
        check(sequence, [])


class TestMemoryWithAWindow:
    """It drops its tail as long as the window before it is still there."""

    def test_a_short_way_back_is_no_matter(self) -> None:
        sequence = evaluated([1, 2, 3], window=8)
        assert sequence.reuse([1, 2, 9]) == 2
        check(sequence, [1, 2])

    def test_behind_the_window_a_checkpoint_is_needed(self) -> None:
        sequence = evaluated([1, 2, 3, 4], [5, 6, 7, 8], window=3)
        assert sequence.reuse([1, 2, 3, 4, 5, 9]) == 4
        check(sequence, [1, 2, 3, 4])

    def test_without_one_it_is_evaluated_anew(self) -> None:
        sequence = evaluated([1, 2, 3, 4, 5, 6, 7, 8], window=3)
        assert sequence.reuse([1, 2, 3, 4, 5, 9]) == 0
        check(sequence, [])

    def test_an_evaluation_that_is_broken_off_may_have_pushed_the_window_on(self) -> None:
        sequence = evaluated([1, 2, 3, 4], [5], window=3)
        with pytest.raises(DecodeAbortedError):
            extend(sequence, [6, 7, 8, 9], broken_off=True)
        check(sequence, [1, 2, 3, 4])


@pytest.mark.parametrize("error", [MemoryError(), DecodeError("No.")])
def test_a_state_that_finds_no_memory_is_done_without(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    sequence = evaluated([1, 2, 3], drops_tails=False)

    def fail(_sequence: int, *, partial: bool) -> Any:
        raise error

    monkeypatch.setattr(sequence.memory, "save", fail)
    sequence.share()
    extend(sequence, [4])
    check(sequence, [1, 2, 3, 4])


@pytest.mark.parametrize("kind", [{}, {"drops_tails": False}, {"window": 3}], ids=["tails", "no tails", "window"])
class TestAnyMemory:
    def test_after_a_failed_decode_everything_is_forgotten(self, kind: dict[str, Any]) -> None:
        sequence = evaluated([1, 2], [3], **kind)

        with pytest.raises(DecodeError):
            extend(sequence, [4, 5, 6, 7], fails=True)

        check(sequence, [])
        assert sequence.reuse([1, 2, 3]) == 0
        extend(sequence, [1, 2, 3])
        check(sequence, [1, 2, 3])

    def test_of_a_first_evaluation_that_is_broken_off_nothing_is_left(self, kind: dict[str, Any]) -> None:
        sequence = evaluated(**kind)

        with pytest.raises(DecodeAbortedError):
            extend(sequence, [1, 2, 3, 4], broken_off=True)

        check(sequence, [])

    def test_another_sequence_begins_with_what_is_shared(self, kind: dict[str, Any]) -> None:
        sequence = evaluated([1, 2, 3], n_sequences=2, **kind)
        sequence.share()
        extend(sequence, [4])
        other = sibling(sequence)

        kept = other.within_reach([1, 2, 3, 9])
        assert (kept.tokens, kept.full is not None) == (3, True)
        assert other.reuse([1, 2, 3, 9]) == 3
        check(other, [1, 2, 3])
        extend(other, [9])
        check(other, [1, 2, 3, 9])
        check(sequence, [1, 2, 3, 4])

    def test_a_copy_takes_the_place_of_less(self, kind: dict[str, Any]) -> None:
        sequence = evaluated([1, 2, 3], n_sequences=2, **kind)
        sequence.share()
        other = sibling(sequence)
        extend(other, [1, 2, 7, 7])
        other.checkpoint()
        extend(other, [8])

        assert other.reuse([1, 2, 3, 9]) == 3
        check(other, [1, 2, 3])
        # What was saved on the way to the old tokens is of no use any more.
        assert other.reuse([1, 2, 7, 7, 5]) <= 2

    def test_what_a_sequence_has_itself_is_not_copied(self, kind: dict[str, Any]) -> None:
        sequence = evaluated([1, 2, 3], **kind)
        sequence.share()

        assert sequence.reuse([1, 2, 3, 4]) == 3
        assert sequence.memory.restored == []

    def test_at_least_the_last_token_is_evaluated_after_a_copy_too(self, kind: dict[str, Any]) -> None:
        sequence = evaluated([1, 2, 3], n_sequences=2, **kind)
        sequence.share()
        assert sibling(sequence).reuse([1, 2, 3]) == 0

    def test_a_copy_that_llama_cpp_refuses_leaves_nothing(self, kind: dict[str, Any]) -> None:
        sequence = evaluated([1, 2, 3], n_sequences=2, **kind)
        sequence.share()
        other = sibling(sequence)
        extend(other, [7])
        sequence.memory.refuses = True

        assert other.reuse([1, 2, 3, 4]) == 0
        check(other, [])
        extend(other, [1, 2, 3, 4])
        check(other, [1, 2, 3, 4])

    def test_what_is_shared_is_saved_once(self, kind: dict[str, Any]) -> None:
        sequence = evaluated([1, 2, 3], **kind)
        sequence.share()
        sequence.share()
        assert [partial for *_, partial in sequence.memory.saves].count(False) == 1
        assert sequence.has_shared([1, 2, 3])
        assert not sequence.has_shared([1, 2])

    def test_going_back_further_than_there_is_anything_changes_nothing(self, kind: dict[str, Any]) -> None:
        sequence = evaluated([1, 2, 3], **kind)
        assert sequence.rewind(3) == sequence.rewind(99) == 3
        check(sequence, [1, 2, 3])
        assert sequence.rewind(0) == 0
        check(sequence, [])


def test_where_a_window_is_gone_a_copy_is_better_than_nothing() -> None:
    sequence = evaluated([1, 2, 3], window=3, n_sequences=2)
    sequence.share()
    extend(sequence, [4, 5, 6, 7, 8, 9])

    assert sequence.reuse([1, 2, 3, 4, 9]) == 3
    check(sequence, [1, 2, 3])


KINDS = st.sampled_from([{}, {"drops_tails": False}, {"window": 3}])
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.lists(st.integers(0, 2), min_size=1, max_size=8),
        st.integers(1, 8),
        st.sampled_from(["evaluated", "evaluated", "failed", "broken off"]),
        st.booleans(),
    ),
    max_size=25,
)


@given(KINDS, st.integers(1, 3), st.sampled_from([0, 20, 60, 200, ROOMY]), STEPS)
def test_the_tokens_are_always_what_the_memory_holds(
    kind: dict[str, Any],
    n_sequences: int,
    budget: int,
    steps: list[tuple[int, list[int], int, str, bool]],
) -> None:
    """Whatever is asked of whichever sequence, and however it ends."""
    memory, store = FakeMemory(n_sequences=n_sequences, **kind), CheckpointStore(budget)
    sequences = [CachedSequence(memory, number, store) for number in range(n_sequences)]
    for which, prompt, cut, outcome, shared in steps:
        sequence = sequences[which % n_sequences]
        promised = sequence.within_reach(prompt)
        kept = sequence.reuse(prompt)
        if not kind.get("window"):
            assert kept == promised.tokens
        assert kept < len(prompt)
        check(sequence, prompt[:kept])
        for part in (prompt[kept : kept + cut], prompt[kept + cut :]):
            if not part:
                continue
            sequence.checkpoint()
            before = list(sequence.tokens)
            try:
                extend(sequence, part, broken_off=outcome == "broken off", fails=outcome == "failed")
            except DecodeAbortedError:
                # However far back: it is a beginning of what was there.
                check(sequence, before[: len(sequence.tokens)])
                if memory.drops_tails and not kind.get("window"):
                    assert sequence.tokens == before
                break
            except DecodeError:
                check(sequence, [])
                break
            if shared:
                sequence.share()
        for one in sequences:
            check(one, one.tokens)
        assert store.n_bytes <= budget
