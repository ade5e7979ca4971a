"""A llama.cpp context that holds one sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from lsp_server.engine.native.library import C
from lsp_server.engine.native.model import NativeModel
from lsp_server.errors import DecodeError, ModelLoadError


class NativeContext:
    """Key/value memory and compute buffers for one sequence of a model.

    Args:
        model: the weights; they must outlive the context.
        n_ctx: length in tokens.
        n_batch: most tokens evaluated in one step.
        n_threads: threads for evaluation.

    Raises:
        ModelLoadError: llama.cpp could not allocate it.
    """

    def __init__(self, model: NativeModel, *, n_ctx: int, n_batch: int, n_threads: int) -> None:
        params = C.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = n_batch
        params.n_seq_max = 1
        params.n_threads = params.n_threads_batch = n_threads
        params.flash_attn_type = C.LLAMA_FLASH_ATTN_TYPE_AUTO
        params.swa_full = False
        params.no_perf = True
        handle = C.llama_init_from_model(model.handle, params)
        if not handle:
            raise ModelLoadError(
                f"There is not enough memory for a context of {n_ctx} tokens.",
                hint="Lower engine.n_ctx, or choose a smaller model.",
            )
        self.handle: Any = handle
        self.model = model
        self.n_ctx = int(C.llama_n_ctx(handle))
        self.n_batch = n_batch
        self._memory: Any = C.llama_get_memory(handle)
        self._batch: Any = C.llama_batch_init(n_batch, 0, 1)

    def close(self) -> None:
        """Free the context. The object is of no use afterwards."""
        if self.handle:
            C.llama_batch_free(self._batch)
            C.llama_free(self.handle)
            self.handle = None

    def decode(self, tokens: Sequence[int], position: int, *, want_logits: bool) -> None:
        """Evaluate up to ``n_batch`` tokens that stand at ``position`` and after it.

        Raises:
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
        result = C.llama_decode(self.handle, batch)
        if result != 0:
            raise DecodeError(f"llama.cpp could not evaluate {len(tokens)} tokens at {position} (code {result}).")

    def logits(self) -> npt.NDArray[np.float32]:
        """Logits after the last token decoded with ``want_logits``: float32, shape (n_vocab,), a view."""
        pointer = C.llama_get_logits_ith(self.handle, -1)
        return np.ctypeslib.as_array(pointer, shape=(self.model.n_vocab,))

    def drop_tail(self, keep: int) -> bool:
        """Forget everything from position ``keep`` on. False if this kind of memory cannot; nothing is changed then."""
        return bool(C.llama_memory_seq_rm(self._memory, 0, keep, -1))

    def clear(self) -> None:
        """Forget everything."""
        C.llama_memory_clear(self._memory, False)
