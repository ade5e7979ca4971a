"""Rates and how sure they are: pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and where it lies with 95 % confidence."""

    value: float
    low: float
    high: float

    def percent(self) -> str:
        """For rates."""
        return f"{self.value:.0%} ({self.low:.0%} to {self.high:.0%})"

    def points(self) -> str:
        """For differences of rates, in percentage points."""
        return f"{self.value * 100:+.0f} ({self.low * 100:+.0f} to {self.high * 100:+.0f})"

    def times(self) -> str:
        """For ratios."""
        return f"{self.value:.2f} × ({self.low:.2f} to {self.high:.2f})"


def wilson(good: float, n: int) -> Interval:
    """A rate by Wilson's score (Wilson 1927); of nothing it may be anything.

    Args:
        good: how many of ``n`` are good. A sum of shares (0 to 1) may be given, too: the interval is then wider than
            it need be, for shares vary less than yes and no.
    """
    if not n:
        return Interval(float("nan"), 0.0, 1.0)
    share, z2 = good / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5
    return Interval(share, max(0.0, middle - half), min(1.0, middle + half))


def chance_of_one(n: int, good: int, k: int) -> float:
    """How likely one of ``k`` samples passes, where ``good`` of ``n`` did: 1 - C(n - good, k) / C(n, k).

    The unbiased estimate of Chen et al. 2021, "Evaluating Large Language Models Trained on Code" (arXiv:2107.03374,
    section 2.1), as the product that they compute it by.

    Raises:
        ValueError: not 0 <= good <= n, or not 1 <= k <= n.
    """
    if not 0 <= good <= n or not 1 <= k <= n:
        raise ValueError(f"{good} of {n} samples, {k} taken")
    none = 1.0
    for i in range(n - good + 1, n + 1):
        none *= max(0.0, 1.0 - k / i)
    return 1.0 - none


def pass_at(k: int, counts: Sequence[tuple[int, int]]) -> Interval:
    """pass@k over problems, each with its number of samples and how many of them passed.

    Raises:
        ValueError: a problem has fewer than ``k`` samples.
    """
    return wilson(sum(chance_of_one(n, good, k) for n, good in counts), len(counts))
