"""The programs that the environment names: without one there is nothing to test with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def named(variable: str) -> Path | None:
    """What an environment variable names. To be read when a module is loaded: no test meets the user's variables."""
    value = os.environ.get(variable)
    return Path(value) if value else None


def program(variable: str, path: Path | None) -> str:
    """The program that a variable named; the test is skipped without one, and fails where it cannot be run."""
    if path is None:
        pytest.skip(f"{variable} is not set")
    if not shutil.which(path):
        pytest.fail(f"{variable} is {path}, which cannot be run")
    return str(path)
