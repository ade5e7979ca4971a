"""What a machine must bring along before anything can be set up, and how to get it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

MINIMUM_PYTHON = (3, 10)

_PYTHON_HELP = {
    "Linux": ("Debian, Ubuntu:  sudo apt install python3 python3-venv", "Fedora, RHEL:    sudo dnf install python3"),
    "Darwin": ("macOS:    brew install python@3.12",),
    "Windows": ("Windows:  winget install Python.Python.3.12",),
}
_VENV_HELP = {
    "Linux": (
        "Debian, Ubuntu:  sudo apt install python3-venv",
        "Fedora, RHEL:    sudo dnf install python3 python3-pip",
    ),
    "Darwin": ("macOS:    brew reinstall python@3.12",),
    "Windows": ("Windows:  winget install --force Python.Python.3.12",),
}
_COMPILER_HELP = {
    "Linux": ("Debian, Ubuntu:  sudo apt install g++", "Fedora, RHEL:    sudo dnf install gcc-c++"),
    "Darwin": ("macOS:    xcode-select --install",),
    "Windows": (
        "Windows:  winget install Microsoft.VisualStudio.2022.BuildTools, and in its installer",
        "          choose the workload 'Desktop development with C++'",
    ),
}


@dataclass(frozen=True)
class Missing:
    """One thing that is not there: a sentence, and the commands that bring it, one for each kind of system."""

    what: str
    remedies: tuple[str, ...]


@dataclass(frozen=True)
class Machine:
    """What the checks ask about; a value, so that tests can describe machines that are not here."""

    system: str
    python: tuple[int, int]
    environ: Mapping[str, str]
    has_module: Callable[[str], bool]
    which: Callable[[str], str | None]
    succeeds: Callable[[list[str]], bool]

    @classmethod
    def here(cls) -> Machine:
        """The machine that this runs on."""
        return cls(
            system=platform.system(),
            python=(sys.version_info[0], sys.version_info[1]),
            environ=os.environ,
            has_module=lambda name: importlib.util.find_spec(name) is not None,
            which=shutil.which,
            succeeds=_succeeds,
        )


def find_missing(machine: Machine, *, venv: bool, compiler: bool) -> list[Missing]:
    """What has to be installed by hand first.

    Args:
        machine: where to look.
        venv: whether an environment has to be created.
        compiler: whether llama.cpp has to be compiled.
    """
    missing = []
    if machine.python < MINIMUM_PYTHON:
        found = ".".join(map(str, machine.python))
        wanted = ".".join(map(str, MINIMUM_PYTHON))
        missing.append(
            Missing(
                f"Python {wanted} or newer is needed; this is Python {found}.",
                (*_PYTHON_HELP.get(machine.system, ()), "If a newer one is there:  make PYTHON=python3.12 ..."),
            )
        )
    if venv and not (machine.has_module("venv") and machine.has_module("ensurepip")):
        missing.append(
            Missing(
                "Python's venv and ensurepip modules are missing; some systems package them apart from Python.",
                _VENV_HELP.get(machine.system, ()),
            )
        )
    if compiler and not has_compiler(machine):
        missing.append(
            Missing(
                "A C and C++ compiler is missing; llama.cpp is compiled for this machine once.",
                _COMPILER_HELP.get(machine.system, ()),
            )
        )
    return missing


def has_compiler(machine: Machine) -> bool:
    """Whether CMake will find a C and a C++ compiler."""
    if machine.system == "Windows":
        program_files = machine.environ.get("ProgramFiles(x86)", "")
        vswhere = Path(program_files) / "Microsoft Visual Studio" / "Installer" / "vswhere.exe"
        return machine.which("cl") is not None or vswhere.exists()
    if machine.system == "Darwin" and "CXX" not in machine.environ:
        # /usr/bin/c++ is always there; without the command line tools it only offers to install them.
        return machine.succeeds(["/usr/bin/xcode-select", "-p"])
    c = (machine.environ["CC"],) if machine.environ.get("CC") else ("cc", "gcc", "clang")
    cxx = (machine.environ["CXX"],) if machine.environ.get("CXX") else ("c++", "g++", "clang++")
    return all(any(machine.which(name.split()[0]) for name in names) for names in (c, cxx))


def _succeeds(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False
