"""A context without llama.cpp: it remembers what was evaluated, and refuses or fails when told to."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lsp_server.errors import DecodeAbortedError, DecodeError


class FakeMemory:
    """Stands in for ``NativeContext`` where only its memory matters.

    Attributes:
        cells: the tokens it holds.
        decoded: every batch that it evaluated, as (position, tokens).
        interruptible: of these, whether they could have been broken off.
        drops_tails: False for the kind of memory that cannot.
        abortable: whether a batch may be broken off; as a rule, where tails can be dropped.
        fails: makes the next decode fail.
    """

    def __init__(
        self, *, n_ctx: int = 1000, n_batch: int = 64, drops_tails: bool = True, abortable: bool | None = None
    ) -> None:
        self.n_ctx = n_ctx
        self.n_batch = n_batch
        self.cells: list[int] = []
        self.decoded: list[tuple[int, list[int]]] = []
        self.interruptible: list[bool] = []
        self.drops_tails = drops_tails
        self.abortable = drops_tails if abortable is None else abortable
        self.fails = False

    def decode(
        self, tokens: Sequence[int], position: int, *, want_logits: bool, cancelled: Callable[[], bool] | None = None
    ) -> None:
        assert position == len(self.cells), "a batch must stand right behind what is there"
        if cancelled and cancelled():
            self.cells += tokens[: len(tokens) // 2]
            raise DecodeAbortedError("Told to stop.")
        if self.fails:
            self.fails = False
            self.cells += tokens[: len(tokens) // 2]
            raise DecodeError("llama.cpp could not evaluate.")
        self.cells += tokens
        self.decoded.append((position, list(tokens)))
        self.interruptible.append(cancelled is not None)

    def drop_tail(self, keep: int) -> bool:
        if self.drops_tails:
            del self.cells[keep:]
        return self.drops_tails

    def clear(self) -> None:
        self.cells.clear()

    def close(self) -> None:
        pass
