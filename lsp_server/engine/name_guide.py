"""Where an answer begins with a name of which all are known, the model is led to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lsp_server.engine.native.model import is_word_byte

Tokens = npt.NDArray[np.int32]


class Vocabulary(Protocol):
    """The part of a model that it takes; see ``native.model.NativeModel``."""

    @property
    def between_names(self) -> Tokens: ...
    def continuations(self, text: bytes) -> Tokens: ...
    def piece(self, token: int) -> bytes: ...


class NameGuide:
    """Follows an answer through its first name, token by token.

    Args:
        names: what the answer may begin with, as UTF-8; empty: anything.
    """

    def __init__(self, vocabulary: Vocabulary, names: Sequence[bytes]) -> None:
        self._vocabulary = vocabulary
        # What is left to be written of those that are still possible; the shortest of those with one start first.
        self._left = sorted(set(names))

    @property
    def active(self) -> bool:
        """Whether the name is still being written."""
        return bool(self._left)

    def tokens(self) -> Tokens | None:
        """The tokens that lead to one of the names, each once: int32, shape (n,); None once it is written."""
        if not self._left:
            return None
        found = [self._vocabulary.between_names] if not self._left[0] else []
        for name in filter(None, self._left):
            tokens = self._vocabulary.continuations(name)
            found.append(tokens[[_is_part(self._vocabulary.piece(int(token)), name) for token in tokens]])
        return np.unique(np.concatenate(found))

    def wrote(self, data: bytes) -> None:
        """The answer went on with these bytes."""
        self._left = [name[len(data) :] for name in self._left if data and name.startswith(data)]


def _is_part(piece: bytes, name: bytes) -> bool:
    """Whether a token is how a name begins, or all of it and something that ends it."""
    return len(piece) <= len(name) or not is_word_byte(piece[len(name)])
