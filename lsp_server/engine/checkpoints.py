"""Saved states of sequences, to go back to where a memory cannot drop its tail, or to begin another sequence with.

A *partial* state belongs to one sequence and holds only what the memory cannot drop (small, of one size). llama.cpp
takes it back in other circumstances too, and then answers wrongly without a word; so each carries a hash of the tokens
before it. A *full* state is complete, grows with its tokens, and can go to any sequence.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

# However small they are, somebody has to go through them.
_MOST = 512


@dataclass(slots=True, eq=False)
class Checkpoint:
    """A state that was saved after ``position`` tokens.

    Attributes:
        digest: of these tokens.
        owner: the sequence it belongs to; None for a full state, which belongs to all.
    """

    position: int
    digest: bytes
    state: npt.NDArray[np.uint8] = field(repr=False)
    owner: int | None
    last_used: int


class CheckpointStore:
    """The checkpoints of one context, within a number of bytes.

    Args:
        budget_bytes: room for all of them; the least valuable go first.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._checkpoints: list[Checkpoint] = []
        self._n_bytes = 0
        self._clock = 0

    @property
    def n_bytes(self) -> int:
        """Bytes held."""
        return self._n_bytes

    def __len__(self) -> int:
        return len(self._checkpoints)

    def makes_room(self, n_bytes: int) -> bool:
        """Let the least valuable go until so many bytes find room; False, and nothing goes, if they never do."""
        if n_bytes > self._budget:
            return False
        excess = self._n_bytes + n_bytes - self._budget
        crowd = len(self._checkpoints) + 1 - _MOST
        if excess > 0 or crowd > 0:
            for checkpoint in self._least_valuable_first():
                if excess <= 0 and crowd <= 0:
                    break
                self._drop(checkpoint)
                excess -= checkpoint.state.nbytes
                crowd -= 1
        return True

    def add(self, tokens: Sequence[int], state: npt.NDArray[np.uint8], owner: int | None) -> None:
        """Keep a state that was saved when exactly ``tokens`` had been evaluated, if there is room for it."""
        if self.makes_room(state.nbytes):
            self._clock += 1
            self._checkpoints.append(Checkpoint(len(tokens), digest(tokens), state, owner, self._clock))
            self._n_bytes += state.nbytes

    def has(self, tokens: Sequence[int], owner: int | None) -> bool:
        """Whether there is one for exactly these tokens."""
        return any(c.owner == owner and c.position == len(tokens) and _fits(c, tokens) for c in self._checkpoints)

    def best(self, tokens: Sequence[int], limit: int, owner: int | None) -> Checkpoint | None:
        """The last one that stands at no more than ``limit`` of these tokens, for a sequence (or, full, for any)."""
        candidates = (c for c in self._checkpoints if c.owner == owner and c.position <= limit)
        for checkpoint in sorted(candidates, key=lambda c: -c.position):
            if _fits(checkpoint, tokens):
                return checkpoint
        return None

    def note_use(self, checkpoint: Checkpoint) -> None:
        """It was of use."""
        self._clock += 1
        checkpoint.last_used = self._clock

    def forget(self, owner: int, beyond: int) -> None:
        """Drop a sequence's own checkpoints behind a position, for what stands there is no longer what stood there."""
        for checkpoint in [c for c in self._checkpoints if c.owner == owner and c.position > beyond]:
            self._drop(checkpoint)

    def _drop(self, checkpoint: Checkpoint) -> None:
        self._checkpoints.remove(checkpoint)
        self._n_bytes -= checkpoint.state.nbytes

    def _least_valuable_first(self) -> list[Checkpoint]:
        """Ordered by the tokens a byte that would be evaluated again without it, fewer the longer it was not used.

        Without a partial one its sequence goes back to the one before; without a full one its prompt begins anew.
        """
        values: dict[int, float] = {}
        previous: dict[int, int] = {}
        for checkpoint in sorted(self._checkpoints, key=lambda c: c.position):
            saved = checkpoint.position
            if checkpoint.owner is not None:
                saved -= previous.get(checkpoint.owner, 0)
                previous[checkpoint.owner] = checkpoint.position
            age = 1 + self._clock - checkpoint.last_used
            values[id(checkpoint)] = saved / max(checkpoint.state.nbytes, 1) / age
        return sorted(self._checkpoints, key=lambda c: values[id(c)])


def digest(tokens: Sequence[int]) -> bytes:
    """A hash that tells token lists apart."""
    return hashlib.blake2b(array("i", tokens).tobytes(), digest_size=16).digest()


def _fits(checkpoint: Checkpoint, tokens: Sequence[int]) -> bool:
    return digest(tokens[: checkpoint.position]) == checkpoint.digest
