from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.checkpoints import CheckpointStore, digest


def state(n_bytes: int) -> npt.NDArray[np.uint8]:
    return np.zeros(n_bytes, np.uint8)


def positions(store: CheckpointStore, tokens: list[int], owner: int | None = 0) -> list[int]:
    """Where there are checkpoints in these tokens, each found as the last one before a limit."""
    found = []
    limit = len(tokens)
    while (checkpoint := store.best(tokens, limit, owner)) is not None:
        found.append(checkpoint.position)
        limit = checkpoint.position - 1
    return found


def test_the_last_one_that_is_not_too_far_is_the_best() -> None:
    store = CheckpointStore(1000)
    for length in (2, 4, 6):
        store.add([1, 2, 3, 4, 5, 6][:length], state(10), 0)

    best = store.best([1, 2, 3, 4, 5, 6, 7], 5, 0)

    assert best is not None
    assert best.position == 4
    assert store.best([1, 2, 3], 1, 0) is None


def test_one_of_other_tokens_is_none() -> None:
    store = CheckpointStore(1000)
    store.add([1, 2], state(10), 0)
    store.add([1, 2, 3, 4], state(10), 0)

    assert positions(store, [1, 2, 9, 4, 5]) == [2]
    assert not store.has([1, 2, 9, 4], 0)
    assert store.has([1, 2, 3, 4], 0)
    assert not store.has([1, 2, 3], 0)


def test_one_of_another_sequence_is_none() -> None:
    store = CheckpointStore(1000)
    store.add([1, 2], state(10), 0)
    store.add([1], state(10), None)

    assert positions(store, [1, 2, 3], 1) == []
    assert positions(store, [1, 2, 3], None) == [1]
    assert (store.has([1, 2], 1), store.has([1, 2], None)) == (False, False)


def test_only_a_sequences_own_and_only_behind_are_forgotten() -> None:
    store = CheckpointStore(1000)
    for owner in (0, 1, None):
        store.add([1, 2], state(10), owner)
        store.add([1, 2, 3], state(10), owner)

    store.forget(0, beyond=2)

    assert [positions(store, [1, 2, 3], owner) for owner in (0, 1, None)] == [[2], [3, 2], [3, 2]]


def test_what_is_larger_than_the_budget_is_not_kept() -> None:
    store = CheckpointStore(100)
    store.add([1], state(60), 0)

    store.add([1, 2], state(101), 0)

    assert (len(store), store.n_bytes) == (1, 60)


def test_without_a_budget_nothing_is_kept() -> None:
    store = CheckpointStore(0)
    store.add([1], state(1), 0)
    assert (len(store), store.best([1], 1, 0)) == (0, None)


def test_a_new_one_is_always_kept_if_it_fits() -> None:
    store = CheckpointStore(25)
    for length in range(1, 8):
        store.add(list(range(length)), state(10), 0)
        assert store.has(list(range(length)), 0)
        assert store.n_bytes <= 25


def test_the_one_that_spares_the_fewest_tokens_goes_first() -> None:
    store = CheckpointStore(30)
    tokens = list(range(200))
    for length in (100, 101, 199):
        store.add(tokens[:length], state(10), 0)

    store.add(tokens, state(10), 0)

    assert positions(store, tokens) == [200, 199, 100]


def test_what_was_of_use_stays_longer() -> None:
    store = CheckpointStore(20)
    one, other = list(range(10)), list(range(20, 30))
    store.add(one, state(10), 0)
    store.add(other, state(10), 1)
    for _ in range(5):
        best = store.best(one, 10, 0)
        assert best is not None
        store.note_use(best)

    store.add([*range(40, 50)], state(10), 2)

    assert (store.has(one, 0), store.has(other, 1)) == (True, False)


@pytest.mark.parametrize("other", [[1, 2], [1, 2, 3, 0], [2, 1, 3], [1, 2, -3], [0x030201]])
def test_a_hash_tells_tokens_apart(other: list[int]) -> None:
    assert digest([1, 2, 3]) != digest(other)
    assert digest([1, 2, 3]) == digest((1, 2, 3))


SMALL = st.lists(st.integers(0, 2), min_size=1, max_size=6)


@given(
    st.integers(0, 60),
    st.lists(st.tuples(SMALL, st.integers(0, 30), st.sampled_from([0, 1, None]), st.booleans()), max_size=20),
)
def test_no_more_than_the_budget_is_held_and_nothing_is_found_where_it_does_not_belong(
    budget: int, saved: list[tuple[list[int], int, int | None, bool]]
) -> None:
    store = CheckpointStore(budget)
    for tokens, n_bytes, owner, forget in saved:
        store.add(tokens, state(n_bytes), owner)
        assert store.n_bytes <= budget
        if forget:
            store.forget(0, beyond=len(tokens) // 2)
        for other, _, whose, _ in saved:
            found = store.best(other, len(other), whose)
            assert found is None or (found.owner == whose and found.digest == digest(other[: found.position]))
