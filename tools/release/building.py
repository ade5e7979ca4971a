"""What a release consists of, each the same from the same source: wheel, sdist, extension, plugin, lock file."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.editors import npm, pypi
from tools.editors.fetching import run
from tools.release.archives import write_tar


def build(source: Path, out: Path, version: str, epoch: int, cache: Path) -> None:
    """Build everything into a folder.

    Args:
        source: the files of a commit.
        out: where to; it is created.
        version: the release's.
        epoch: the time that goes into archives, in seconds since 1970.
        cache: where ``tools.editors`` keeps the Node.js that it fetched.

    Raises:
        NotHereError: a tool failed or could not be fetched; with the end of what it said.
    """
    out.mkdir(parents=True)
    environ = surroundings(os.environ, epoch)
    python_packages(source, out, environ)
    vscode_extension(source, out / f"shardlight-{version}.vsix", environ, cache)
    neovim_plugin(source, out / f"shardlight.nvim-{version}.tar.gz", epoch)
    shutil.copyfile(source / "requirements" / "release.txt", out / f"requirements-{version}.txt")


def surroundings(environ: Mapping[str, str], epoch: int) -> dict[str, str]:
    """The environment of what is built: a zip file's times are local ones, so the time zone counts, too."""
    return {**environ, "SOURCE_DATE_EPOCH": str(epoch), "TZ": "UTC", "LC_ALL": "C.UTF-8"}


def python_packages(source: Path, out: Path, environ: Mapping[str, str]) -> None:
    """The sdist, and the wheel made from it, by the build tools that are locked."""
    command = ["-m", "uv", "build", "--no-config", "--no-create-gitignore", "--quiet", "--python", sys.executable]
    locked = ["--build-constraints", str(source / "requirements" / "build.txt"), "--require-hashes"]
    run(sys.executable, *command, *locked, "--out-dir", str(out), str(source), environment=environ)


def vscode_extension(source: Path, path: Path, environ: Mapping[str, str], cache: Path) -> None:
    """The ``.vsix``, by the modules of its lock file."""
    package = source / "editors" / "vscode"
    npm.modules(cache, package)
    node = pypi.node(cache)
    environ = {**environ, "PATH": os.pathsep.join([str(node), environ["PATH"]])}
    run(str(node / "npm"), "run", "package", cwd=package, environment=environ)
    (package / "shardlight.vsix").rename(path)


def neovim_plugin(source: Path, path: Path, epoch: int) -> None:
    """The plugin as Neovim's packages are laid out, in a folder of its name."""
    plugin = source / "editors" / "neovim"
    files = {file.relative_to(plugin).as_posix(): file for file in plugin.rglob("*") if file.is_file()}
    files["LICENSE"] = source / "LICENSE"
    write_tar(path, {f"shardlight.nvim/{name}": file for name, file in files.items()}, epoch)
