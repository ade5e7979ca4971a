"""A loaded GGUF: weights and vocabulary."""

from __future__ import annotations

import ctypes
import itertools
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lsp_server.engine.complaints import tells_of_memory
from lsp_server.engine.native import library
from lsp_server.engine.native.library import C
from lsp_server.errors import ModelLoadError, OutOfMemoryError
from lsp_server.models.planning.settings import LoadSettings


@dataclass(frozen=True, slots=True)
class FimTokens:
    """Ids of the fill-in-the-middle tokens; ``repository`` and ``separator`` are None where the model has none."""

    prefix: int
    suffix: int
    middle: int
    repository: int | None
    separator: int | None


_LOAD_MODES = {
    "mmap": C.LLAMA_LOAD_MODE_MMAP,
    "none": C.LLAMA_LOAD_MODE_NONE,
    "mlock": C.LLAMA_LOAD_MODE_MMAP_MLOCK,
}


class _TensorOverride(ctypes.Structure):
    _fields_ = (("pattern", ctypes.c_char_p), ("buffer_type", ctypes.c_void_p))


def _tensor_overrides(settings: LoadSettings) -> ctypes.Array[_TensorOverride] | None:
    """llama.cpp's list of (pattern, buffer type), ended by an empty one."""
    patterns = settings.tensor_overrides
    if not patterns:
        return None
    rows = [_TensorOverride(pattern.encode(), library.cpu_buffer_type()) for pattern in patterns]
    return (_TensorOverride * (len(rows) + 1))(*rows, _TensorOverride(None, None))


def is_word_byte(byte: int) -> bool:
    """Whether a byte of UTF-8 may be part of a name: an ASCII letter or digit, ``_``, or of any other character."""
    return byte >= 0x80 or byte == 0x5F or chr(byte).isalnum()


