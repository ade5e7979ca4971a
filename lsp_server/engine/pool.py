"""The sequences of a context, and which of them takes a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic

from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.sequence import CachedSequence, M_co, Memory


class SequencePool(Generic[M_co]):
    """Lends out the sequences of one context.

    A request goes where it costs least: the tokens of its prompt that have to be evaluated, and those that are lost
    to whoever comes back for what stands there now. How likely that is halves with each sequence used more recently.

    Args:
        n: sequences that the context has.
    """

    def __init__(self, memory: M_co, n: int, checkpoints: CheckpointStore) -> None:
        self.memory = memory
        self.checkpoints = checkpoints
        self.sequences = tuple(CachedSequence(memory, number, checkpoints) for number in range(n))
        # Most recently used first.
        self._order = list(self.sequences)
        self._lent: set[int] = set()

    @property
    def n_free(self) -> int:
        """Sequences that nobody has."""
        return len(self.sequences) - len(self._lent)

    def is_lent(self, sequence: CachedSequence[M_co]) -> bool:
        """Whether somebody has it."""
        return sequence.number in self._lent

    def take(self, prompt: Sequence[int]) -> CachedSequence[M_co]:
        """The free sequence that suits a prompt best; there has to be one. Give it back."""
        free = [(rank, s) for rank, s in enumerate(self._order) if s.number not in self._lent]
        _, best = min(free, key=lambda ranked: _cost(ranked[0], ranked[1], prompt))
        self._lent.add(best.number)
        return best

    def give_back(self, sequence: CachedSequence[M_co]) -> None:
        """Nobody uses it any more; it keeps what it has evaluated."""
        self._lent.remove(sequence.number)
        self._order.remove(sequence)
        self._order.insert(0, sequence)


def _cost(rank: int, sequence: CachedSequence[Memory], prompt: Sequence[int]) -> float:
    kept = sequence.within_reach(prompt)
    lost = len(sequence.tokens) - (0 if kept.full else kept.tokens)
    return len(prompt) - kept.tokens + lost * 0.5 ** (rank + 1)
