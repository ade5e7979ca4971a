"""Whether this machine runs on its battery."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

# Asking may read files of the system or ask a service; plugging in is not that urgent.
_ASK_AGAIN_S = 10.0


class Battery:
    """Remembers for a few seconds whether the machine runs on battery.

    Args:
        unplugged: asks the system; by default psutil.
    """

    def __init__(self, unplugged: Callable[[], bool] | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._unplugged = unplugged or _unplugged
        self._now = now
        self._until = float("-inf")
        self._answer = False

    def in_use(self) -> bool:
        """Whether it is what the machine runs on; False where there is none, or nobody knows."""
        if self._now() >= self._until:
            self._answer = self._unplugged()
            self._until = self._now() + _ASK_AGAIN_S
        return self._answer


def _unplugged() -> bool:
    try:
        # Not there on some systems; None where there is no battery or its state is unknown.
        battery = psutil.sensors_battery()
    except (AttributeError, OSError, RuntimeError):
        return False
    return battery is not None and battery.power_plugged is False
