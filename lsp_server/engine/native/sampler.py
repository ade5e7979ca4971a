"""Choosing the next token: llama.cpp's samplers, and a grammar by rejection."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.library import C
from lsp_server.engine.native.model import NativeModel
from lsp_server.errors import InvalidRequestError

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is chosen; names and meaning as in llama.cpp.

    ``temperature`` 0 is greedy and ignores top_k, top_p, min_p and seed. ``grammar`` is GBNF with a ``root`` rule.
    """

    temperature: float = 0.0
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    repeat_last_n: int = 64
    seed: int | None = None
    grammar: str | None = None


class NativeSampler:
    """A sampler chain with an optional grammar, for one generation.

    Raises:
        InvalidRequestError: the grammar cannot be parsed.
    """

    def __init__(self, model: NativeModel, params: SamplingParams) -> None:
        self._chain: Any = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
        self._grammar: Any = None
        self._model = model
        if params.repeat_penalty != 1.0:
            self._add(
                C.llama_sampler_init_penalties(model.n_vocab, params.repeat_last_n, params.repeat_penalty, 0.0, 0.0)
            )
        if params.temperature <= 0:
            self._add(C.llama_sampler_init_greedy())
        else:
            self._add(C.llama_sampler_init_top_k(params.top_k))
            self._add(C.llama_sampler_init_top_p(params.top_p, 1))
            self._add(C.llama_sampler_init_min_p(params.min_p, 1))
            self._add(C.llama_sampler_init_temp(params.temperature))
            seed = C.LLAMA_DEFAULT_SEED if params.seed is None else params.seed & 0xFFFFFFFF
            self._add(C.llama_sampler_init_dist(seed))
        if params.grammar is not None:
            self._grammar = C.llama_sampler_init_grammar(model.vocab_handle, params.grammar.encode(), b"root")
            if not self._grammar:
                self.close()
                raise InvalidRequestError("The grammar is not valid GBNF, or has no rule named root.")

    def _add(self, sampler: Any) -> None:
        C.llama_sampler_chain_add(self._chain, sampler)

    def close(self) -> None:
        """Free the samplers. The object is of no use afterwards."""
        if self._grammar:
            C.llama_sampler_free(self._grammar)
            self._grammar = None
        if self._chain:
            C.llama_sampler_free(self._chain)
            self._chain = None

    def sample(self, context: NativeContext, *, begun: bytes = b"") -> int:
        """The next token after the context's last logits.

        Args:
            begun: bytes that the text must go on with; then the likeliest token that allows it is taken.
        """
        if begun and len(possible := self._model.continuations(begun)):
            return int(possible[np.argmax(context.logits()[possible])])
        if not self._grammar:
            return int(C.llama_sampler_sample(self._chain, context.handle, -1))
        # A grammar over the whole vocabulary costs more than a decode step of a small model, and the model's own
        # choice mostly fits: ask the grammar about that one, and apply it to all only when it says no.
        logits = context.logits()
        token, fits = self._choose(logits, constrained=False)
        if not fits:
            token, _ = self._choose(logits, constrained=True)
        C.llama_sampler_accept(self._grammar, token)
        C.llama_sampler_accept(self._chain, token)
        return token

    def _choose(self, logits: npt.NDArray[np.float32], *, constrained: bool) -> tuple[int, bool]:
        """(token, the grammar allows it). With ``constrained`` only allowed tokens are candidates."""
        candidates = np.zeros(len(logits), dtype=_CANDIDATE)
        candidates["id"] = np.arange(len(logits), dtype=np.int32)
        candidates["logit"] = logits
        array = _candidate_array(candidates)
        if constrained:
            C.llama_sampler_apply(self._grammar, ctypes.byref(array))
        C.llama_sampler_apply(self._chain, ctypes.byref(array))
        token = int(array.data[array.selected].id)
        single = np.array([(token, 1.0, 0.0)], dtype=_CANDIDATE)
        probe = _candidate_array(single)
        C.llama_sampler_apply(self._grammar, ctypes.byref(probe))
        return token, bool(np.isfinite(single["logit"][0]))


def _candidate_array(candidates: npt.NDArray[Any]) -> Any:
    """llama.cpp's view of a candidate array; numpy keeps the memory."""
    array = C.llama_token_data_array()
    array.data = candidates.ctypes.data_as(C.llama_token_data_p)
    array.size = len(candidates)
    array.selected = -1
    array.sorted = False
    return array
