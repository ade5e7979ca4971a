"""Whether this machine runs on its battery."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

_SUPPLIES = Path("/sys/class/power_supply")
# Asking may read files of the system or ask a service; plugging in is not that urgent.
_ASK_AGAIN_S = 10.0


class Battery:
    """Remembers for a few seconds whether the machine runs on battery.

    Args:
        unplugged: asks the system; by default psutil.
    """

    def __init__(self, unplugged: Callable[[], bool] | None = None, now: Callable[[], float] = time.monotonic) -> None:
        self._unplugged = unplugged
        self._now = now
        self._until = float("-inf")
        self._answer = False

    def in_use(self) -> bool:
        """Whether it is what the machine runs on; False where there is none, or nobody knows."""
        if self._now() >= self._until:
            self._answer = (self._unplugged or _unplugged)()
            self._until = self._now() + _ASK_AGAIN_S
        return self._answer


def _unplugged() -> bool:
    try:
        return _linux_unplugged(_SUPPLIES) if _SUPPLIES.is_dir() else _psutil_unplugged()
    except Exception:
        # Drivers write all kinds of things there; not knowing is no reason to stop.
        return False


def _psutil_unplugged() -> bool:
    battery = psutil.sensors_battery()
    return battery is not None and battery.power_plugged is False


def _linux_unplugged(folder: Path) -> bool:
    """Whether a battery of the machine itself is being emptied, and no mains are there; a mouse has a battery too."""
    supplies = [_read(supply) for supply in folder.iterdir()]
    if any(supply["type"] == "Mains" and supply["online"] == "1" for supply in supplies):
        return False
    own = (supply for supply in supplies if supply["type"] == "Battery" and supply["scope"] != "Device")
    return any(supply["status"] == "Discharging" for supply in own)


def _read(supply: Path) -> dict[str, str]:
    names = ("type", "online", "scope", "status")
    return {name: (supply / name).read_text().strip() if (supply / name).exists() else "" for name in names}
