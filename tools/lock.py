"""Write the lock files in ``requirements/``: every version, and the hash of every file that an index has of it.

``python -m tools.lock`` keeps the versions that are locked and adds what is new in pyproject.toml; ``--upgrade`` takes
the newest. One file serves all platforms and Python versions, by markers. ``LOCKS`` says what they are for.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.llama_build import LLAMA_CPP_PYTHON

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
FOLDER = "requirements"
LOCKS = {
    "release": "what a release needs to run",
    "dev": "that, and what tests and checks it",
    "build": "what makes wheel and sdist, and compiles llama.cpp",
}
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
"""The versions of Python that a release is tried on; the lock files serve newer ones, too."""

# What llama-cpp-python's own pyproject.toml asks for, and the programs that its build takes where the system has none.
_COMPILING = ("scikit-build-core[pyproject]>=0.9.2", "cmake>=3.21", "ninja>=1.5")
_PLATFORMS = ("linux", "darwin", "win32")


class Pin(NamedTuple):
    """One version in a lock file.

    Attributes:
        name: in its canonical spelling.
        version: the version.
        requirement: the same with its marker, as pip reads it.
        hashes: ``sha256:…`` of each of its files.
    """

    name: str
    version: str
    requirement: Requirement
    hashes: tuple[str, ...]

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Whether it is installed in an environment, given by the variables of markers."""
        return self.requirement.marker is None or self.requirement.marker.evaluate(dict(environment))


def read(text: str) -> list[Pin]:
    """The pins of a lock file.

    Raises:
        ValueError: a line names no one version.
    """
    pins = []
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if not line or line.lstrip().startswith("#"):
            continue
        wanted, *hashes = (part.strip() for part in line.split("--hash="))
        requirement = Requirement(wanted)
        exact = [one.version for one in requirement.specifier if one.operator == "=="]
        if len(exact) != 1:
            raise ValueError(f"{wanted}: a lock file has one version of each package, as in name==1.2.3")
        pins.append(Pin(canonicalize_name(requirement.name), exact[0], requirement, tuple(hashes)))
    return pins


def path(lock: str) -> Path:
    """Where a lock file is."""
    return ROOT / FOLDER / f"{lock}.txt"


def requirements(pyproject: Mapping[str, object], lock: str) -> list[Requirement]:
    """What a lock file is made from."""
    project, build = pyproject["project"], pyproject["build-system"]
    assert isinstance(project, dict)  # noqa: S101 - the standard's form, which the build itself checks
    assert isinstance(build, dict)  # noqa: S101
    extras = project["optional-dependencies"]
    wanted = {
        "release": project["dependencies"],
        "dev": [*project["dependencies"], *extras["dev"], *extras["bench"]],
        "build": [*build["requires"], *_COMPILING],
    }[lock]
    return [Requirement(one) for one in wanted]


def environments() -> Iterator[dict[str, str]]:
    """The variables of markers on each Python version and platform that a release is for."""
    here = {name: str(value) for name, value in default_environment().items()}
    for python in PYTHONS:
        for platform in _PLATFORMS:
            yield {**here, "python_version": python, "python_full_version": f"{python}.0", "sys_platform": platform}


def disagreements(wanted: Iterable[Requirement], pins: Iterable[Pin]) -> list[str]:
    """What a lock file lacks, has twice, or has in a version that is not wanted; a sentence each."""
    found = [f"{pin.name}=={pin.version} has no hash" for pin in pins if not pin.hashes]
    wanted, pins = list(wanted), list(pins)
    for environment in environments():
        place = f"on Python {environment['python_version']} ({environment['sys_platform']})"
        versions: dict[str, list[str]] = {}
        for pin in pins:
            if pin.applies(environment):
                versions.setdefault(pin.name, []).append(pin.version)
        found += [f"{name} is there {len(of)} times {place}" for name, of in versions.items() if len(of) > 1]
        for one in wanted:
            if one.marker and not one.marker.evaluate(environment):
                continue
            of = versions.get(canonicalize_name(one.name), [])
            if not of:
                found.append(f"{one.name} is missing {place}")
            elif not one.specifier.contains(of[0], prereleases=True):
                found.append(f"{one.name}=={of[0]} is not {one.specifier} {place}")
    return found


def pyproject() -> dict[str, object]:
    """The project's own."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def compile_lock(lock: str, *, upgrade: bool) -> None:
    """Write one lock file.

    Raises:
        subprocess.CalledProcessError: uv found no versions that fit each other, or reached no index.
    """
    with tempfile.TemporaryDirectory() as folder:
        inputs, constraints = Path(folder, f"{lock}.in"), Path(folder, "constraints.txt")
        inputs.write_text("".join(f"{one}\n" for one in requirements(pyproject(), lock)), encoding="utf-8")
        # The version that is built and tested here; and the tools stand beside what a release has, not newer ones.
        fixed = f"llama-cpp-python=={LLAMA_CPP_PYTHON}\n"
        others = [] if lock == "release" else ["--constraints", str(path("release"))]
        constraints.write_text(fixed, encoding="utf-8")
        command = [sys.executable, "-m", "uv", "pip", "compile", "--no-config", "--universal", "--generate-hashes"]
        # No host and no folder of this machine is written down.
        command += ["--no-emit-index-url", "--no-annotate", "--custom-compile-command", "make lock"]
        command += ["--python-version", PYTHONS[0], "--constraints", str(constraints), *others]
        command += ["--quiet", "--output-file", str(path(lock)), str(inputs), *(["--upgrade"] if upgrade else [])]
        subprocess.run(command, cwd=ROOT, check=True)


def main(arguments: list[str] | None = None) -> int:
    """Returns 0, or 1 where a file could not be written or does not agree with pyproject.toml."""
    parser = argparse.ArgumentParser(prog="python -m tools.lock", description="Write the lock files.")
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions, not those that are locked")
    options = parser.parse_args(arguments)
    (ROOT / FOLDER).mkdir(exist_ok=True)
    for lock, purpose in LOCKS.items():
        try:
            compile_lock(lock, upgrade=options.upgrade)
        except subprocess.CalledProcessError:
            print(f"{FOLDER}/{lock}.txt was not written: uv says above why.", file=sys.stderr)
            return 1
        pins = read(path(lock).read_text(encoding="utf-8"))
        wrong = disagreements(requirements(pyproject(), lock), pins)
        files = sum(len(pin.hashes) for pin in pins)
        print(f"{FOLDER}/{lock}.txt: {purpose}; {len(pins)} versions, {files} files")
        if wrong:
            print("\n".join(wrong), file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
