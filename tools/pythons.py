"""The Pythons of this machine that a release is tried on: on the PATH, of pyenv, of uv.

``python -m tools.pythons`` lists them. Nothing is fetched: a version that is not here is named as not tried.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools.lock import PYTHONS


def find(versions: tuple[str, ...] = PYTHONS, environ: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """The interpreters that are here and start: version -> program; versions that are not are left out."""
    found = {}
    for version in versions:
        for candidate in _candidates(version, environ):
            if says(candidate) == version:
                found[version] = candidate
                break
    return found


def says(python: Path) -> str | None:
    """The version of a program that should be a Python, as in ``3.12``; None if it does not start as one."""
    command = [str(python), "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _candidates(version: str, environ: Mapping[str, str]) -> Iterator[Path]:
    # What an environment was made from: a link into one would bring its packages along.
    own = Path(getattr(sys, "_base_executable", sys.executable))
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        yield own
    for place in filter(None, environ.get("PATH", "").split(os.pathsep)):
        for name in (f"python{version}", f"python{version}.exe"):
            # pyenv's shims start nothing until pyenv is told a version; it may be told here and not elsewhere.
            if (path := Path(place, name)).is_file() and path.parent.name != "shims":
                yield path
    homes = [Path(environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")]
    homes.append(Path(environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local" / "share" / "uv" / "python"))
    for home in homes:
        for pattern in (f"{version}.*", f"cpython-{version}.*"):
            for folder in sorted(home.glob(pattern), key=_patch, reverse=True):
                yield from (path for path in (folder / "bin" / "python3", folder / "python.exe") if path.is_file())


def _patch(folder: Path) -> tuple[int, ...]:
    """Of several patch releases the newest comes first: what a folder's name counts by."""
    number = folder.name.removeprefix("cpython-").split("-")[0]
    return tuple(int(part) for part in number.split(".") if part.isdigit())


def main() -> int:
    """Returns 0."""
    found = find()
    for version in PYTHONS:
        print(f"{version}  {found.get(version, 'not here')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
