"""Work that yields: a model that is loaded must not make another one slow that somebody types with."""

from __future__ import annotations

import contextlib
import os
import sys
import threading

import psutil

_LESS = 10


def lower_process() -> None:
    """From now on this process yields to others, for the processor and, where the system knows that, for the disk."""
    process = psutil.Process()
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(_LESS)
    with contextlib.suppress(psutil.Error, OSError, AttributeError):
        if sys.platform == "linux":
            process.ionice(psutil.IOPRIO_CLASS_BE, 7)


def lower_thread() -> None:
    """The same of this thread alone, where threads have a priority of their own that may be lowered: on Linux."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LESS)
