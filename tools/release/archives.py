"""Archives that are the same whenever and wherever they are made, and the checksums of what a release consists of."""

from __future__ import annotations

import gzip
import hashlib
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

SUMS = "SHA256SUMS"


def write_tar(path: Path, files: Mapping[str, Path], epoch: int) -> None:
    """Write a ``.tar.gz``.

    Args:
        path: the archive.
        files: name in the archive -> file; they go in sorted.
        epoch: the time that all of them get, in seconds since 1970.
    """
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, file in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = file.stat().st_size, epoch
            entry.mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
            with file.open("rb") as content:
                archive.addfile(entry, content)


def sha256(path: Path) -> str:
    """A file's checksum, in hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sums(paths: Iterable[Path]) -> str:
    """The text of a ``SHA256SUMS``, as ``sha256sum --check`` reads it."""
    return "".join(f"{sha256(path)}  {path.name}\n" for path in sorted(paths))


def different(one: Path, other: Path) -> list[str]:
    """The names of the files that are not the same in two folders, or are in one alone."""
    names = {path.name for folder in (one, other) for path in folder.iterdir()}
    same = [
        name
        for name in names
        if all((folder / name).is_file() for folder in (one, other)) and sha256(one / name) == sha256(other / name)
    ]
    return sorted(names.difference(same))
