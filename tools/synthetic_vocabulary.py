"""A tokenizer without a model: byte-level BPE that reads every text, with as many tokens as a model wants."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

_NORMAL, CONTROL = 1, 3
_BOS, _EOS = "<|begin_of_text|>", "<|end_of_text|>"


@dataclass(frozen=True, slots=True)
class SyntheticVocabulary:
    """What ``tokenizer.ggml.*`` holds; a token's place in the lists is its id."""

    tokens: tuple[str, ...]
    types: tuple[int, ...]
    merges: tuple[str, ...]
    bos: int
    eos: int


def synthetic_vocabulary(n_tokens: int, fim: Sequence[str] = ()) -> SyntheticVocabulary:
    """Control tokens, the 256 bytes, and pieces of lower-case letters, each with the merge that it comes from.

    Raises:
        ValueError: there are too few tokens for the first two.
    """
    control = [_BOS, _EOS, *fim]
    alphabet = _byte_characters()
    n_pieces = n_tokens - len(control) - len(alphabet)
    if n_pieces < 1:
        raise ValueError(f"A vocabulary takes at least {len(control) + len(alphabet) + 1} tokens, not {n_tokens}.")
    pieces = list(islice(_pieces(), n_pieces))
    return SyntheticVocabulary(
        tokens=(*control, *alphabet, *(left + right for left, right in pieces)),
        types=(CONTROL,) * len(control) + (_NORMAL,) * (n_tokens - len(control)),
        merges=tuple(f"{left} {right}" for left, right in pieces),
        bos=0,
        eos=1,
    )


def _byte_characters() -> list[str]:
    """GPT-2's character for each byte: its own where that is printed, else one from 256 upwards."""
    own = {*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)}
    others = iter(range(256, 512))
    return [chr(byte if byte in own else next(others)) for byte in range(256)]


def _pieces() -> Iterator[tuple[str, str]]:
    """Pairs that merge to all words of two letters, then of three, and so on: 475,228 up to four."""
    words = list(string.ascii_lowercase)
    while True:
        pairs = [(word, letter) for word in words for letter in string.ascii_lowercase]
        yield from pairs
        words = [word + letter for word, letter in pairs]
