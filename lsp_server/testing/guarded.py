"""Runs a Python module or file that may change nothing but what is below a folder, and reach no other machine.

Generated tests, and calls with values that nobody has thought about, are run by it: a function that removes a folder
may be called with any. Run as a program, with the Python of the user's project: it needs nothing but the standard
library of Python 3.8. Arguments: the folder; ``alone`` or ``with-programs``, which says whether other programs may be
started; and a module, or a file that ends in ``.py``, with its own arguments.

Python tells what it does before it does it (its audit events, PEP 578), so this stops accidents. It is no prison: code
that is out to break it can.
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

# Event → which of its arguments are paths that are written, made or removed.
_CHANGES = {
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
    "os.truncate": (0,),
    "os.chmod": (0,),
    "os.chown": (0,),
    "os.utime": (0,),
    "shutil.rmtree": (0,),
    "shutil.move": (0, 1),
    "shutil.chown": (0,),
    "sqlite3.connect": (0,),
}
_STARTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.fork",
    "pty.spawn",
)
_KILLS = ("os.kill", "os.killpg")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_HERE = ("127.0.0.1", "::1", "localhost")


def install(folder: str, *, programs: bool) -> None:
    """Refuse from now on, for as long as this process lives, what this module says."""
    root = os.path.realpath(folder)
    devices = os.path.realpath(os.path.dirname(os.devnull)) if os.name == "posix" else ""

    def check(path: Any) -> None:
        if isinstance(path, int) or path is None:
            return  # Something that is open already.
        place = os.path.realpath(os.fsdecode(path))
        inside = place == root or place.startswith(root + os.sep)
        if not inside and place.lower() != os.devnull and not (devices and place.startswith(devices + os.sep)):
            raise PermissionError(f"Shardlight lets nothing change {place} while it tries code out")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            if writes or (isinstance(flags, int) and flags & _WRITING):
                check(path)
        elif event in _CHANGES:
            for at in _CHANGES[event]:
                if arguments[at] not in (":memory:", "", b""):
                    check(arguments[at])
        elif event in _STARTS and not programs:
            raise PermissionError("Shardlight starts no other program while it tries code out")
        elif event in _KILLS and arguments[0] != os.getpid():
            raise PermissionError("Shardlight ends no other program while it tries code out")
        elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
            if str(arguments[1][0]) not in _HERE:
                raise PermissionError("Shardlight reaches no other machine while it tries code out")
        elif event == "socket.getaddrinfo" and arguments[0] not in (None, "", *_HERE):
            raise PermissionError("Shardlight reaches no other machine while it tries code out")

    sys.addaudithook(hook)


def main() -> None:
    """Run what the arguments say."""
    _, folder, programs, what, *arguments = sys.argv
    sys.argv = [what, *arguments]
    # As when Python itself runs a module: what stands beside this file is not to be found.
    sys.path[0] = ""
    install(folder, programs=programs == "with-programs")
    if what.endswith(".py"):
        runpy.run_path(what, run_name="__main__")
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
