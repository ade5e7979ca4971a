"""Which files of a workspace folder are left alone: ignored by git, of tools and not of people, excluded, secret."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pathspec import GitIgnoreSpec

from lsp_server.context.index.links import is_link, leads_elsewhere, led_to
from lsp_server.context.workspace import is_secret

# Never looked into: what is in them was fetched or made.
_SKIPPED_FOLDERS = {
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "bower_components",
    "__pycache__",
    "site-packages",
    ".tox",
    ".nox",
    ".eggs",
    ".gradle",
    ".terraform",
    ".next",
    ".nuxt",
    ".svelte-kit",
    ".parcel-cache",
    ".yarn",
    ".cache",
    ".idea",
    ".vs",
    ".hypothesis",
}
# A folder that holds one of these says of itself that it can be made anew: virtual environments, caches, Rust's target.
_MARKERS = ("pyvenv.cfg", "CACHEDIR.TAG")
# What pathspec raises, which makes regular expressions of patterns.
_NO_PATTERN = (ValueError, re.error)


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file as a folder's listing has it; ``path`` is relative to the workspace folder, with forward slashes."""

    path: str
    mtime_ns: int
    size: int


class Exclusions:
    """The rules of one workspace folder, as they are on disk when they are first needed.

    Args:
        root: the workspace folder, absolute. Git's rules of the folders around it, up to the repository's, count too.
        globs: further exclusions, written as in a ``.gitignore``; they win over what git's files re-include.
    """

    def __init__(self, root: Path, globs: Sequence[str] = ()) -> None:
        self._root = root
        self._globs = _spec(globs)
        self._rules: dict[str, GitIgnoreSpec | None] = {}
        self._folders: dict[str, bool] = {"": False}
        self._linked: dict[str, bool] = {"": False}
        self._names: dict[str, frozenset[str]] = {}
        self._above = _rules_above(root)

    def is_excluded(self, path: Path) -> bool:
        """Whether a file, or what it leads to as a link, is left alone; True for what is not in the folder."""
        relative = self._relative(path)
        if relative is None or self._left_out(path, relative):
            return True
        folder, _, name = relative.rpartition("/")
        if not (self._folder_linked(folder) or name == ".." or leads_elsewhere(path)):
            return False
        place = led_to(path, self._root)
        return place is None or self._left_out(place, place.relative_to(self._root).as_posix())

    def walk(self, start: str = "") -> Iterator[FoundFile]:
        """The files below a folder (or the one file ``start``) that are not left alone, by folder, in order of names.

        No link is followed: what it leads to is either in the workspace under its own name, or none of our business.
        A folder that cannot be read counts as empty, and what has a name that is no text is not there.
        """
        if self._folder_linked(start) or not (_is_text(start) and self._is_spelled_so(start)):
            return
        place = self._root / start
        if start and not place.is_dir():
            if place.is_file() and not self._left_out(place, start):
                status = place.stat()
                yield FoundFile(start, status.st_mtime_ns, status.st_size)
            return
        if self._folder_excluded(start):
            return
        waiting = [start]
        while waiting:
            folder = waiting.pop()
            try:
                entries = sorted(os.scandir(self._root / folder), key=lambda entry: entry.name)
            except OSError:
                continue
            folders = []
            for entry in entries:
                if not _is_text(entry.name):
                    continue
                path = f"{folder}/{entry.name}" if folder else entry.name
                try:
                    if entry.is_dir(follow_symlinks=False):
                        if not (is_link(entry.stat(follow_symlinks=False)) or self._folder_excluded(path)):
                            folders.append(path)
                    elif entry.is_file(follow_symlinks=False) and not (
                        is_secret(self._root / path) or self._ignored(path)
                    ):
                        status = entry.stat(follow_symlinks=False)
                        yield FoundFile(path, status.st_mtime_ns, status.st_size)
                except OSError:
                    continue
            waiting += reversed(folders)

    def _relative(self, path: Path) -> str | None:
        # To ask first whether it is takes as long again.
        try:
            return path.relative_to(self._root).as_posix()
        except ValueError:
            return None

    def _left_out(self, path: Path, relative: str) -> bool:
        """Whether a file below the workspace folder is left alone, wherever it leads."""
        return is_secret(path) or self._folder_excluded(relative.rpartition("/")[0]) or self._ignored(relative)

    def _folder_linked(self, folder: str) -> bool:
        """Whether a folder, or one on the way to it, is a link, or leads back."""
        known = self._linked.get(folder)
        if known is None:
            parent, _, name = folder.rpartition("/")
            known = self._folder_linked(parent) or name == ".." or leads_elsewhere(self._root / folder)
            self._linked[folder] = known
        return known

    def _is_spelled_so(self, path: str) -> bool:
        """Whether there is such a path, in this very spelling: some systems find ``Foo.py`` if there is ``foo.py``."""
        if not path:
            return True
        folder, _, name = path.rpartition("/")
        if folder not in self._names:
            try:
                self._names[folder] = frozenset(entry.name for entry in os.scandir(self._root / folder))
            except OSError:
                self._names[folder] = frozenset()
        return name in self._names[folder] and self._is_spelled_so(folder)

    def _folder_excluded(self, folder: str) -> bool:
        known = self._folders.get(folder)
        if known is None:
            parent, _, name = folder.rpartition("/")
            known = self._folders[folder] = (
                self._folder_excluded(parent)
                or name.lower() in _SKIPPED_FOLDERS
                or self._ignored(f"{folder}/")
                or any((self._root / folder / marker).is_file() for marker in _MARKERS)
            )
        return known

    def _ignored(self, path: str) -> bool:
        """Whether a file, or a folder (it ends with a slash), is ignored by itself; its folders are asked before."""
        if self._globs.check_file(path).include:
            return True
        folder = path.rstrip("/")
        while folder:
            folder, _, _ = folder.rpartition("/")
            spec = self._rules_of(folder)
            if spec is not None:
                verdict = spec.check_file(path[len(folder) + 1 if folder else 0 :]).include
                if verdict is not None:
                    return verdict
        for prefix, spec in self._above:
            verdict = spec.check_file(prefix + path).include
            if verdict is not None:
                return verdict
        return False

    def _rules_of(self, folder: str) -> GitIgnoreSpec | None:
        if folder not in self._rules:
            self._rules[folder] = _read(self._root / folder / ".gitignore")
        return self._rules[folder]


