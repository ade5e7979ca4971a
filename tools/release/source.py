"""What a release is made from: the files of the commit, copied, since a checkout holds more than it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def commit(root: Path) -> str:
    """The commit that is checked out."""
    return _git(root, "rev-parse", "HEAD").strip()


def epoch(root: Path) -> int:
    """When that commit was made, in seconds since 1970: the time that all files of a release have."""
    return int(_git(root, "log", "-1", "--format=%ct"))


def uncommitted(root: Path) -> list[str]:
    """What the commit does not have as it is on disk: paths, files that git does not know among them."""
    status = _git(root, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    return [entry[3:] for entry in status.split("\0") if entry]


def export(root: Path, folder: Path) -> None:
    """Copy the files of a checkout, as they are on disk, without what git ignores.

    Permissions are those that git knows, whatever the umask here says.
    """
    for relative in _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        path = root / relative
        if not relative or not path.is_file():
            continue
        target = folder / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        target.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, encoding="utf-8", check=True)  # noqa: S607
    return done.stdout
