"""Where all names are known that may come behind a dot, the model is led to one of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from lsp_server.engine.native.model import is_word_byte
from lsp_server.text.known_names import KnownNames

Tokens = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]

# A name at the end of a line that is not itself a member, nor behind a call or the like.
_RECEIVER = re.compile(r"(?:^|[^\w$.)\]}\"'\ufffd])(?P<name>[^\W\d]\w*)(?P<dot>\.?)$")

# What is given something, or may be.
_TARGETS = re.compile(r"\s*(?:[\w.]+\s*,\s*)*|.*\b(?:as|for)\s+")
_NO_CODE = re.compile(r"\s*(?:#|//|import\b|from\b)")


class Vocabulary(Protocol):
    """The part of a model that it takes; see ``native.model.NativeModel``."""

    @property
    def n_vocab(self) -> int: ...
    @property
    def between_names(self) -> Tokens: ...
    def continuations(self, text: bytes) -> Tokens: ...
    def piece(self, token: int) -> bytes: ...


class NameGuide:
    """Follows an answer, token by token, and tells which tokens lead to a name that there is.

    Args:
        line: what stands before the answer on its line.
        names: what the answer begins with; empty: anything.
        known: what may stand behind dots further on.
    """

    def __init__(
        self, vocabulary: Vocabulary, line: str = "", names: Iterable[str] = (), known: Iterable[KnownNames] = ()
    ) -> None:
        self._vocabulary = vocabulary
        self._known = {one.of: one for one in known}
        self._line = line
        self._written = ""
        # What is left to be written of those that are still possible; the shortest of those with one start first.
        self._left = _bytes(names)
        # Whether the dot may not come at all.
        self._open = False
        self._masks: dict[str, Mask] = {}
        if not self._left:
            self._begin()

    @property
    def active(self) -> bool:
        """Whether a name is being written, or may be."""
        return bool(self._left)

    def tokens(self) -> Mask | None:
        """Which tokens may come: bool, shape (n_vocab,); None where all may."""
        if not self._left:
            return None
        if not self._open:
            return self._leading(np.zeros(self._vocabulary.n_vocab, np.bool_))
        name = self._receiver()
        if name not in self._masks:
            allowed = np.ones(self._vocabulary.n_vocab, np.bool_)
            allowed[self._vocabulary.continuations(b".")] = False
            self._masks[name] = self._leading(allowed)
        return self._masks[name]

    def wrote(self, data: bytes) -> None:
        """The answer went on with these bytes."""
        if not (self._left or self._known):
            # Most answers: nothing is left that it could lead to.
            return
        # Half a character is none of a name that is known.
        text = data.decode("utf-8", "replace")
        self._written += text
        self._line = (self._line + text).rpartition("\n")[2]
        self._left = [name[len(data) :] for name in self._left if data and name.startswith(data)]
        self._open = False
        if not self._left:
            self._begin()

    def _begin(self) -> None:
        """Whether a receiver stands at the end now."""
        found = _RECEIVER.search(self._line)
        known = self._known.get(found["name"]) if found else None
        if found is None or known is None or self._is_new(found["name"]):
            return
        before = self._line[: found.start("name")]
        if (known.may_be_new and _TARGETS.fullmatch(before)) or _NO_CODE.match(before) or before.count('"') % 2:
            return
        self._open = not found["dot"]
        self._left = _bytes(f".{name}" if self._open else name for name in known.names)

    def _receiver(self) -> str:
        found = _RECEIVER.search(self._line)
        return found["name"] if found else ""

    def _is_new(self, name: str) -> bool:
        """Whether the answer has given the name to something else."""
        word = re.escape(name)
        given = re.compile(
            rf"(?<![\w.]){word}\s*(?::?=(?!=)|[:,][^\n]{{0,200}}=(?!=))|\b(?:for|as|def|lambda)\b[^\n]{{0,200}}(?<![\w.]){word}\b(?!\.|$)"
        )
        return given.search(self._written) is not None

    def _leading(self, mask: Mask) -> Mask:
        if not self._left[0]:
            mask[self._vocabulary.between_names] = True
        for name in filter(None, self._left):
            for token in self._vocabulary.continuations(name):
                mask[token] |= _is_part(self._vocabulary.piece(int(token)), name)
        return mask


def _bytes(names: Iterable[str]) -> list[bytes]:
    return sorted({name.encode("utf-8", "replace") for name in names})


def _is_part(piece: bytes, name: bytes) -> bool:
    """Whether a token is how a name begins, or all of it and something that ends it."""
    return len(piece) <= len(name) or not is_word_byte(piece[len(name)])
