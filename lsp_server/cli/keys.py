"""Single keys of a terminal, without Enter."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

_POLL_S = 0.05


@contextlib.contextmanager
def keys() -> Iterator[Callable[[float], str]]:
    """Gives a function that waits so many seconds for a key, and returns it or an empty text.

    The terminal is as it was when the context is left. Without one, no key ever comes.
    """
    if not sys.stdin.isatty():
        yield _sleep
    elif sys.platform == "win32":
        yield _windows_key
    else:
        import termios
        import tty

        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            # Ctrl-C still interrupts.
            tty.setcbreak(descriptor)
            yield _posix_key
        finally:
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _sleep(seconds: float) -> str:
    time.sleep(seconds)
    return ""


def _posix_key(seconds: float) -> str:
    import os
    import select

    ready, _, _ = select.select([sys.stdin], [], [], seconds)
    # Past Python's buffer, of which `select` knows nothing.
    return os.read(sys.stdin.fileno(), 1).decode("latin-1") if ready else ""


def _windows_key(seconds: float) -> str:
    if sys.platform != "win32":
        raise RuntimeError("only for Windows")
    import msvcrt

    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if msvcrt.kbhit():
            return msvcrt.getwch()
        time.sleep(_POLL_S)
    return ""
