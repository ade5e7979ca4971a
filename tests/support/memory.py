"""A context without llama.cpp: it remembers what was evaluated, and is as unforgiving as the real one.

Where llama.cpp would answer wrongly without a word, cells turn ``WRONG`` here: a state that is taken back to where it
does not belong, tokens that are evaluated after such a state. Where llama.cpp would end the process, an assertion
fails.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lsp_server.engine.native.context import Part
from lsp_server.errors import DecodeAbortedError, DecodeError

WRONG = -999
"""What a cell reads as that was evaluated after something else than what stands before it."""

N_VOCAB = 256


@dataclass(frozen=True, slots=True)
class _Cell:
    """An evaluated token. No two evaluations have the same number, whatever the token."""

    token: int
    number: int


@dataclass(slots=True)
class _Stream:
    """One sequence: the cells that any memory has, and what was rolled up into a state as they came.

    Attributes:
        state: numbers of the cells that are in it. A memory that drops tails drops them from here as well.
        least: first position of the window that is still there.
    """

    cells: list[_Cell] = field(default_factory=list)
    state: tuple[int, ...] = ()
    least: int = 0

    @property
    def numbers(self) -> tuple[int, ...]:
        return tuple(cell.number for cell in self.cells)


@dataclass(frozen=True, slots=True)
class _Saved:
    cells: tuple[_Cell, ...] | None
    state: tuple[int, ...]
    least: int


class FakeMemory:
    """Stands in for ``NativeContext``.

    Args:
        drops_tails: False for the kind of memory that cannot.
        window: layers look back so many tokens only, and keep no more; 0: all layers see everything.
        state_bytes: what a partial state takes; a full one takes as much again for each token.

    Attributes:
        decoded: the parts of every step that was evaluated.
        interruptible: of these, whether they could have been broken off.
        failure: what the next decode raises, after it has done half of its work.
        refuses: whether states that are to be restored are refused, as when a file format changes.
        saves: of each state that was saved, the sequence, its length, and whether it was partial.
        restored: the same of each that was restored.
        says: the token that follows on these, for ``logits``.
    """

    def __init__(
        self,
        *,
        n_ctx: int = 1000,
        n_batch: int = 64,
        n_sequences: int = 1,
        n_outputs_max: int = 16,
        drops_tails: bool = True,
        window: int = 0,
        state_bytes: int = 16,
    ) -> None:
        self.n_ctx = n_ctx
        self.n_batch = n_batch
        self.n_seq_max = n_sequences
        self.n_outputs_max = n_outputs_max
        self.drops_tails = drops_tails
        self.needs_checkpoints = not drops_tails or window > 0
        self.decoded: list[tuple[Part, ...]] = []
        self.interruptible: list[bool] = []
        self.failure: Exception | None = None
        self.refuses = False
        self.saves: list[tuple[int, int, bool]] = []
        self.restored: list[tuple[int, int, bool]] = []
        self.says: Callable[[Sequence[int]], int] = lambda _tokens: 0
        self.closed = False
        self._window = window
        self._state_bytes = state_bytes
        self._numbers = itertools.count()
        self._streams = [_Stream() for _ in range(n_sequences)]
        self._states: list[_Saved] = []
        self._outputs: dict[int, tuple[int, ...]] = {}

    @property
    def cells(self) -> list[int]:
        """The tokens of the first sequence."""
        return self.cells_of(0)

    def cells_of(self, sequence: int) -> list[int]:
        """The tokens that a sequence holds, those ``WRONG`` that were evaluated after something else."""
        stream = self._streams[sequence]
        if stream.state != stream.numbers:
            return [WRONG] * len(stream.cells)
        return [cell.token for cell in stream.cells]

    @property
    def evaluated(self) -> list[list[int]]:
        """The tokens of each part of each step."""
        return [list(part.tokens) for parts in self.decoded for part in parts]

    @property
    def step_sizes(self) -> list[int]:
        """How many tokens each step evaluated."""
        return [sum(len(part.tokens) for part in parts) for parts in self.decoded]

    def decode(self, parts: Sequence[Part], *, cancelled: Callable[[], bool] | None = None) -> list[int]:
        assert parts, "a step has work to do"
        assert len({part.sequence for part in parts}) == len(parts), "a sequence has one part of a step"
        assert sum(len(part.tokens) for part in parts) <= self.n_batch, "a step is no longer than a batch"
        assert sum(part.n_outputs for part in parts) <= self.n_outputs_max, "there is no room for more logits"
        for part in parts:
            assert part.tokens, "a part has work to do"
            assert 0 <= part.n_outputs <= len(part.tokens)
            assert part.position == len(self._streams[part.sequence].cells), "a part stands right behind what is there"
            assert part.position + len(part.tokens) <= self.n_ctx, "the context is full"
        broken_off: Exception | None = None
        if cancelled and cancelled():
            broken_off = DecodeAbortedError("Told to stop.")
        elif self.failure:
            broken_off, self.failure = self.failure, None
        self._outputs.clear()
        rows, n = [], 0
        for part in parts:
            done = part.tokens if broken_off is None else part.tokens[: (len(part.tokens) + 1) // 2]
            self._evaluate(part, done)
            first = len(part.tokens) - part.n_outputs
            rows.append(n + first)
            for i in range(first, len(done)):
                held = self.cells_of(part.sequence)
                self._outputs[n + i] = tuple(held[: part.position + i + 1])
            n += len(part.tokens)
        if broken_off:
            self._outputs.clear()
            raise broken_off
        self.decoded.append(tuple(parts))
        self.interruptible.append(cancelled is not None)
        return rows

    def logits(self, row: int = -1) -> npt.NDArray[np.float32]:
        """Of the vocabulary's tokens the one that ``says`` names is the likeliest, by far."""
        tokens = self._outputs[max(self._outputs) if row < 0 else row]
        logits = np.zeros(N_VOCAB, np.float32)
        logits[self.says(tokens)] = 10
        return logits

    def drop_tail(self, sequence: int, keep: int) -> bool:
        stream = self._streams[sequence]
        if keep >= len(stream.cells):
            return True
        if not self.drops_tails or (self._window and stream.least > max(0, keep - self._window + 1)):
            return False
        del stream.cells[keep:]
        stream.state = stream.state[:keep]
        return True

    def clear(self, sequence: int) -> None:
        self._streams[sequence] = _Stream()

    def state_bytes(self, sequence: int, *, partial: bool) -> int:
        return self._state_bytes * (1 if partial else 1 + len(self._streams[sequence].cells))

    def save(self, sequence: int, *, partial: bool) -> npt.NDArray[np.uint8]:
        stream = self._streams[sequence]
        n = len(stream.cells)
        self.saves.append((sequence, n, partial))
        self._states.append(_Saved(None if partial else tuple(stream.cells), stream.state, stream.least))
        state = np.zeros(self.state_bytes(sequence, partial=partial), np.uint8)
        state[:8] = np.frombuffer(np.int64(len(self._states) - 1).tobytes(), np.uint8)
        return state

    def restore(self, sequence: int, state: npt.NDArray[np.uint8], position: int, *, partial: bool) -> bool:
        saved = self._states[int(np.frombuffer(state[:8].tobytes(), np.int64)[0])]
        assert (saved.cells is None) is partial, "a state is restored as what it was saved as"
        stream = self._streams[sequence]
        if self.refuses:
            stream.cells.append(_Cell(WRONG, next(self._numbers)))
            return False
        self.restored.append((sequence, position, partial))
        if saved.cells is None:
            # What is not part of the state has to be there still; llama.cpp does not look.
            del stream.cells[position:]
            missing = position - len(stream.cells)
            stream.cells += [_Cell(WRONG, next(self._numbers)) for _ in range(missing)]
            stream.state, stream.least = saved.state, saved.least
            return True
        # A copy is another's: partial states of where it comes from do not belong to it.
        stream.cells = [_Cell(cell.token, next(self._numbers)) for cell in saved.cells]
        intact = saved.state == tuple(cell.number for cell in saved.cells)
        stream.state, stream.least = stream.numbers if intact else (), saved.least
        assert position == len(stream.cells)
        return True

    def close(self) -> None:
        self.closed = True

    def _evaluate(self, part: Part, tokens: Sequence[int]) -> None:
        stream = self._streams[part.sequence]
        for token in tokens:
            number = next(self._numbers)
            stream.cells.append(_Cell(token, number))
            stream.state = (*stream.state, number)
        if self._window:
            stream.least = max(stream.least, len(stream.cells) - self._window + 1, 0)


def failing() -> DecodeError:
    """What llama.cpp's refusal is."""
    return DecodeError("llama.cpp could not evaluate.")
