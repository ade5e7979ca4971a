from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import pytest

from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.evaluation import Evaluation, evaluate
from lsp_server.engine.pool import SequencePool
from lsp_server.engine.sequence import CachedSequence
from tests.support.memory import FakeMemory


def pool(n: int = 3, **kind: Any) -> SequencePool[FakeMemory]:
    return SequencePool(FakeMemory(n_sequences=n, **kind), n, CheckpointStore(1 << 20))


def serve(pool: SequencePool[FakeMemory], prompt: Sequence[int], *, share: bool = False) -> int:
    """A whole request; returns the number of the sequence that it was given."""
    sequence = pool.take(prompt)
    kept = sequence.reuse(prompt)
    sequence.checkpoint()
    evaluate([Evaluation(cast(Any, sequence), prompt[kept:], 1)])
    if share:
        sequence.share()
    pool.give_back(sequence)
    return sequence.number


def file(name: int, n: int = 30) -> list[int]:
    """The tokens of some file; no two have any in common."""
    return [100 * name + i for i in range(n)]


def test_a_place_that_is_gone_back_to_is_still_there() -> None:
    sequences = pool()
    first = serve(sequences, file(1))
    serve(sequences, file(2))

    assert serve(sequences, [*file(1), 7]) == first
    assert sequences.memory.evaluated[-1] == [7]


def test_each_file_gets_a_sequence_as_long_as_there_are_some() -> None:
    sequences = pool(3)
    assert sorted(serve(sequences, file(i)) for i in range(3)) == [0, 1, 2]


def test_then_the_one_that_was_not_used_for_longest_goes() -> None:
    sequences = pool(3)
    numbers = [serve(sequences, file(i)) for i in range(3)]
    serve(sequences, [*file(0), 7])

    assert serve(sequences, file(5)) == numbers[1]


def test_but_a_long_one_is_kept_longer_than_a_short_one() -> None:
    sequences = pool(2)
    long, short = serve(sequences, file(1, 60)), serve(sequences, file(2, 3))

    assert serve(sequences, file(3)) == short
    assert long != short


def test_a_few_tokens_in_common_are_no_reason_to_lose_many() -> None:
    sequences = pool(2)
    first = serve(sequences, [*range(5), *file(1, 50)])

    assert serve(sequences, [*range(5), *file(2, 50)]) != first


def test_many_in_common_are() -> None:
    sequences = pool(2)
    first = serve(sequences, [*file(1, 50), 1, 2, 3])

    assert serve(sequences, [*file(1, 50), 9, 9]) == first


def test_where_tails_cannot_be_dropped_a_checkpoint_decides() -> None:
    """Nearly all tokens are the same, but there is no way back to where they end."""
    sequences = pool(2, drops_tails=False)
    first = serve(sequences, [*file(1), 1, 2])

    assert serve(sequences, [*file(1), 9]) != first

    with_checkpoint = pool(2, drops_tails=False)
    first = serve(with_checkpoint, file(1))
    # Its last token aside it is there, and a checkpoint behind it.
    assert serve(with_checkpoint, [*file(1), 1, 2]) == first
    assert serve(with_checkpoint, [*file(1), 9]) == first
    assert with_checkpoint.memory.evaluated[-1] == [9]


def test_what_is_shared_is_copied_rather_than_evaluated() -> None:
    sequences = pool(2)
    first = serve(sequences, file(1), share=True)
    serve(sequences, [*file(1), *range(40)])

    other = serve(sequences, [*file(1), *range(50, 90)])

    assert other != first
    assert sequences.memory.evaluated[-1] == [*range(50, 90)]


def test_what_is_lent_is_not_lent_again() -> None:
    sequences = pool(2)
    one = sequences.take(file(1))
    other = sequences.take(file(1))

    assert one is not other
    assert sequences.n_free == 0
    assert sequences.is_lent(one)
    sequences.give_back(one)
    assert (sequences.n_free, sequences.is_lent(one)) == (1, False)
    assert sequences.take(file(2)) is one


def test_given_back_it_keeps_what_it_has() -> None:
    sequences = pool(1)
    serve(sequences, file(1))
    serve(sequences, [*file(1), 7])

    (sequence,) = sequences.sequences
    assert sequence.tokens == sequences.memory.cells == [*file(1), 7]


def test_giving_back_what_was_not_lent_is_a_defect() -> None:
    sequences = pool(1)
    with pytest.raises(KeyError):
        sequences.give_back(CachedSequence(sequences.memory))


def test_all_sequences_share_one_store_of_checkpoints() -> None:
    """It is empty at first, and is the pool's all the same."""
    sequences = pool(2, drops_tails=False)
    serve(sequences, file(1))
    serve(sequences, [*file(1), 1])
    serve(sequences, file(2))
    serve(sequences, [*file(2), 1])

    assert len(sequences.checkpoints) == 2
    assert sequences.checkpoints.n_bytes == 32
