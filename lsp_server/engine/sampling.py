"""How the next token is chosen: every option, declared once, by llama.cpp's names."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from lsp_server.errors import InvalidRequestError

SAMPLERS = {
    "penalties": "e",
    "dry": "d",
    "top_n_sigma": "s",
    "top_k": "k",
    "typ_p": "y",
    "top_p": "p",
    "min_p": "m",
    "xtc": "x",
    "temperature": "t",
    "infill": "i",
    "adaptive_p": "a",
}
"""llama.cpp's samplers by name, with the letters that a ``samplers`` text has for them."""

ON_REQUEST = frozenset({"infill", "adaptive_p"})
Order = tuple[str, ...]
DEFAULT_ORDER: Order = tuple(name for name in SAMPLERS if name not in ON_REQUEST)
Texts = tuple[str, ...]
Biases = tuple[tuple[int | str, float], ...]
_MOST_INT = 2**31 - 1
_MOST_FLOAT = 1e9
# llama.cpp goes through the whole vocabulary for each.
_MOST_BREAKERS = 32


def _number(default: float, low: float = -_MOST_FLOAT, high: float = _MOST_FLOAT) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


def _count(default: int, low: int = 0, high: int = _MOST_INT) -> Any:
    return field(default=default, metadata={"low": low, "high": high})


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How the next token is chosen; names, order and meaning as in llama.cpp.

    ``temperature`` 0 is greedy: the likeliest of the tokens that ``samplers`` leave. The samplers that narrow the
    choice down change nothing then (top_k, top_p, min_p, top_n_sigma), nor do mirostat and the seed.

    ``samplers`` is the order; what it leaves out is not applied. ``repeat_last_n`` and ``dry_penalty_last_n`` -1 stand
    for the whole context. ``seed`` None draws one. ``logit_bias`` has token ids or texts (each of whose tokens it is
    for) with what is added to their logits; minus infinity forbids. ``ignore_eos`` forbids the tokens that end an
    answer. ``grammar`` is GBNF with a ``root`` rule; where it allows nothing but the end, the answer ends all the same.

    Raises:
        InvalidRequestError: a value is out of range; it is named.
    """

    temperature: float = _number(0.0, 0.0)
    dynatemp_range: float = _number(0.0, 0.0)
    dynatemp_exponent: float = _number(1.0)
    top_k: int = _count(40, -1)
    top_p: float = _number(0.95, 0.0, 1.0)
    min_p: float = _number(0.05, 0.0, 1.0)
    top_n_sigma: float = _number(-1.0)
    typical_p: float = _number(1.0, 0.0, 1.0)
    xtc_probability: float = _number(0.0, 0.0, 1.0)
    xtc_threshold: float = _number(0.1, 0.0, 1.0)
    repeat_last_n: int = _count(64, -1)
    # Logits are divided by it.
    repeat_penalty: float = _number(1.0, 1e-6)
    presence_penalty: float = _number(0.0)
    frequency_penalty: float = _number(0.0)
    dry_multiplier: float = _number(0.0)
    dry_base: float = _number(1.75, 0.0)
    dry_allowed_length: int = _count(2)
    dry_penalty_last_n: int = _count(64, -1)
    dry_sequence_breakers: Texts = ("\n", ":", '"', "*")
    mirostat: int = _count(0, 0, 2)
    mirostat_tau: float = _number(5.0, 0.0)
    mirostat_eta: float = _number(0.1, 0.0)
    adaptive_target: float = _number(-1.0, -_MOST_FLOAT, 1.0)
    adaptive_decay: float = _number(0.9, 0.0, 0.99)
    min_keep: int = _count(0)
    seed: int | None = None
    logit_bias: Biases = ()
    ignore_eos: bool = False
    samplers: Order = DEFAULT_ORDER
    grammar: str | None = None

    def __post_init__(self) -> None:
        for declared in fields(self):
            if "low" in declared.metadata:
                check_range(declared.name, getattr(self, declared.name), **declared.metadata)
        for bias in (bias for _, bias in self.logit_bias):
            if bias != -math.inf:
                check_range("logit_bias", bias, -_MOST_FLOAT, _MOST_FLOAT)
        if not 0 < len(self.dry_sequence_breakers) <= _MOST_BREAKERS:
            raise InvalidRequestError(f"dry_sequence_breakers must be 1 to {_MOST_BREAKERS} texts.")
        for name in self.samplers:
            if name not in SAMPLERS:
                raise InvalidRequestError(f"samplers must be of {', '.join(SAMPLERS)}, not {name!r}.")
        if "infill" in self.samplers and not {"top_k", "top_p"} & {
            *self.samplers[: self.samplers.index("infill")],
        }:
            # It compares every candidate with every other.
            raise InvalidRequestError("samplers must have top_k or top_p before infill.")

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is taken."""
        return self.temperature <= 0

    @property
    def changes_the_likeliest(self) -> bool:
        """Whether a sampler can make another token the likeliest, or take the likeliest away."""
        penalized = self.repeat_penalty != 1 or self.presence_penalty != 0 or self.frequency_penalty != 0
        active = {
            "penalties": penalized and self.repeat_last_n != 0,
            "dry": self.dry_multiplier != 0 and self.dry_base >= 1 and self.dry_penalty_last_n != 0,
            "typ_p": self.typical_p < 1,
            "xtc": self.xtc_probability > 0 and self.xtc_threshold <= 0.5,
            "infill": True,
        }
        return any(active.get(name, False) for name in self.samplers)


def check_range(name: str, value: float, low: float, high: float) -> None:
    """Raise an InvalidRequestError that names the field unless low ≤ value ≤ high; NaN is never in a range."""
    if not low <= value <= high:
        unbounded = high in (_MOST_INT, _MOST_FLOAT)
        wanted = f"at least {low:g}" if unbounded and value < low else f"between {low:g} and {high:g}"
        raise InvalidRequestError(f"{name} must be {wanted}, not {value}.")


def sampler_order(given: str | Texts) -> Order:
    """``samplers`` as llama-server takes it: names in any of its spellings, or a text of letters.

    Raises:
        InvalidRequestError: it has no such sampler.
    """
    known = _LETTERS if isinstance(given, str) else _SPELLINGS
    keys = given if isinstance(given, str) else [name.lower().replace("_", "").replace("-", "") for name in given]
    return tuple(known.get(key, name) for key, name in zip(keys, given, strict=True))


_LETTERS = {letter: name for name, letter in SAMPLERS.items()}
_SPELLINGS = {
    **{name.replace("_", ""): name for name in SAMPLERS},
    "temp": "temperature",
    "typ": "typ_p",
    "typicalp": "typ_p",
    "nucleus": "top_p",
}
