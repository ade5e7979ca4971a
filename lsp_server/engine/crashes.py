"""Engines that ended without a goodbye: one that does so again and again is not started for ever.

Each engine notes that it has begun, and strikes that out when it leaves. What is left over was killed, crashed in
native code or was ended because it was stuck; whoever starts the next one, of any window, can know.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path

from lsp_server.engine import runtime

# So many within so long are a pattern. A minute is what loading tens of gigabytes takes, a few times over.
MOST, WITHIN_S = 3, 1800.0
# What Python's `faulthandler` writes when a signal ends the process.
_FATAL = re.compile(r"^Fatal Python error: (.+)$", re.MULTILINE)


def begun(name: str) -> None:
    """This process serves as the engine of that name from now on; it has crashed unless it says `ended_well`."""
    # Without room for the note one crash more is not counted; that must not keep it from serving.
    with contextlib.suppress(OSError):
        _write(name, [*_read(name), (os.getpid(), time.time())][-MOST:])


def ended_well(name: str) -> None:
    """This process leaves as it should."""
    with contextlib.suppress(OSError):
        _write(name, [one for one in _read(name) if one[0] != os.getpid()])


def rest_s(name: str) -> float:
    """Seconds for which that engine is not to be started again; 0 where it may be. Asked while none runs."""
    now = time.time()
    # A clock that was set back leaves times behind that are still to come.
    recent = sorted(at for _pid, at in _read(name) if now - WITHIN_S < at <= now)
    return recent[-MOST] + WITHIN_S - now if len(recent) >= MOST else 0.0


def last_words(name: str) -> str:
    """What the crash was by the engine's log: "Segmentation fault", "Aborted"; empty if the log does not say."""
    try:
        log = runtime.log_path(name).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    found = _FATAL.findall(log)
    return found[-1] if found else ""


def forget(name: str) -> None:
    """As if there had been none."""
    _path(name).unlink(missing_ok=True)


def _path(name: str) -> Path:
    return runtime.runtime_directory() / f"{name}.begun"


def _read(name: str) -> list[tuple[int, float]]:
    try:
        return [(int(pid), float(at)) for pid, at in json.loads(_path(name).read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []


def _write(name: str, begun: list[tuple[int, float]]) -> None:
    runtime.write_private(_path(name), json.dumps(begun))
