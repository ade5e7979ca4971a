"""A llama.cpp context that holds one sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


class NativeContext:
    """Key/value memory and compute buffers for one sequence of a model.

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
        self.n_ctx = int(C.llama_n_ctx(handle))
        self.n_batch = settings.n_batch
        self._memory: Any = C.llama_get_memory(handle)
        self._batch: Any = C.llama_batch_init(settings.n_batch, 0, 1)

    def close(self) -> None:
        """Free the context. The object is of no use afterwards."""
        if self.handle:
            C.llama_batch_free(self._batch)
            C.llama_free(self.handle)
            self.handle = None

    @property
    def abortable(self) -> bool:
        """Whether a step can be broken off: memory that drops a tail gets back to where it was, no other does."""
        # A recurrent state can be shifted, but holds nothing that could be dropped.
        return bool(C.llama_memory_can_shift(self._memory)) and not self.model.is_recurrent

    def decode(
        self,
        tokens: Sequence[int],
        position: int,
        *,
        want_logits: bool,
        cancelled: Callable[[], bool] | None = None,
    ) -> None:
        """Evaluate up to ``n_batch`` tokens that stand at ``position`` and after it.

        Args:
            cancelled: asked at each operation of the graph (hundreds a step); True breaks the step off.

        Raises:
            DecodeAbortedError: it was broken off; the memory's state past ``position`` is undefined then.
            DecodeError: llama.cpp refused; the memory's state past ``position`` is undefined then.
        """
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, token in enumerate(tokens):
            batch.token[i] = token
            batch.pos[i] = position + i
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = 0
            batch.logits[i] = False
        batch.logits[len(tokens) - 1] = want_logits
        asked = C.ggml_abort_callback(lambda _data: cancelled()) if cancelled else C.ggml_abort_callback()
        C.llama_set_abort_callback(self.handle, asked, None)
        result = C.llama_decode(self.handle, batch)
        # ctypes keeps no reference to a callback that llama.cpp still has.
        C.llama_set_abort_callback(self.handle, C.ggml_abort_callback(), None)
        if result == _ABORTED:
            raise DecodeAbortedError("The evaluation was broken off.")
        if result != 0:
            raise DecodeError(f"llama.cpp could not evaluate {len(tokens)} tokens at {position} (code {result}).")

    def logits(self) -> npt.NDArray[np.float32]:
        """Logits after the last token decoded with ``want_logits``: float32, shape (n_vocab,), a view."""
        pointer = C.llama_get_logits_ith(self.handle, -1)
        return np.ctypeslib.as_array(pointer, shape=(self.model.n_vocab,))

    def drop_tail(self, keep: int) -> bool:
        """Forget everything from position ``keep`` on. False if this kind of memory cannot; nothing is changed then.

        Layers that look back through a window keep little more than that: what stood before a tail that is longer is
        gone, and whatever came after it would be evaluated without.
        """
        window = self.model.n_swa
        if window and C.llama_memory_seq_pos_min(self._memory, 0) > max(0, keep - window + 1):
            return False
        return bool(C.llama_memory_seq_rm(self._memory, 0, keep, -1))

    def clear(self) -> None:
        """Forget everything."""
        C.llama_memory_clear(self._memory, False)
