"""Choosing the next token: llama.cpp's samplers, and a grammar by rejection."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from lsp_server.engine.native.library import C
from lsp_server.engine.native.logprobs import Rows
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.sampling import SamplingParams
from lsp_server.errors import DecodeError, InvalidRequestError

Logits = npt.NDArray[np.float32]

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
# The infill sampler compares every candidate with every other; more than these it is never shown.
_INFILL_CANDIDATES = 128
# llama.cpp's own, for the first Mirostat.
_MIROSTAT_M = 100
# How much likelier, as a logarithm, a token has to be than the best of those that are favoured.
_FAVOUR = 10.0


class NativeSampler:
    """A sampler chain with an optional grammar, for one generation.

    Raises:
        InvalidRequestError: the grammar cannot be parsed, or the model lacks what an option needs.
    """

    def __init__(self, model: NativeModel, params: SamplingParams) -> None:
        self._model = model
        self._bias = _bias(model, params)
        if "infill" in params.samplers and _has_no_end(model):
            raise InvalidRequestError("samplers must not have infill: this model has no token that ends an answer.")
        # What takes the likeliest token anyway needs none of llama.cpp's samplers.
        self._chain: Any = None if params.greedy and not params.changes_the_likeliest else _chain(model, params)
        self._grammar: Any = None
        self._ids = np.arange(model.n_vocab, dtype=np.int32)
        self._candidates = np.zeros(model.n_vocab, dtype=_CANDIDATE)
        if params.grammar is not None:
            text = params.grammar.encode("utf-8", "replace")
            self._grammar = C.llama_sampler_init_grammar(model.vocab_handle, text, b"root")
            if not self._grammar:
                self.close()
                raise InvalidRequestError("The grammar is not valid GBNF, or has no rule named root.")

    def close(self) -> None:
        """Free the samplers. The object is of no use afterwards."""
        for sampler in (self._grammar, self._chain):
            if sampler:
                C.llama_sampler_free(sampler)
        self._grammar = self._chain = None

    def remember(self, tokens: Sequence[int]) -> None:
        """Count tokens as said, for the penalties on what is said again; no grammar is asked about them."""
        if self._chain:
            for token in tokens:
                C.llama_sampler_accept(self._chain, token)

    def sample(
        self, context: Rows, row: int = -1, *, begun: bytes = b"", favoured: npt.NDArray[np.bool_] | None = None
    ) -> int:
        """Choose the token that follows a row of the context's last step. It counts as said then, so once a row.

        Args:
            row: the position in the step (its last by default), whose logits were asked for.
            begun: bytes that the text must go on with; then the likeliest token that allows it is taken, whatever a
                grammar says.
            favoured: which tokens are, bool, shape (n_vocab,): one of these is chosen unless another is much likelier.
        """
        logits = self._biased(context.logits(row))
        if favoured is not None:
            logits = np.where(favoured, logits, logits - np.float32(_FAVOUR))
        if begun and len(possible := self._model.continuations(begun)):
            token = int(possible[np.argmax(logits[possible])])
            if logits[token] != -np.inf:
                self.remember([token])
                return token
        token = self._pick(logits)
        # A grammar over the whole vocabulary costs more than a decode step of a small model, and the model's own
        # choice mostly fits: ask the grammar about that one, and apply it to all only when it says no.
        if self._grammar and not self._fits(token):
            logits = self._allowed(logits)
            token = self._pick(logits)
        if logits[token] == -np.inf:
            # Nothing may be said. A grammar that is shown a token which it forbids would end the process.
            return _any_end(self._model)
        if self._grammar:
            C.llama_sampler_accept(self._grammar, token)
        self.remember([token])
        return token

    def _biased(self, logits: Logits) -> Logits:
        if not self._bias:
            return logits
        tokens, biases = self._bias
        changed: Logits = logits.copy()
        changed[tokens] += biases
        return changed

    def _pick(self, logits: Logits) -> int:
        """What the chain chooses; what it must not choose only if there is nothing else."""
        if self._chain and logits.max() != -np.inf:
            array = self._array(logits)
            C.llama_sampler_apply(self._chain, ctypes.byref(array))
            token = int(array.data[array.selected].id) if array.selected >= 0 else -1
            # The infill sampler puts an end where it finds nothing worth saying, forbidden or not.
            if token >= 0 and logits[token] != -np.inf:
                return token
        return int(np.argmax(logits))

    def _allowed(self, logits: Logits) -> Logits:
        """The logits, those of tokens that the grammar forbids minus infinity."""
        array = self._array(logits)
        C.llama_sampler_apply(self._grammar, ctypes.byref(array))
        allowed = np.empty_like(logits)
        allowed[self._candidates["id"]] = self._candidates["logit"]
        return allowed

    def _fits(self, token: int) -> bool:
        single = np.array([(token, 1.0, 0.0)], dtype=_CANDIDATE)
        C.llama_sampler_apply(self._grammar, ctypes.byref(_candidate_array(single)))
        return bool(np.isfinite(single["logit"][0]))

    def _array(self, logits: Logits) -> Any:
        """All tokens as candidates, in the one array that is kept for it."""
        self._candidates["id"] = self._ids
        self._candidates["logit"] = logits
        self._candidates["p"] = 0.0
        return _candidate_array(self._candidates)


def _candidate_array(candidates: npt.NDArray[Any]) -> Any:
    """llama.cpp's view of a candidate array; numpy keeps the memory."""
    array = C.llama_token_data_array()
    array.data = candidates.ctypes.data_as(C.llama_token_data_p)
    array.size = len(candidates)
    array.selected = -1
    array.sorted = False
    return array


