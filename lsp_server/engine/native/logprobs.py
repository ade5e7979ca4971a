"""How likely the model found a token, and which ones it found likelier."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt


class Spelling(Protocol):
    """The part of a model that this needs; see ``native.model.NativeModel``."""

    def piece(self, token: int) -> bytes: ...


class Rows(Protocol):
    """The part of a context that this needs; see ``native.context.NativeContext``."""

    def logits(self, row: int = -1) -> npt.NDArray[np.float32]: ...


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """A token with the natural logarithm of its probability; ``top`` are the likeliest ones, likeliest first.

    The probabilities are the model's own: before bias, grammar and samplers.
    """

    token: int
    piece: bytes
    logprob: float
    top: tuple[tuple[int, bytes, float], ...] = ()


def logprobs(model: Spelling, context: Rows, row: int, token: int, n_probs: int | None) -> tuple[TokenLogprob, ...]:
    """What the row of a context's last step says of the token that was chosen from it; nothing if nobody asked.

    Args:
        n_probs: so many of the likeliest tokens are told as well; None for not even the chosen one.
    """
    if n_probs is None:
        return ()
    logits = context.logits(row)
    # In double precision only the sum: a vocabulary is long, and this is asked for each token of a text.
    highest = float(logits.max())
    total = highest + float(np.log(np.exp(logits - highest).sum(dtype=np.float64)))
    count = min(n_probs, len(logits))
    least = np.partition(logits, -count)[-count] if count else np.inf
    # Of equals the first, as greedy sampling takes it.
    likeliest = sorted(map(int, np.flatnonzero(logits >= least)), key=lambda i: (-logits[i], i))[:count]
    top = tuple((i, model.piece(i), float(logits[i]) - total) for i in likeliest)
    return (TokenLogprob(token, model.piece(token), float(logits[token]) - total, top),)
