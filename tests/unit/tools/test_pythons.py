"""Pythons are found where they usually are, and only those that start count."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools import pythons

HERE = f"{sys.version_info[0]}.{sys.version_info[1]}"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are shell scripts")


def interpreter(path: Path, version: str) -> Path:
    """A program that says what a Python of some version would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_the_python_that_runs_this_is_found_outside_its_environment() -> None:
    found = pythons.find((HERE,), {})
    assert pythons.says(found[HERE]) == HERE
    assert found[HERE] == Path(getattr(sys, "_base_executable", sys.executable))


def test_on_the_path_only_what_starts_counts(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    interpreter(broken / "python3.77", "3.77").write_text("#!/nowhere\n", encoding="utf-8")
    shim = interpreter(tmp_path / "shims" / "python3.77", "3.77")
    good = interpreter(tmp_path / "good" / "python3.77", "3.77")
    path = ":".join(str(place) for place in (broken, shim.parent, good.parent))
    environ = {"PATH": path, "PYENV_ROOT": str(tmp_path), "UV_PYTHON_INSTALL_DIR": str(tmp_path)}
    assert pythons.find(("3.77", "3.78"), environ) == {"3.77": good}


def test_of_pyenv_the_newest_patch_release_is_taken(tmp_path: Path) -> None:
    for patch in (9, 10):
        interpreter(tmp_path / "versions" / f"3.77.{patch}" / "bin" / "python3", "3.77")
    environ = {"PYENV_ROOT": str(tmp_path), "UV_PYTHON_INSTALL_DIR": str(tmp_path)}
    assert pythons.find(("3.77",), environ) == {"3.77": tmp_path / "versions" / "3.77.10" / "bin" / "python3"}


def test_of_uv_there_are_long_names(tmp_path: Path) -> None:
    python = interpreter(tmp_path / "cpython-3.77.1-linux-x86_64-gnu" / "bin" / "python3", "3.77")
    environ = {"PYENV_ROOT": str(tmp_path), "UV_PYTHON_INSTALL_DIR": str(tmp_path)}
    assert pythons.find(("3.77",), environ) == {"3.77": python}


def test_a_program_that_is_of_another_version_is_not_taken(tmp_path: Path) -> None:
    interpreter(tmp_path / "python3.77", "3.78")
    environ = {"PATH": str(tmp_path), "PYENV_ROOT": str(tmp_path), "UV_PYTHON_INSTALL_DIR": str(tmp_path)}
    assert pythons.find(("3.77",), environ) == {}
