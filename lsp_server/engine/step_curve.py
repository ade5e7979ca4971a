"""How long steps of so many tokens take here: measured as they come, asked before the next one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Kernels have cliffs between these (63 tokens may take twice as long as 64), so other sizes tell nothing.
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048)
# Before anything was measured: what every machine does in well under a second with a model it can bear.
_FIRST = 64
_WEIGHT = 0.3


class StepCurve:
    """Seconds by tokens a step, of one context; the newer the measurement, the more it counts."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def observe(self, n_tokens: int, seconds: float) -> None:
        """A step of so many tokens took so long."""
        if n_tokens in _SIZES:
            known = self._seconds.get(n_tokens, seconds)
            self._seconds[n_tokens] = known = known + _WEIGHT * (seconds - known)
            # A larger step that once was slow would not be tried again, and never be seen to be fast.
            for larger in (size for size in self._seconds if size > n_tokens):
                self._seconds[larger] = min(self._seconds[larger], known * larger / n_tokens)

    def seconds(self, n_tokens: int) -> float | None:
        """What a step would take, in proportion to the next smaller one that was measured; None before any was.

        Where only larger ones were, tokens are taken to be twice as dear in it.
        """
        smaller = [size for size in self._seconds if size <= n_tokens]
        if smaller:
            nearest = max(smaller)
            return self._seconds[nearest] * n_tokens / nearest
        larger = min(self._seconds, default=None)
        if larger is None:
            return None
        # Tokens are dearer in smaller steps, but not that much.
        return self._seconds[larger] * min(1.0, 2 * n_tokens / larger)

    def size(self, limit_s: float, most: int) -> int:
        """Tokens of the largest step that stays within ``limit_s`` seconds; at least 8, ``most`` at most."""
        best = min(8, most)
        for size in (*(s for s in _SIZES if 8 <= s < most), most):
            expected = self.seconds(size)
            if expected is None:
                best = size if size <= _FIRST else best
            elif expected <= limit_s:
                best = size
        return best


@dataclass(frozen=True, slots=True)
class Pace:
    """How large the steps of a prompt are to be.

    Attributes:
        most: tokens a step at most.
        limit_s: seconds that the next step may take.
    """

    curve: StepCurve
    most: int
    limit_s: Callable[[], float]

    def size(self) -> int:
        """Tokens of the next step."""
        return self.curve.size(self.limit_s(), self.most)
