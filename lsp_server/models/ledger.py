"""A memory of which files have been verified, so that gigabytes are not hashed at every start."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path


class Ledger:
    """Keeps one small JSON file for each verified file, in a folder of ours also for files that lie elsewhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sha256(self, path: Path) -> str | None:
        """The checksum found when this file was last verified, changed since or not; None if it never was."""
        entry = self._entry(path)
        return None if entry is None else str(entry["sha256"])

    def is_unchanged(self, path: Path) -> bool:
        """Whether a file was verified and has kept its size and modification time since."""
        entry, stat = self._entry(path), path.stat()
        return entry is not None and entry["size"] == stat.st_size and entry["mtime_ns"] == stat.st_mtime_ns

    def remember(self, path: Path, sha256: str) -> None:
        """Note that a file has been verified, and what it hashed to."""
        stat = path.stat()
        entry = {"path": str(path), "size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}
        # A store that cannot be written (a shared, read-only one) only costs the time to hash again.
        with contextlib.suppress(OSError):
            write_json(self._file(path), entry)

    def _file(self, path: Path) -> Path:
        return self._folder / f"{path.name}.verified.json"

    def _entry(self, path: Path) -> dict[str, object] | None:
        entry = read_json(self._file(path))
        # The hub keeps each revision at a path of its own: what was true of one says nothing about another.
        if entry is None or entry.get("path") != str(path) or not {"size", "mtime_ns", "sha256"} <= entry.keys():
            return None
        return entry


def read_json(path: Path) -> dict[str, object] | None:
    """A JSON object from a file of ours; None if it is missing or damaged, for all of them can be made anew."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: dict[str, object]) -> None:
    """Write a JSON object so that a reader sees the old one or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    aside.write_text(json.dumps(value, indent=1), encoding="utf-8")
    aside.replace(path)
