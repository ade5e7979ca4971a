"""A llama.cpp context: the memory of a few sequences, and the buffers to evaluate them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lsp_server.engine.complaints import tells_of_memory
from lsp_server.engine.native import library
from lsp_server.engine.native.library import C
from lsp_server.engine.native.model import NativeModel
from lsp_server.errors import DecodeAbortedError, DecodeError, ModelLoadError, OutOfMemoryError
from lsp_server.models.gguf.tensor_types import TENSOR_TYPES
from lsp_server.models.planning.settings import LoadSettings

_ABORTED = 2  # llama_decode's answer to an abort callback that said yes
_TYPES = {kind.name: number for number, kind in TENSOR_TYPES.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """What a step evaluates of one sequence.

    Attributes:
        sequence: its number, 0 to ``n_seq_max`` - 1.
        tokens: they stand at ``position`` and after it.
        n_outputs: of so many last tokens the logits are kept.
    """

    sequence: int
    tokens: Sequence[int]
    position: int
    n_outputs: int = 0


class NativeContext:
    """Key/value memory and compute buffers for ``settings.n_seq_max`` sequences of a model, each a stream of its own.

    Args:
        model: the weights; they must outlive the context.
        settings: sizes and types; ``n_ctx`` is cut to what the model was trained for.

    Raises:
        OutOfMemoryError: llama.cpp could not allocate it.
        ModelLoadError: it refused for another reason.
    """

    def __init__(self, model: NativeModel, settings: LoadSettings) -> None:
        params = C.llama_context_default_params()
        n_ctx = min(settings.n_ctx, model.n_ctx_train)
        params.n_ctx = n_ctx * settings.n_seq_max
        params.n_batch = settings.n_batch
        params.n_ubatch = settings.n_ubatch
        params.n_seq_max = settings.n_seq_max
        params.n_outputs_max = settings.n_outputs_max
        params.n_threads = settings.n_threads
        params.n_threads_batch = settings.n_threads_batch
        params.type_k = _TYPES[settings.type_k]
        params.type_v = _TYPES[settings.type_v]
        params.flash_attn_type = (
            C.LLAMA_FLASH_ATTN_TYPE_AUTO if settings.flash_attn else C.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
        params.swa_full = settings.swa_full
        params.no_perf = True
        library.forget_complaints()
        handle = C.llama_init_from_model(model.handle, params)
        if not handle:
            reason = library.recent_complaints()
            if reason and not tells_of_memory(reason):
                raise ModelLoadError(f"llama.cpp could not make a context of {n_ctx} tokens: {reason}")
            raise OutOfMemoryError(
                f"There is not enough memory for a context of {n_ctx} tokens.",
                hint="Lower engine.n_ctx, or choose a smaller model.",
            )
        self.handle: Any = handle
        self.model = model
        self.n_ctx = int(C.llama_n_ctx_seq(handle))
        self.n_batch = settings.n_batch
        self.n_seq_max = settings.n_seq_max
        self.n_outputs_max = settings.n_outputs_max
        self._memory: Any = C.llama_get_memory(handle)
        self._batch: Any = C.llama_batch_init(settings.n_batch, 0, 1)

    def close(self) -> None:
        """Free the context. The object is of no use afterwards."""
        if self.handle:
            C.llama_batch_free(self._batch)
            C.llama_free(self.handle)
            self.handle = None

    @property
    def drops_tails(self) -> bool:
        """Whether this kind of memory can forget the end of a sequence, at least as long as its window is whole."""
        # A state, or DeepSeek-V4's compressed keys, hold nothing that could be dropped.
        return not self.model.is_recurrent

    @property
    def needs_checkpoints(self) -> bool:
        """Whether going back may take a state that was saved: it cannot drop tails, or not behind its window."""
        return not self.drops_tails or bool(self.model.n_swa)

    def decode(self, parts: Sequence[Part], *, cancelled: Callable[[], bool] | None = None) -> list[int]:
        """Evaluate tokens of one or several sequences in one step, ``n_batch`` of them at most.

        Args:
            parts: one a sequence.
            cancelled: asked at each operation of the graph (hundreds a step); True breaks the step off.

        Returns:
            For each part the row at which its logits begin.

        Raises:
            DecodeAbortedError: it was broken off; the sequences' state past their positions is undefined then.
            DecodeError: llama.cpp refused; the sequences' state past their positions is undefined then.
        """
        if (total := sum(len(part.tokens) for part in parts)) > self.n_batch:
            # llama.cpp's batch has no more room, and nobody would notice.
            raise DecodeError(f"A step has room for {self.n_batch} tokens, not for {total}.")
        batch, n, rows = self._batch, 0, []
        for part in parts:
            first_output = len(part.tokens) - part.n_outputs
            rows.append(n + first_output)
            for i, token in enumerate(part.tokens):
                batch.token[n] = token
                batch.pos[n] = part.position + i
                batch.n_seq_id[n] = 1
                batch.seq_id[n][0] = part.sequence
                batch.logits[n] = i >= first_output
                n += 1
        batch.n_tokens = n
        asked = C.ggml_abort_callback(lambda _data: cancelled()) if cancelled else C.ggml_abort_callback()
        C.llama_set_abort_callback(self.handle, asked, None)
        result = C.llama_decode(self.handle, batch)
        # ctypes keeps no reference to a callback that llama.cpp still has.
        C.llama_set_abort_callback(self.handle, C.ggml_abort_callback(), None)
        if result == _ABORTED:
            raise DecodeAbortedError("The evaluation was broken off.")
        if result != 0:
            places = ", ".join(f"{len(part.tokens)} at {part.position}" for part in parts)
            raise DecodeError(f"llama.cpp could not evaluate these tokens: {places} (code {result}).")
        # Logits are computed when the step is awaited, not when it was begun.
        C.llama_synchronize(self.handle)
        return rows

    def logits(self, row: int = -1) -> npt.NDArray[np.float32]:
        """Logits of a row of the last step, by default its last: float32, shape (n_vocab,), a view."""
        pointer = C.llama_get_logits_ith(self.handle, row)
        return np.ctypeslib.as_array(pointer, shape=(self.model.n_vocab,))

    def drop_tail(self, sequence: int, keep: int) -> bool:
        """Forget a sequence from position ``keep`` on. False if this kind of memory cannot; nothing is changed then.

        Layers that look back through a window keep little more than that: what stood before a tail that is longer is
        gone, and whatever came after it would be evaluated without.
        """
        window = self.model.n_swa
        if window and C.llama_memory_seq_pos_min(self._memory, sequence) > max(0, keep - window + 1):
            return False
        return bool(C.llama_memory_seq_rm(self._memory, sequence, keep, -1))

    def clear(self, sequence: int) -> None:
        """Forget a sequence."""
        C.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def state_bytes(self, sequence: int, *, partial: bool) -> int:
        """Bytes of a sequence's state."""
        flags = C.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY if partial else 0
        return int(C.llama_state_seq_get_size_ext(self.handle, sequence, flags))

    def save(self, sequence: int, *, partial: bool) -> npt.NDArray[np.uint8]:
        """A sequence's state: uint8, shape (bytes,).

        Args:
            partial: only what cannot be dropped: small, and of use only to the same sequence as long as what it has
                evaluated so far stays untouched.

        Raises:
            DecodeError: llama.cpp refused.
        """
        flags = C.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY if partial else 0
        size = self.state_bytes(sequence, partial=partial)
        state = np.empty(size, np.uint8)
        # It says 0 where it failed.
        if not size or C.llama_state_seq_get_data_ext(self.handle, _bytes(state), size, sequence, flags) != size:
            raise DecodeError(f"llama.cpp could not save the state of sequence {sequence}.")
        return state

    def restore(self, sequence: int, state: npt.NDArray[np.uint8], position: int, *, partial: bool) -> bool:
        """Bring a sequence back to a state that was saved when it had ``position`` tokens.

        A partial state that belongs to another sequence, or to other tokens, is taken all the same and makes wrong
        answers: the caller has to know. False if llama.cpp refused; the sequence's state is undefined then.
        """
        flags = C.LLAMA_STATE_SEQ_FLAGS_PARTIAL_ONLY if partial else 0
        if C.llama_state_seq_set_data_ext(self.handle, _bytes(state), state.size, sequence, flags) != state.size:
            return False
        # What is not part of the state still has the tail.
        return bool(C.llama_memory_seq_rm(self._memory, sequence, position, -1))


def _bytes(state: npt.NDArray[np.uint8]) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_ubyte))
