"""Small operations on model files: hashing, setting aside, room on the disk."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path

from lsp_server.errors import DiskSpaceError
from lsp_server.models.hub_cache import blob_of
from lsp_server.models.transfer import Monitor, Total, Transfer

CHUNK_BYTES = 8 * 1024 * 1024
# What must stay free beyond the download itself: a full system disk breaks more than the download.
_RESERVE_BYTES = 100 * 1000 * 1000


def human_size(size: int) -> str:
    """Bytes for people, in decimal units as download pages give them: ``491 MB``, ``61.5 GB``."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 100 else f"{value:.0f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def human_rate(rate: float) -> str:
    """A number a second for people: three digits, or as many as there are before the point."""
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def figures(total: Total) -> str:
    """A transfer in figures, as far as they are known: ``82 MB of 491 MB, 99 MB/s, 4 s left``."""
    text = human_size(total.done_bytes)
    if total.total_bytes:
        text += f" of {human_size(total.total_bytes)}"
    if total.seconds_left is not None:
        text += f", {human_size(int(total.rate))}/s, {total.seconds_left:.0f} s left"
    return text


def sha256_of(path: Path, monitor: Monitor) -> str:
    """The SHA-256 of a file as 64 hex digits.

    Raises:
        DownloadError: cancelled.
        OSError: it cannot be read.
    """
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            done += len(chunk)
            monitor.report(Transfer(path.name, done, total, "verify"))
    return digest.hexdigest()


def set_aside(path: Path) -> Path:
    """Rename a bad file to ``<name>.corrupt`` so that nothing finds it any more; returns the new path.

    In the hub's cache a file is a link to the bytes: the bytes are renamed (else the next download would link them
    again) and the link goes.
    """
    blob = blob_of(path)
    aside = (blob or path).with_name(path.name + ".corrupt")
    (blob or path).replace(aside)
    if blob is not None:
        path.unlink()
    return aside


def nearest_existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there: it tells what volume a new folder will be on."""
    return next(place for place in (folder, *folder.absolute().parents) if place.exists())


def require_space(folder: Path, needed: int, what: str) -> None:
    """Make sure that a download fits before it begins.

    Args:
        folder: where it will go; need not exist yet.
        needed: bytes.
        what: names the download in the message.

    Raises:
        DiskSpaceError: it does not fit.
    """
    free = shutil.disk_usage(nearest_existing(folder)).free
    if free < needed + _RESERVE_BYTES:
        raise DiskSpaceError(
            f"{what} needs {human_size(needed)} in {folder}, but only {human_size(free)} are free.",
            hint="Make room, or choose another folder (setting models.directory; HF_HOME for Hugging Face's cache).",
        )


def is_disk_full(error: BaseException) -> bool:
    """Whether an error means that the disk ran full, also where a library only passes the system's text on."""
    return getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error)


def disk_full(folder: Path, what: str) -> DiskSpaceError:
    """The error for a disk that ran full in the middle."""
    return DiskSpaceError(
        f"The disk of {folder} ran full while fetching {what}.",
        hint="Make room and start it again; the parts that are complete are kept.",
    )
