"""How fast the disk with the models reads: what a first load takes, and each token of a model larger than the RAM."""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

_CHUNK_BYTES = 8 * 1024 * 1024
_MOST_BYTES = 256 * 1024 * 1024
_LONGEST_S = 0.5
_SCRATCH_BYTES = 64 * 1024 * 1024
# Whoever measures must not fill the disk: a file of ours is written only where that is nothing.
_SCRATCH_ROOM = 20 * _SCRATCH_BYTES


def read_rate(place: Path) -> float:
    """Bytes per second of sequential reading, not from the page cache where the system lets us pass by it.

    Args:
        place: a file, which is only read (256 MiB or half a second of it), or a folder, in which a file of ours is
            written for the purpose and removed.

    Returns:
        0.0 if it cannot be told: nothing there, a file of less than 8 MiB, no room.
    """
    try:
        if place.is_dir():
            with _scratch(place) as file:
                return _rate(file)
        return _rate(place)
    except OSError:
        return 0.0


def volume(place: Path) -> str:
    """Tells volumes apart, over restarts too: where it is mounted and how large it is.

    Raises:
        OSError: there is no such file or folder.
    """
    resolved = place.resolve(strict=True)
    mount = next(path for path in (resolved, *resolved.parents) if path.is_mount() or path == path.parent)
    return f"{mount}|{shutil.disk_usage(mount).total}"


def _rate(path: Path) -> float:
    # Direct reading wants aligned memory, which an anonymous mapping is.
    with mmap.mmap(-1, _CHUNK_BYTES) as buffer, _uncached(path) as descriptor:
        done, started = 0, time.perf_counter()
        with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
            while done < _MOST_BYTES and file.readinto(buffer) == _CHUNK_BYTES:
                done += _CHUNK_BYTES
                if time.perf_counter() - started > _LONGEST_S:
                    break
        elapsed = time.perf_counter() - started
    return done / elapsed if done and elapsed else 0.0


@contextlib.contextmanager
def _uncached(path: Path) -> Iterator[int]:
    """A descriptor whose reads come from the disk, as far as the system and the file system have that."""
    plain = os.O_RDONLY | getattr(os, "O_BINARY", 0)
    # Direct reading leaves the page cache alone, so that the user's next load is as fast as it would have been, and it
    # is not fooled by pages that a running engine has mapped, which the advice below does not drop.
    direct = getattr(os, "O_DIRECT", 0)
    try:
        descriptor = os.open(path, plain | direct)
    except OSError:  # tmpfs and some network file systems do not have it
        descriptor, direct = os.open(path, plain), 0
    try:
        if sys.platform == "darwin":
            import fcntl

            fcntl.fcntl(descriptor, fcntl.F_NOCACHE, 1)
        elif not direct and sys.platform == "linux":
            os.posix_fadvise(descriptor, 0, _MOST_BYTES, os.POSIX_FADV_DONTNEED)
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    if shutil.disk_usage(folder).free < _SCRATCH_ROOM:
        raise OSError("too little room")
    descriptor, name = tempfile.mkstemp(prefix=".shardlight-", dir=folder)
    path = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for _ in range(_SCRATCH_BYTES // _CHUNK_BYTES):
                # Noise: some file systems compress, and a hole costs no reading at all.
                file.write(os.urandom(_CHUNK_BYTES))
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)