class NativeModel:
    """Weights and vocabulary of one GGUF, or of a shard set given by its first shard.

    Args:
        path: the file, or the first of the set.
        settings: where the weights go.
        simulate: read metadata only and pretend to allocate; contexts then report what they would take.
        on_progress: called with the loaded fraction 0..1; returning False stops the load.

    Raises:
        OutOfMemoryError: there is no room for the weights.
        ModelLoadError: with llama.cpp's own words for the reason.
    """

    def __init__(
        self,
        path: Path,
        settings: LoadSettings,
        *,
        simulate: bool = False,
        on_progress: Callable[[float], bool] = lambda _fraction: True,
    ) -> None:
        library.start()
        if settings.numa:
            library.spread_over_numa_nodes()
        self.path = path
        params = C.llama_model_default_params()
        params.n_gpu_layers = settings.n_gpu_layers
        params.use_extra_bufts = settings.use_extra_bufts
        # Simulating together with mapped files ends the process.
        params.no_alloc = simulate
        params.load_mode = C.LLAMA_LOAD_MODE_NONE if simulate else _LOAD_MODES[settings.load_mode]
        overrides = _tensor_overrides(settings)
        params.tensor_buft_overrides = ctypes.cast(overrides, ctypes.c_void_p) if overrides else None
        if settings.tensor_split:
            split = (ctypes.c_float * C.llama_max_devices())(*settings.tensor_split)
            params.tensor_split = split
        callback = C.llama_progress_callback(lambda fraction, _user: on_progress(fraction))
        params.progress_callback = callback
        library.forget_complaints()
        handle = C.llama_model_load_from_file(str(path).encode("utf-8"), params)
        if not handle:
            reason = library.recent_complaints() or "llama.cpp gave no reason"
            if tells_of_memory(reason):
                raise OutOfMemoryError(
                    f"There is not enough memory for the weights of {path}: {reason}", hint="Choose a smaller model."
                )
            hint = "`shardlight models verify` checks the file; `shardlight doctor` checks the build."
            if "unknown model architecture" in reason:
                hint = "The model is newer than the installed llama.cpp: update shardlight and llama-cpp-python."
            raise ModelLoadError(f"llama.cpp could not load {path}: {reason}", hint=hint)
        self.handle: Any = handle
        self._vocab: Any = C.llama_model_get_vocab(handle)

    def close(self) -> None:
        """Free the weights. The object is of no use afterwards."""
        if self.handle:
            C.llama_model_free(self.handle)
            self.handle = None

    def tokenize(self, text: str, *, parse_special: bool = False) -> list[int]:
        """Token ids of a text, without BOS or EOS.

        Text that belongs to the user is tokenized with ``parse_special`` off: code that happens to contain
        ``<|fim_middle|>`` has to stay text.
        """
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        while True:
            tokens = (C.llama_token * size)()
            count = C.llama_tokenize(self._vocab, data, len(data), tokens, size, False, parse_special)
            if count >= 0:
                return list(tokens[:count])
            size = -count

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes a token stands for, which may be a part of a UTF-8 character.

        Control tokens stand for none, or with ``special`` for their spellings.
        """
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = C.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        """The bytes that tokens stand for together; control tokens stand for their spellings.

        Args:
            tokens: of the vocabulary; llama.cpp ends the process over others.
        """
        ids = (C.llama_token * len(tokens))(*tokens)
        size = 8 * len(tokens) + 8
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = C.llama_detokenize(self._vocab, ids, len(tokens), buffer, size, False, True)
            if length >= 0:
                return buffer.raw[:length]
            size = -length

    def continuations(self, text: bytes) -> npt.NDArray[np.int32]:
        """Ids of the tokens that can come first in a text that begins with ``text``: int32, shape (n,).

        These are the tokens that begin with it, and those that it begins with.
        """
        spellings, ids = self._by_spelling
        # No UTF-8 byte is 0xff, so the last byte can be counted up to find the end of those that begin with the text.
        low, high = bisect_left(spellings, text), bisect_left(spellings, text[:-1] + bytes([text[-1] + 1]))
        found = [*range(low, high)]
        for length in range(1, len(text)):
            at = bisect_left(spellings, text[:length])
            if at < len(spellings) and spellings[at] == text[:length]:
                found.append(at)
        return ids[found]

    @cached_property
    def _by_spelling(self) -> tuple[list[bytes], npt.NDArray[np.int32]]:
        """All tokens that stand for bytes, sorted by these: (bytes, ids)."""
        spelled = sorted((piece, token) for token in range(self.n_vocab) if (piece := self.piece(token)))
        return [piece for piece, _ in spelled], np.array([token for _, token in spelled], dtype=np.int32)

    @cached_property
    def between_names(self) -> npt.NDArray[np.int32]:
        """Ids of the tokens that may follow a whole name: int32, shape (n,)."""
        spellings, ids = self._by_spelling
        within = ids[[is_word_byte(piece[0]) for piece in spellings]]
        return np.setdiff1d(np.arange(self.n_vocab, dtype=np.int32), within)

    def is_end(self, token: int) -> bool:
        """Whether the token ends a generation (EOS, EOT, the end of a FIM answer …)."""
        return bool(C.llama_vocab_is_eog(self._vocab, token))

    @property
    def vocab_handle(self) -> Any:
        """llama.cpp's vocabulary, for samplers that need it."""
        return self._vocab

    @cached_property
    def n_vocab(self) -> int:
        """Number of tokens in the vocabulary."""
        return int(C.llama_vocab_n_tokens(self._vocab))

    @cached_property
    def bos(self) -> list[int]:
        """What a prompt starts with: the BOS token where the model wants one, else nothing."""
        return [int(C.llama_vocab_bos(self._vocab))] if C.llama_vocab_get_add_bos(self._vocab) else []

    @cached_property
    def fim(self) -> FimTokens | None:
        """The fill-in-the-middle tokens, or None for a model that was not trained for it."""
        ids = [f(self._vocab) for f in (C.llama_vocab_fim_pre, C.llama_vocab_fim_suf, C.llama_vocab_fim_mid)]
        if min(ids) < 0:
            return None
        repository, separator = C.llama_vocab_fim_rep(self._vocab), C.llama_vocab_fim_sep(self._vocab)
        return FimTokens(
            prefix=ids[0],
            suffix=ids[1],
            middle=ids[2],
            repository=repository if repository >= 0 else None,
            separator=separator if separator >= 0 else None,
        )

    @cached_property
    def special_texts(self) -> tuple[str, ...]:
        """The spellings of control tokens, longest first: what user text must never be mistaken for."""
        marked = C.LLAMA_TOKEN_ATTR_CONTROL | C.LLAMA_TOKEN_ATTR_USER_DEFINED
        texts = {
            C.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace")
            for token in range(self.n_vocab)
            if C.llama_vocab_get_attr(self._vocab, token) & marked
        }
        return tuple(sorted((t for t in texts if t.strip()), key=len, reverse=True))

    def special_text(self, token: int) -> str:
        """The spelling of a token, e.g. ``<|im_end|>``; empty for a missing one (negative id)."""
        return C.llama_vocab_get_text(self._vocab, token).decode("utf-8", "replace") if token >= 0 else ""

    @cached_property
    def eos_text(self) -> str:
        """The spelling of the EOS token."""
        return self.special_text(C.llama_vocab_eos(self._vocab))

    @cached_property
    def bos_text(self) -> str:
        """The spelling of the BOS token."""
        return self.special_text(C.llama_vocab_bos(self._vocab))

    def metadata(self, key: str) -> str | None:
        """One value of the GGUF's metadata as text, or None."""
        size = 256
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = C.llama_model_meta_val_str(self.handle, key.encode(), buffer, size)
            if length < 0:
                return None
            if length < size:
                return buffer.value.decode("utf-8", "replace")
            size = length + 1

    @cached_property
    def architecture(self) -> str:
        """``general.architecture``, e.g. ``qwen2`` or ``deepseek4``."""
        return self.metadata("general.architecture") or "unknown"

    @cached_property
    def chat_template(self) -> str | None:
        """The model's own Jinja chat template, or None."""
        template = C.llama_model_chat_template(self.handle, None)
        return template.decode("utf-8", "replace") if template else None

    @cached_property
    def description(self) -> str:
        """llama.cpp's short description, e.g. ``qwen2 0.5B Q4_K - Medium``."""
        buffer = ctypes.create_string_buffer(256)
        C.llama_model_desc(self.handle, buffer, 256)
        return buffer.value.decode("utf-8", "replace")

    @property
    def size_bytes(self) -> int:
        """Bytes of all tensors."""
        return int(C.llama_model_size(self.handle))

    @property
    def n_params(self) -> int:
        """Number of parameters."""
        return int(C.llama_model_n_params(self.handle))

    @cached_property
    def n_swa(self) -> int:
        """Tokens that windowed layers look back; 0 if there are none (or, in DeepSeek-V4, if it is not to be told)."""
        return int(C.llama_model_n_swa(self.handle))

    @cached_property
    def is_recurrent(self) -> bool:
        """Whether layers keep a state that every token changes, all of them or some."""
        return bool(C.llama_model_is_recurrent(self.handle) or C.llama_model_is_hybrid(self.handle))

    @property
    def n_ctx_train(self) -> int:
        """Context length the model was trained for, in tokens."""
        return int(C.llama_model_n_ctx_train(self.handle))


def common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    """Number of leading tokens that two lists share."""
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
