"""What an answer is worth, apart from the tests: pure."""

from __future__ import annotations

import difflib
import random
import re
import statistics
import warnings
from collections.abc import Callable, Sequence

from lsp_server.testing.rates import Interval

_ROUNDS = 4000
_WORD = re.compile(r"[^\W\d]\w*")


def inserted(filled: str, before: str, after: str) -> str:
    """What stands between the two in a filled file, as far as they are still there."""
    start = _in_common(filled, before)
    end = _in_common(filled[start:][::-1], after[::-1])
    return filled[start : len(filled) - end]


def _in_common(one: str, other: str) -> int:
    """How many characters two texts begin alike with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def is_exact(filled: str, whole: str) -> bool:
    """Whether a file is what it was, but for blank lines and blanks at the ends of lines."""
    return _written(filled) == _written(whole)


def _written(text: str) -> list[str]:
    return [line.rstrip() for line in text.split("\n") if line.strip()]


def similarity(answer: str, truth: str) -> float:
    """How much of two texts is alike, 0 to 1, without the blanks around them."""
    return difflib.SequenceMatcher(None, answer.strip(), truth.strip(), autojunk=False).ratio()


def parses(text: str) -> bool:
    """Whether a file of Python could be run at all."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "filled", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    return True


def identifiers(text: str) -> list[str]:
    """The words of a text in order, as identifier match counts them."""
    return _WORD.findall(text)


def difference(ours: Sequence[float], theirs: Sequence[float], *, seed: int = 1) -> Interval:
    """Mean of ours less mean of theirs, paired: resampled by pairs."""
    return _paired(ours, theirs, lambda a, b: a - b, seed)


def ratio(ours: Sequence[float], theirs: Sequence[float], *, seed: int = 1) -> Interval:
    """Mean of ours by mean of theirs, paired: resampled by pairs. Infinite where theirs is 0."""
    return _paired(ours, theirs, lambda a, b: a / b if b else float("inf") if a else 1.0, seed)


def _paired(
    ours: Sequence[float], theirs: Sequence[float], measure: Callable[[float, float], float], seed: int
) -> Interval:
    pairs = list(zip(ours, theirs, strict=True))
    if not pairs:
        return Interval(float("nan"), float("nan"), float("nan"))
    rng = random.Random(seed)
    value = _measured(pairs, measure)
    found = sorted(_measured(rng.choices(pairs, k=len(pairs)), measure) for _ in range(_ROUNDS))
    return Interval(value, found[int(_ROUNDS * 0.025)], found[int(_ROUNDS * 0.975) - 1])


def _measured(pairs: Sequence[tuple[float, float]], measure: Callable[[float, float], float]) -> float:
    return measure(statistics.fmean(a for a, _ in pairs), statistics.fmean(b for _, b in pairs))
