"""Install what a lock file names, by its hashes, into an environment without pip; llama.cpp is compiled once for all.

llama-cpp-python is published as source alone. Its archive is checked by the hash in the lock file when it is compiled;
what comes of that differs from machine to machine, so no lock file can name it. Each environment is then installed from
a copy of the lock file in which the hash of this one compiled wheel stands instead.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from pathlib import Path

from tools.editors.fetching import complete, run
from tools.llama_build import cmake_args_here
from tools.release.archives import sha256

_LLAMA = re.compile(r"^(llama-cpp-python==\S+) \\\n(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", re.MULTILINE)


def llama_wheel(lock: str, caches: Path) -> Path:
    """llama-cpp-python compiled for this machine, from the source that a lock file names; kept in a cache.

    The wheel is of no Python version: it brings a library that is loaded by ctypes.

    Args:
        lock: the text of a lock file.
        caches: where compiled wheels are kept, apart by source and by the flags that they were compiled with.

    Raises:
        NotHereError: it could not be fetched or compiled; with the end of what was said.
    """
    line, flags = _llama_line(lock), cmake_args_here(os.environ)
    kind = hashlib.sha256(f"{line}{flags}".encode()).hexdigest()[:12]
    place = caches / f"llama-{kind}"
    with complete(place, line + flags) as missing:
        if missing:
            (place / "source.txt").write_text(line, encoding="utf-8")
            # pip's own cache knows nothing of the flags.
            words = ["wheel", "--no-cache-dir", "--no-deps", "--require-hashes", "--wheel-dir", str(place)]
            _pip([*words, "--requirement", str(place / "source.txt")], {"CMAKE_ARGS": flags})
    return next(place.glob("*.whl"))


def naming(lock: str, wheel: Path) -> str:
    """A lock file's text, with a compiled wheel's hash in the place of its source's."""
    return lock.replace(_llama_line(lock), f"{_found(lock)[1]} \\\n    --hash=sha256:{sha256(wheel)}\n")


def install_locked(python: Path, lock: Path, wheel: Path, folder: Path) -> None:
    """Install what a lock file names into the environment of an interpreter.

    Args:
        python: the environment's.
        lock: the lock file.
        wheel: the compiled llama-cpp-python.
        folder: where the copy of the lock file goes.

    Raises:
        NotHereError: it failed; with the end of what pip said.
    """
    copy = folder / f"{lock.stem}-here.txt"
    copy.write_text(naming(lock.read_text(encoding="utf-8"), wheel), encoding="utf-8")
    where = ["--find-links", str(wheel.parent), "--requirement", str(copy)]
    _pip(["--python", str(python), "install", "--require-hashes", *where])


def install_wheel(python: Path, wheel: Path) -> None:
    """Install a wheel and nothing else, and have pip look whether all that it needs is there.

    Raises:
        NotHereError: something is missing; with the end of what pip said.
    """
    _pip(["--python", str(python), "install", "--no-index", "--no-deps", str(wheel)])
    _pip(["--python", str(python), "check"])


def _found(lock: str) -> re.Match[str]:
    found = _LLAMA.search(lock)
    if found is None:
        raise ValueError("The lock file names no llama-cpp-python with a hash.")
    return found


def _llama_line(lock: str) -> str:
    return _found(lock)[0]


def _pip(words: list[str], variables: dict[str, str] | None = None) -> None:
    command = ["-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    run(sys.executable, *command, environment={**os.environ, **(variables or {})})
