"""What a sequence of a context has evaluated, and how much of the next prompt can keep it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from lsp_server.engine.checkpoints import Checkpoint, CheckpointStore
from lsp_server.engine.native.context import Part
from lsp_server.engine.native.model import common_prefix
from lsp_server.errors import DecodeError


class Memory(Protocol):
    """The part of a context that sequences need; see ``native.context.NativeContext``."""

    @property
    def n_ctx(self) -> int: ...
    @property
    def drops_tails(self) -> bool: ...
    @property
    def needs_checkpoints(self) -> bool: ...
    def decode(self, parts: Sequence[Part], *, cancelled: Callable[[], bool] | None = None) -> list[int]: ...
    def drop_tail(self, sequence: int, keep: int) -> bool: ...
    def clear(self, sequence: int) -> None: ...
    def state_bytes(self, sequence: int, *, partial: bool) -> int: ...
    def save(self, sequence: int, *, partial: bool) -> npt.NDArray[np.uint8]: ...
    def restore(self, sequence: int, state: npt.NDArray[np.uint8], position: int, *, partial: bool) -> bool: ...


M_co = TypeVar("M_co", bound=Memory, covariant=True)


@dataclass(frozen=True, slots=True)
class Kept:
    """How a sequence would come to a prompt: after so many of its tokens, from a full checkpoint if there is one."""

    tokens: int
    full: Checkpoint | None = None


class CachedSequence(Generic[M_co]):
    """One sequence of a context together with the tokens that stand in it.

    Invariant: ``tokens`` is exactly what the context has evaluated, whatever was cancelled or failed in between.
    """

    def __init__(self, memory: M_co, number: int = 0, checkpoints: CheckpointStore | None = None) -> None:
        self.memory = memory
        self.number = number
        self.tokens: list[int] = []
        self._checkpoints = CheckpointStore(0) if checkpoints is None else checkpoints

    def within_reach(self, prompt: Sequence[int]) -> Kept:
        """What ``reuse`` would keep of a prompt."""
        limit = self._limit(prompt)
        kept = limit
        if not self.memory.drops_tails and limit < len(self.tokens):
            own = self._checkpoints.best(self.tokens, limit, self.number)
            kept = own.position if own else 0
        full = self._best_full(prompt)
        # A copy costs time as well, and throws away what stands behind.
        if full and full.position > kept:
            return Kept(full.position, full)
        return Kept(kept)

    def reuse(self, prompt: Sequence[int]) -> int:
        """Keep the longest evaluated prefix of a prompt; returns its length in tokens.

        At least the prompt's last token is left to evaluate, since its logits are needed.
        """
        kept = self.within_reach(prompt)
        if kept.full and self._begin_with(kept.full, prompt):
            return kept.tokens
        if own := self.rewind(self._limit(prompt)):
            return own
        # What could be kept was a guess where there is a window.
        full = self._best_full(prompt)
        return full.position if full and self._begin_with(full, prompt) else 0

    def rewind(self, keep: int) -> int:
        """Go back to the first ``keep`` tokens, or as far behind that as this memory has to; returns where it is."""
        return len(self.tokens) if keep >= len(self.tokens) else self._go_back(keep)

    def recover(self) -> None:
        """After a step that was broken off: back to what stood before it, as far as the memory can."""
        # What the memory holds now is no longer what `tokens` says.
        self._go_back(len(self.tokens))

    def checkpoint(self) -> None:
        """Save the state, if this memory may need it to come back here."""
        if self.tokens and self.memory.needs_checkpoints and not self._checkpoints.has(self.tokens, self.number):
            self._save(partial=True)

    def share(self) -> None:
        """Save the whole state, for other sequences to begin with."""
        if not self.has_shared(self.tokens):
            self._save(partial=False)

    def has_shared(self, tokens: Sequence[int]) -> bool:
        """Whether a whole state is saved for exactly these tokens."""
        return self._checkpoints.has(tokens, None)

    def evaluated(self, tokens: Sequence[int]) -> None:
        """Note that the memory has evaluated these after what was there."""
        self.tokens.extend(tokens)

    def forget(self) -> None:
        """Start from nothing."""
        self.memory.clear(self.number)
        self._truncate(0)

    def _go_back(self, keep: int) -> int:
        if keep > 0 and self.memory.drop_tail(self.number, keep):
            self._truncate(keep)
            return keep
        checkpoint = self._checkpoints.best(self.tokens, keep, self.number)
        if checkpoint and self.memory.restore(self.number, checkpoint.state, checkpoint.position, partial=True):
            self._checkpoints.note_use(checkpoint)
            self._truncate(checkpoint.position)
            return checkpoint.position
        self.forget()
        return 0

    def _save(self, *, partial: bool) -> None:
        # Before it is copied: a state may be larger than all the room there is.
        if self._checkpoints.makes_room(self.memory.state_bytes(self.number, partial=partial)):
            # Without it a later prompt costs more, and this one goes on.
            with contextlib.suppress(DecodeError, MemoryError):
                state = self.memory.save(self.number, partial=partial)
                self._checkpoints.add(self.tokens, state, self.number if partial else None)

    def _limit(self, prompt: Sequence[int]) -> int:
        return min(common_prefix(self.tokens, prompt), len(prompt) - 1)

    def _best_full(self, prompt: Sequence[int]) -> Checkpoint | None:
        return self._checkpoints.best(prompt, len(prompt) - 1, None)

    def _begin_with(self, full: Checkpoint, prompt: Sequence[int]) -> bool:
        self.forget()
        if not self.memory.restore(self.number, full.state, full.position, partial=False):
            self.forget()
            return False
        self._checkpoints.note_use(full)
        self.tokens[:] = prompt[: full.position]
        return True

    def _truncate(self, keep: int) -> None:
        del self.tokens[keep:]
        self._checkpoints.forget(self.number, beyond=keep)
