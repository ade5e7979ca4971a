"""The version: it is written in one place, from which all else that names it is generated."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tools.release.errors import ReleaseError

_PLACE = "lsp_server/__init__.py"
_LINE = re.compile(r'^__version__ = "(.*)"$', re.MULTILINE)
# What both PyPI and VS Code's marketplace take.
_FORM = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)")


class VersionError(ReleaseError):
    """A version cannot be taken; says why."""


def read(root: Path) -> str:
    """The version of a checkout."""
    found = _LINE.search((root / _PLACE).read_text(encoding="utf-8"))
    if found is None:
        raise VersionError(f'{_PLACE} has no line __version__ = "…".')
    return found[1]


def write(root: Path, version: str) -> None:
    """Write a new version where it stands.

    Raises:
        VersionError: it is not of the form 1.2.3, or not above the one before.
    """
    if not _FORM.fullmatch(version):
        raise VersionError(f"{version}: a version has the form 1.2.3.")
    before = read(root)
    if _parts(version) < _parts(before):
        raise VersionError(f"{version} is below {before}.")
    path = root / _PLACE
    text = _LINE.sub(f'__version__ = "{version}"', path.read_text(encoding="utf-8"))
    path.write_text(text, encoding="utf-8")


def changelog(root: Path, version: str, *, draft: bool) -> str:
    """Put the fragments into CHANGELOG.md and remove them, or only say what would stand there.

    Raises:
        VersionError: towncrier did not take a fragment.
    """
    command = [sys.executable, "-m", "towncrier", "build", "--version", version, "--draft" if draft else "--yes"]
    done = subprocess.run(command, cwd=root, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise VersionError(f"The changelog cannot be made: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