def _chain(model: NativeModel, params: SamplingParams) -> Any:
    p = params
    seed = C.LLAMA_DEFAULT_SEED if p.seed is None else p.seed & 0xFFFFFFFF
    if p.mirostat and not p.greedy:
        last = (
            C.llama_sampler_init_mirostat(model.n_vocab, seed, p.mirostat_tau, p.mirostat_eta, _MIROSTAT_M)
            if p.mirostat == 1
            else C.llama_sampler_init_mirostat_v2(seed, p.mirostat_tau, p.mirostat_eta)
        )
        return _chained([C.llama_sampler_init_temp(p.temperature), last])
    made = [
        one for name in p.samplers if not (p.greedy and name == "temperature") for one in _made(name, model, p, seed)
    ]
    if p.greedy:
        return _chained([*made, C.llama_sampler_init_greedy()])
    if "adaptive_p" in p.samplers:
        return _chained([*made, C.llama_sampler_init_adaptive_p(p.adaptive_target, p.adaptive_decay, seed)])
    return _chained([*made, C.llama_sampler_init_dist(seed)])


def _made(name: str, model: NativeModel, p: SamplingParams, seed: int) -> list[Any]:
    """One of ``sampling.SAMPLERS``; none for that which chooses in the end."""
    vocabulary = model.vocab_handle

    def at_most_the_context(n: int) -> int:
        # llama.cpp reserves room for so many at once.
        return model.n_ctx_train if n < 0 else min(n, model.n_ctx_train)

    match name:
        case "penalties":
            counted = at_most_the_context(p.repeat_last_n)
            penalties = (p.repeat_penalty, p.frequency_penalty, p.presence_penalty)
            return [C.llama_sampler_init_penalties(model.n_vocab, counted, *penalties)]
        case "dry":
            texts = [text.encode("utf-8", "replace") for text in p.dry_sequence_breakers]
            breakers = (ctypes.c_char_p * len(texts))(*texts)
            length, counted = p.dry_allowed_length, at_most_the_context(p.dry_penalty_last_n)
            sizes = (p.dry_multiplier, p.dry_base, length, counted)
            return [C.llama_sampler_init_dry(vocabulary, *sizes, breakers, len(texts))]
        case "top_n_sigma":
            return [C.llama_sampler_init_top_n_sigma(p.top_n_sigma)]
        case "top_k":
            return [C.llama_sampler_init_top_k(p.top_k)]
        case "typ_p":
            return [C.llama_sampler_init_typical(p.typical_p, p.min_keep)]
        case "top_p":
            return [C.llama_sampler_init_top_p(p.top_p, p.min_keep)]
        case "min_p":
            return [C.llama_sampler_init_min_p(p.min_p, p.min_keep)]
        case "xtc":
            return [C.llama_sampler_init_xtc(p.xtc_probability, p.xtc_threshold, p.min_keep, seed)]
        case "temperature":
            return [C.llama_sampler_init_temp_ext(p.temperature, p.dynatemp_range, p.dynatemp_exponent)]
        case "infill":
            return [C.llama_sampler_init_top_k(_INFILL_CANDIDATES), C.llama_sampler_init_infill(vocabulary)]
    return []


def _chained(samplers: Sequence[Any]) -> Any:
    chain = C.llama_sampler_chain_init(C.llama_sampler_chain_default_params())
    for sampler in samplers:
        C.llama_sampler_chain_add(chain, sampler)
    return chain


def _bias(model: NativeModel, params: SamplingParams) -> tuple[npt.NDArray[np.int64], Logits] | None:
    """Which logits are changed, and by how much; None if none is."""
    changes: dict[int, float] = {}
    for key, bias in params.logit_bias:
        for token in [key] if isinstance(key, int) else model.tokenize(key):
            if not 0 <= token < model.n_vocab:
                raise InvalidRequestError(f"logit_bias must name tokens below {model.n_vocab}, not {token}.")
            changes[token] = changes.get(token, 0.0) + bias
    forbidden = [*_suppressed(model), *(_end_tokens(model) if params.ignore_eos else ())]
    changes.update(dict.fromkeys(forbidden, -np.inf))
    if not changes:
        return None
    return np.array([*changes], dtype=np.int64), np.array([*changes.values()], dtype=np.float32)


def _suppressed(model: NativeModel) -> list[int]:
    """The tokens that the model's file says are never to be generated."""
    count = ctypes.c_int32(0)
    tokens = C.llama_vocab_get_suppress_tokens(model.vocab_handle, ctypes.byref(count))
    return [int(tokens[i]) for i in range(count.value)]


def _has_no_end(model: NativeModel) -> bool:
    return bool(C.llama_vocab_eos(model.vocab_handle) < 0 and C.llama_vocab_eot(model.vocab_handle) < 0)


_ends: WeakKeyDictionary[NativeModel, tuple[int, ...]] = WeakKeyDictionary()


def _end_tokens(model: NativeModel) -> tuple[int, ...]:
    # A call a token: a tenth of a second for a large vocabulary, so once a model.
    if model not in _ends:
        _ends[model] = tuple(token for token in range(model.n_vocab) if model.is_end(token))
    return _ends[model]


def _any_end(model: NativeModel) -> int:
    if not (ends := _end_tokens(model)):
        raise DecodeError("Nothing more may be said, and the model has no token that ends an answer.")
    return ends[0]
