from __future__ import annotations

from typing import Any, cast

import pytest

from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.evaluation import Evaluation, evaluate
from lsp_server.engine.native.context import Part
from lsp_server.engine.pool import SequencePool
from lsp_server.engine.sequence import CachedSequence
from lsp_server.errors import DecodeAbortedError, DecodeError
from tests.support.memory import FakeMemory, failing


def sequences(n: int = 3, **kind: Any) -> tuple[CachedSequence[FakeMemory], ...]:
    return SequencePool(FakeMemory(n_sequences=n, **kind), n, CheckpointStore(1 << 20)).sequences


def work(sequence: CachedSequence[FakeMemory], tokens: list[int], n_outputs: int = 1, **more: Any) -> Evaluation:
    return Evaluation(cast(Any, sequence), tokens, n_outputs, **more)


def check(*all_sequences: CachedSequence[FakeMemory]) -> None:
    for sequence in all_sequences:
        assert sequence.tokens == sequence.memory.cells_of(sequence.number)


def test_several_are_done_in_one_step_each_where_its_sequence_stands() -> None:
    one, other, _ = sequences()
    evaluate([work(other, [1, 2, 3])])

    evaluate([work(one, [7]), work(other, [4])])

    assert one.memory.decoded[-1] == (Part(0, [7], 0, 1), Part(1, [4], 3, 1))
    assert (one.tokens, other.tokens) == ([7], [1, 2, 3, 4])
    check(one, other)


def test_each_is_told_where_its_logits_are() -> None:
    one, other, third = sequences()
    one.memory.says = lambda tokens: 10 * tokens[-1]
    evaluations = [work(one, [1, 2, 3], 0), work(other, [4]), work(third, [5, 6, 7, 8], 2)]

    evaluate(evaluations)

    assert [e.row for e in evaluations] == [3, 3, 6]
    likeliest = [int(one.memory.logits(row).argmax()) for row in (3, 6, 7)]
    assert likeliest == [40, 70, 80]
    assert all(e.seconds > 0 for e in evaluations)
    assert len({e.seconds for e in evaluations}) == 1


def test_one_alone_can_be_broken_off() -> None:
    one, other, _ = sequences()
    evaluate([work(one, [1])])

    with pytest.raises(DecodeAbortedError):
        evaluate([work(one, [2, 3, 4], cancelled=lambda: True)])

    assert one.tokens == [1]
    check(one, other)


def test_one_that_is_cancelled_does_not_break_off_the_others() -> None:
    one, other, _ = sequences()

    evaluate([work(one, [1], cancelled=lambda: True), work(other, [2])])

    assert (one.tokens, other.tokens) == ([1], [2])
    assert one.memory.interruptible == [False]


@pytest.mark.parametrize("kind", [{}, {"drops_tails": False}], ids=["tails", "no tails"])
@pytest.mark.parametrize("error", [failing(), MemoryError("of ours")], ids=["refused", "unexpected"])
def test_a_failure_empties_those_that_took_part_and_nobody_else(kind: dict[str, Any], error: Exception) -> None:
    one, other, third = sequences(**kind)
    evaluate([work(s, [1, 2]) for s in (one, other, third)])
    one.memory.failure = error

    with pytest.raises(type(error)):
        evaluate([work(one, [3]), work(other, [3])])

    assert (one.tokens, other.tokens, third.tokens) == ([], [], [1, 2])
    check(one, other, third)
    evaluate([work(one, [1]), work(other, [2]), work(third, [3])])
    check(one, other, third)


def test_what_fails_has_no_logits_and_took_no_time() -> None:
    (one,) = sequences(1)
    one.memory.failure = failing()
    evaluation = work(one, [1])

    with pytest.raises(DecodeError):
        evaluate([evaluation])

    assert (evaluation.row, evaluation.seconds) == (-1, 0.0)


@pytest.mark.parametrize(
    ("tokens", "n_outputs", "cancelled", "single"),
    [
        ([1], 1, None, True),
        ([1], 0, None, False),
        ([1, 2], 1, None, False),
        ([1, 2], 2, None, False),
        ([1], 1, lambda: False, False),
    ],
    ids=["next token", "no logits", "prompt", "guesses", "can be broken off"],
)
def test_the_next_token_of_an_answer_can_share_a_step(
    tokens: list[int], n_outputs: int, cancelled: Any, single: bool
) -> None:
    (one,) = sequences(1)
    assert work(one, tokens, n_outputs, cancelled=cancelled).is_single is single
