"""The files of a workspace folder, for those who look for some of them.

All paths are relative to the workspace folder, with forward slashes.
"""

from __future__ import annotations

import ntpath
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from lsp_server.context.index.links import led_to
from lsp_server.context.workspace import is_secret


class FileTree(Protocol):
    """The files of a workspace folder."""

    def has(self, path: str) -> bool:
        """Whether there is such a file."""

    def named(self, name: str) -> Iterable[str]:
        """All files of a name, in whatever folders."""

    def inside(self, folder: str) -> Iterable[str]:
        """The files right in a folder; ``""`` is the workspace folder."""

    def read(self, path: str) -> str | None:
        """The text of a file; None if it cannot be had."""


class DiskTree:
    """A `FileTree` of what is on disk, without a look into every folder: it finds no file by its name alone.

    Nothing that is secret, or that a link has elsewhere, is there.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, path: str) -> bool:
        """See `FileTree`."""
        if _leads_out(path) or not (self._root / path).is_file():
            return False
        place = led_to(self._root / path, self._root)
        return place is not None and not is_secret(place)

    def named(self, name: str) -> Iterable[str]:
        """None."""
        return ()

    def inside(self, folder: str) -> Iterable[str]:
        """See `FileTree`."""
        if _leads_out(folder):
            return ()
        try:
            names = sorted(path.name for path in (self._root / folder).iterdir())
        except (OSError, ValueError):
            return ()
        return filter(self.has, (posixpath.join(folder, name) for name in names))

    def read(self, path: str) -> str | None:
        """See `FileTree`."""
        try:
            return (self._root / path).read_text(encoding="utf-8") if self.has(path) else None
        except (OSError, UnicodeDecodeError):
            return None


def _leads_out(path: str) -> bool:
    # On Windows a backslash separates, too, and to ask for a file on a share is to tell its owner who asks.
    foreign = "\\" in path or ntpath.splitdrive(path)[0]
    return bool(foreign) or posixpath.isabs(path) or posixpath.normpath(path).split("/")[0] == ".."
