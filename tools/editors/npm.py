"""What comes from npm's registry. Install scripts are never run: they would fetch from elsewhere, or compile."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from tools.editors import pypi
from tools.editors.fetching import NotHereError, complete, run

CODE_SERVER = "code-server@4.139.1"


def code_server(folder: Path) -> Path:
    """VS Code for a browser."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise NotHereError("code-server is set up on Linux on x86-64 only")
    place = folder / "code-server"
    with complete(place, CODE_SERVER) as missing:
        if missing:
            (place / "package.json").write_text('{"private": true}\n', encoding="utf-8")
            _npm(folder, "install", CODE_SERVER, cwd=place)
            # VS Code's own packages, which its install script would fetch.
            inside = place / "node_modules" / "code-server" / "lib" / "vscode"
            _npm(folder, "install", "--omit=dev", cwd=inside)
    return place / "node_modules" / ".bin" / "code-server"


def modules(folder: Path, package: Path) -> Path:
    """The modules of a package of this repository, as its lock file has them."""
    installed = package / "node_modules" / ".package-lock.json"
    lock = package / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        _npm(folder, "ci", cwd=package)
    return installed.parent


def _npm(folder: Path, *arguments: str, cwd: Path) -> None:
    node = pypi.node(folder)
    environment = {**os.environ, "PATH": os.pathsep.join([str(node), os.environ["PATH"]])}
    run(str(node / "npm"), *arguments, "--ignore-scripts", "--no-audit", "--no-fund", cwd=cwd, environment=environment)
