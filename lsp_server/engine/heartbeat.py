"""Whether work that takes long still goes on.

A step of a huge model may take a minute on a CPU, and llama.cpp asks at each of its hundreds of operations whether to
go on: each is a sign of life, as is the end of a step. What gives none for far longer than any work before has stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable

# Longer than one operation takes of the largest model from a slow disk, or a first step on a GPU, which asks nothing.
_LEAST_S = 120.0
# So many times the longest silence so far; a machine that sleeps or a process that is stopped makes long ones.
_TIMES, _MOST_S = 10.0, 1800.0


class Heartbeat:
    """Signs of life of one thread's work; the other threads may ask at any time.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: float | None = None
        self._longest = 0.0

    def begin(self) -> None:
        """Some work begins."""
        self._last = self._clock()

    def beat(self) -> None:
        """It goes on."""
        now = self._clock()
        if self._last is not None:
            self._longest = max(self._longest, now - self._last)
        self._last = now

    def end(self) -> None:
        """It is done."""
        self.beat()
        self._last = None

    @property
    def bound_s(self) -> float:
        """Seconds without a sign of life after which work has stopped."""
        return min(max(_LEAST_S, _TIMES * self._longest), _MOST_S)

    @property
    def stuck_s(self) -> float:
        """For how many seconds there was no sign of life of work that has stopped; 0 where it goes on, or is none."""
        last = self._last
        silent = 0.0 if last is None else self._clock() - last
        return silent if silent > self.bound_s else 0.0
