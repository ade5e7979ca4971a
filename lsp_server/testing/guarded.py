"""Runs a Python module or file that may change nothing but what is below a folder, and reach no other machine.

Generated tests, and calls with values that nobody has thought about, are run by it: a function that removes a folder
may be called with any. Run as a program, with the Python of the user's project: it needs nothing but the standard
library of Python 3.8. Arguments: the folder; ``with-programs`` if other programs may be started, ``alone`` if not, or
``sealed`` if moreover none may be talked to, no foreign library called and no large file written; and a module, or a
file that ends in ``.py``, with its own arguments.

Python tells what it does before it does it (its audit events, PEP 578), so this stops accidents. It is no prison: code
that is out to break it can.
"""

from __future__ import annotations

import multiprocessing.process
import os
import runpy
import sys
from typing import Any
from urllib.parse import unquote

# Under this name the list of refusals is among the modules.
REFUSALS = "shardlight refusals"
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
    "_winapi.CopyFile2": (1,),
}
_STARTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.fork",
    "os.forkpty",
    "pty.spawn",
)
_KILLS = ("os.kill", "os.killpg")
_ON_LINKS = ("os.remove", "os.rmdir", "os.rename", "os.link", "os.symlink")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
# Standard input, output and errors.
_LAST_STREAM = 2
_HERE = ("127.0.0.1", "::1", "localhost")
_TALKS = ("socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo")
_CALLS_LIBRARIES = ("ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function")
_MOST_FILE_BYTES = 50_000_000


def install(folder: str, *, programs: bool, sealed: bool = False) -> list[str]:
    """Refuse from now on, for as long as this process lives, what this module says.

    Args:
        folder: where everything may be changed.
        programs: whether other programs may be started.
        sealed: whether those that run, on this machine too, and foreign libraries are out of reach.

    Returns a list that gets the reason of each refusal, for the code that is run may catch the error.
    """
    root = os.path.realpath(folder)
    refused: list[str] = []
    devices = os.path.realpath(os.path.dirname(os.devnull)) if os.name == "posix" else ""

    def refuse(reason: str) -> None:
        refused.append(reason)
        raise PermissionError(f"Shardlight {reason} while it tries code out")

    def check(path: Any, link: bool = False) -> None:
        if isinstance(path, int) or path is None:
            return  # Something that is open already.
        said = os.fsdecode(path)
        if said.lower() == os.devnull:
            return
        # Of a link it is the link itself that is renamed or removed.
        place = os.path.join(os.path.realpath(os.path.dirname(said)), os.path.basename(said)) if link else ""
        place = place or os.path.realpath(said)
        inside = place == root or place.startswith(root + os.sep)
        if not inside and not (devices and place.startswith(devices + os.sep)):
            refuse(f"lets nothing change {place}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if sealed and event in _TALKS and os.name == "posix":
            # Elsewhere Python's own event loops talk to themselves in this way.
            refuse("reaches no other program")
        if sealed and event in _CALLS_LIBRARIES and arguments[0] is not None:
            refuse("calls no foreign library")
        if event == "open":
            path, mode, flags = arguments
            reads = not (isinstance(mode, str) and set(mode) & set("wax+"))
            # Whoever writes there may only give them another encoding.
            if type(path) is int and path <= _LAST_STREAM and reads and not programs:
                refuse("reads none of the streams that it talks through")
            writes = isinstance(mode, str) and set(mode) & set("wax+")
            if writes or (isinstance(flags, int) and flags & _WRITING):
                check(path)
        elif event in _CHANGES:
            for at in _CHANGES[event]:
                if arguments[at] not in (":memory:", "", b""):
                    check(arguments[at], event in _ON_LINKS)
        elif event == "sqlite3.connect":
            database = arguments[0]
            if isinstance(database, str) and database.startswith("file:"):
                database = _path_of(database)
            if database not in (":memory:", "", b""):
                check(database)
        elif event in _STARTS and not programs:
            refuse("starts no other program")
        elif event in _KILLS and not _is_own(arguments[0], arguments[1], programs):
            refuse("ends no other program")
        elif event in ("socket.connect", "socket.sendto") and isinstance(arguments[1], tuple):
            if str(arguments[1][0]) not in _HERE:
                refuse("reaches no other machine")
        elif event == "socket.getaddrinfo" and arguments[0] not in (None, "", *_HERE):
            refuse("reaches no other machine")

    if not programs:
        # Python's own processes are started without a word, and would be free.
        def start(_process: Any) -> None:
            refuse("starts no other program")

        multiprocessing.process.BaseProcess.start = start  # type: ignore[method-assign,assignment]
    sys.addaudithook(hook)
    return refused


def _path_of(uri: str) -> str:
    """The file that a database's URI names."""
    path = unquote(uri[len("file:") :].partition("?")[0].partition("#")[0])
    return "/" + path[2:].partition("/")[2] if path.startswith("//") else path or ":memory:"


def _is_own(process: int, signal: int, programs: bool) -> bool:
    """Whether a signal goes to this process or to one that it has started, or is none."""
    if process == os.getpid() or signal == 0:
        return True
    if not programs or os.name != "posix":
        return programs
    try:
        return os.getpgid(process) == os.getpgrp() and process != os.getppid()
    except OSError:
        return True


def _limit_files() -> None:
    """No file may become larger; where the system has no such limit, none is set."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_FILE_BYTES, _MOST_FILE_BYTES))
    except (ImportError, OSError, ValueError):
        pass


def main() -> None:
    """Run what the arguments say."""
    _, folder, programs, what, *arguments = sys.argv
    sys.argv = [what, *arguments]
    # As when Python itself runs a module: what stands beside this file is not to be found.
    sys.path[0] = ""
    sealed = programs == "sealed"
    if sealed:
        _limit_files()
    refused = install(folder, programs=programs == "with-programs", sealed=sealed)
    # What is run can look there.
    sys.modules[REFUSALS] = refused  # type: ignore[assignment]
    if what.endswith(".py"):
        runpy.run_path(what, run_name="__main__")
    else:
        runpy.run_module(what, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
