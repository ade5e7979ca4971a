"""What all sources share: programs that are run, and folders that count once they are complete."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path


class NotHereError(Exception):
    """Something cannot be had on this machine; says why."""


def run(program: str, *arguments: str, cwd: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
    """Run a program; what it says is shown only if it fails.

    Raises:
        NotHereError: it failed; with the end of what it said.
    """
    done = subprocess.run([program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHereError(f"{program} {arguments[0]}: {(done.stderr or done.stdout).strip()[-300:]}")


def cache_folder(name: str) -> Path:
    """Where what was fetched is kept: a folder of ours in the user's cache."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shardlight" / name


@contextmanager
def complete(place: Path, wanted: str) -> Iterator[bool]:
    """Whether a folder has to be filled with what is wanted (a version, a list of packages).

    It counts as complete once that went well; what was left half done, or is of another version, goes.
    """
    mark = place / ".complete"
    missing = not mark.is_file() or mark.read_text(encoding="utf-8") != wanted
    if missing:
        print(f"fetching {place.name} …", file=sys.stderr)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    yield missing
    mark.write_text(wanted, encoding="utf-8")


def write_program(path: Path, words: list[str], variables: Mapping[str, str] | None = None) -> None:
    """Write a shell script that becomes a program with some arguments and variables."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in (variables or {}).items()]
    path.write_text("\n".join(["#!/bin/sh", *lines, f'exec {shlex.join(words)} "$@"', ""]), encoding="utf-8")
    path.chmod(0o755)
