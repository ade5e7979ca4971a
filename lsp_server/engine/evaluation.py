"""Work for a context, of one or several generations, done in one step."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lsp_server.engine.native.context import NativeContext, Part
from lsp_server.engine.sequence import CachedSequence
from lsp_server.errors import DecodeAbortedError


@dataclass(slots=True, eq=False)
class Evaluation:
    """Tokens that a generation wants evaluated before it goes on.

    Attributes:
        n_outputs: of so many last tokens it wants the logits.
        cancelled: breaks the evaluation off where it says True; None where it is not worth asking.
        row: where the logits begin, once it is done.
        seconds: what the step took, with all that was in it.
    """

    sequence: CachedSequence[NativeContext]
    tokens: Sequence[int]
    n_outputs: int = 0
    cancelled: Callable[[], bool] | None = None
    row: int = -1
    seconds: float = 0.0

    @property
    def is_single(self) -> bool:
        """Whether it is the one token that an answer grows by: such can share a step."""
        return len(self.tokens) == 1 and self.n_outputs == 1 and self.cancelled is None


def evaluate(evaluations: Sequence[Evaluation]) -> None:
    """Do some work of the same context in one step.

    Raises:
        DecodeAbortedError: it was broken off; what the sequences had before is there still, as far as possible.
        DecodeError: the sequences are empty, so that the next request starts from a sound state.
    """
    memory = evaluations[0].sequence.memory
    parts = [Part(e.sequence.number, e.tokens, len(e.sequence.tokens), e.n_outputs) for e in evaluations]
    began = time.perf_counter()
    try:
        rows = memory.decode(parts, cancelled=evaluations[0].cancelled if len(evaluations) == 1 else None)
    except DecodeAbortedError:
        for evaluation in evaluations:
            evaluation.sequence.recover()
        raise
    except Exception:
        # Whatever it was: nobody knows what the memory holds now.
        for evaluation in evaluations:
            evaluation.sequence.forget()
        raise
    seconds = time.perf_counter() - began
    for evaluation, row in zip(evaluations, rows, strict=True):
        evaluation.sequence.evaluated(evaluation.tokens)
        evaluation.row, evaluation.seconds = row, seconds
