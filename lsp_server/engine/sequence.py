"""What is already evaluated in a context, and how much of the next prompt can keep it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from lsp_server.engine.native.model import common_prefix
from lsp_server.errors import DecodeAbortedError, DecodeError


class Memory(Protocol):
    """The part of a context that a sequence needs; see ``native.context.NativeContext``."""

    @property
    def n_ctx(self) -> int: ...
    def decode(
        self, tokens: Sequence[int], position: int, *, want_logits: bool, cancelled: Callable[[], bool] | None = None
    ) -> None: ...
    def drop_tail(self, keep: int) -> bool: ...
    def clear(self) -> None: ...


M = TypeVar("M", bound=Memory)


class CachedSequence(Generic[M]):
    """A context together with the tokens that stand in it.

    Invariant: ``tokens`` is exactly what the context has evaluated, whatever was cancelled or failed in between.
    """

    def __init__(self, memory: M) -> None:
        self.memory = memory
        self.tokens: list[int] = []

    def reuse(self, prompt: Sequence[int]) -> int:
        """Keep the longest evaluated prefix of a prompt; returns its length in tokens.

        At least the prompt's last token is left to evaluate, since its logits are needed.
        """
        keep = min(common_prefix(self.tokens, prompt), len(prompt) - 1)
        if keep < len(self.tokens):
            if keep > 0 and self.memory.drop_tail(keep):
                del self.tokens[keep:]
            else:
                keep = 0
                self.forget()
        return keep

    def extend(self, tokens: Sequence[int], *, want_logits: bool, cancelled: Callable[[], bool] | None = None) -> None:
        """Evaluate tokens after what is there.

        Args:
            cancelled: breaks the evaluation off where it says True.

        Raises:
            DecodeAbortedError: it was broken off; what was there before is there still, if the memory can do that.
            DecodeError: the memory is cleared, so that the next request starts from a sound state.
        """
        try:
            self.memory.decode(tokens, len(self.tokens), want_logits=want_logits, cancelled=cancelled)
        except DecodeAbortedError:
            if not self.tokens or not self.memory.drop_tail(len(self.tokens)):
                self.forget()
            raise
        except DecodeError:
            self.forget()
            raise
        self.tokens.extend(tokens)

    def forget(self) -> None:
        """Start from nothing."""
        self.memory.clear()
        self.tokens.clear()