def _is_text(name: str) -> bool:
    """Whether a name on disk could be decoded."""
    return name.isascii() or not any("\ud800" <= char <= "\udfff" for char in name)


def _rules_above(root: Path) -> list[tuple[str, GitIgnoreSpec]]:
    """The rules that bind the whole folder, the nearest first, each with what makes a path relative to its place."""
    found: list[tuple[str, GitIgnoreSpec]] = []
    prefix = ""
    for place in (root, *root.parents):
        if place is not root and (spec := _read(place / ".gitignore")):
            found.append((prefix, spec))
        if (place / ".git").exists():
            if spec := _read(place / ".git" / "info" / "exclude"):
                found.append((prefix, spec))
            return found
        prefix = f"{place.name}/{prefix}"
    # Without a repository only the folder's own files say what is ignored.
    return []


def _read(path: Path) -> GitIgnoreSpec | None:
    # Git does not follow such a link either, and it might lead to something without an end.
    if leads_elsewhere(path):
        return None
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return _spec(text.splitlines()) if text.strip() else None


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    """The rules of some lines; a line that is no pattern counts for nothing, as git has it."""
    try:
        return GitIgnoreSpec.from_lines(lines)
    except _NO_PATTERN:
        return GitIgnoreSpec.from_lines([line for line in lines if _is_pattern(line)])


def _is_pattern(line: str) -> bool:
    try:
        GitIgnoreSpec.from_lines([line])
    except _NO_PATTERN:
        return False
    return True
