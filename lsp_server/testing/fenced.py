"""Starts another program within limits and, on Linux, within a fence: what generated tests are run in.

``python fenced.py MEMORY_BYTES CPU_S [--write FOLDER]… -- PROGRAM [ARGUMENT]…`` takes the program's place: nothing of
this is left but the limits, which hold for all that it starts. With ``--write`` it may change files in these folders
alone (Landlock, from Linux 5.13 on) and has a network of its own in which there is only this machine's loopback (a user
and a network namespace). What the system does not have, or forbids, is left out. Uses nothing but Python itself.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import struct
import sys
from pathlib import Path

# Of linux/landlock.h and asm-generic/unistd.h: the same on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION, _PATH_BENEATH, _NO_NEW_PRIVS = 1, 1, 38
_WRITE_FILE, _TRUNCATE, _REFER = 1 << 1, 1 << 14, 1 << 13
# Removing and making, of files, folders, links, pipes and devices.
_CHANGE = sum(1 << bit for bit in range(4, 13))
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_SET_FLAGS, _UP = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP


def main(arguments: list[str]) -> None:
    """Become the program."""
    at = arguments.index("--")
    memory, cpu_s, *rest = arguments[:at]
    program = arguments[at + 1 :]
    _limit(int(memory), int(cpu_s))
    folders = rest[1::2]
    if folders and sys.platform == "linux":
        _leave_the_network()
        _change_only(folders)
    os.execvp(program[0], program)  # noqa: S606 - it is what it is for


def _limit(memory_bytes: int, cpu_s: int) -> None:
    # Programs for which memory is only reserved (Node.js, Java, Go) take far more addresses than memory, so it is data
    # that is limited.
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        for kind, limit in ((resource.RLIMIT_DATA, memory_bytes), (resource.RLIMIT_CPU, cpu_s)):
            resource.setrlimit(kind, (limit, limit))


def _leave_the_network() -> None:
    """Only loopback is left: tests that serve and ask themselves go on working."""
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NET) != 0:
        return
    # Still the same user, as far as files are concerned.
    for file, text in (("setgroups", "deny"), ("uid_map", f"{user} {user} 1"), ("gid_map", f"{group} {group} 1")):
        with contextlib.suppress(OSError):
            Path("/proc/self", file).write_text(text)
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        import fcntl

        fcntl.ioctl(asked, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))


def _change_only(folders: list[str]) -> None:
    """Files are made, changed and removed in these folders alone, from here on and by all that is started."""
    call = ctypes.CDLL(None, use_errno=True).syscall
    version = call(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return
    rights = _WRITE_FILE | _CHANGE | (_REFER if version >= 2 else 0) | (_TRUNCATE if version >= 3 else 0)
    handled = ctypes.c_uint64(rights)
    ruleset = call(_CREATE_RULESET, ctypes.byref(handled), ctypes.sizeof(handled), 0)
    if ruleset < 0:
        return
    # /dev/null and the like are written to, not made.
    for folder, allowed in [("/dev", rights & (_WRITE_FILE | _TRUNCATE)), *((folder, rights) for folder in folders)]:
        with contextlib.suppress(OSError):
            place = os.open(folder, os.O_PATH | os.O_CLOEXEC)  # type: ignore[attr-defined, unused-ignore]
            rule = ctypes.create_string_buffer(struct.pack("=Qi", allowed, place))
            call(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
            os.close(place)
    # Without this only root may fence itself in.
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    call(_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


if __name__ == "__main__":
    main(sys.argv[1:])
