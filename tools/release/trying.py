"""Try a release in a clean environment of one Python: installed by hashes, used, and tested by the sdist's tests."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from tools import lock
from tools.editors.fetching import run
from tools.release.errors import ReleaseError
from tools.release.installing import install_locked, install_wheel, llama_wheel
from tools.release.smoke import smoke


class Release:
    """What was built.

    Args:
        folder: where it lies.
        version: the release's.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self.version = version
        self.wheel = folder / f"shardlight-{version}-py3-none-any.whl"
        self.sdist = folder / f"shardlight-{version}.tar.gz"
        self.lock = folder / f"requirements-{version}.txt"


class Trial(NamedTuple):
    """How a release is tried, on every Python alike.

    Attributes:
        release: what was built.
        caches: where the compiled llama.cpp is kept.
        model: a small model's file, if there is one.
        tests: which of the sdist's tests are run.
        say: where what was seen goes.
    """

    release: Release
    caches: Path
    model: Path | None
    tests: Sequence[str]
    say: TextIO


def try_out(trial: Trial, python: Path, folder: Path) -> None:
    """Install a release in a new environment, and use it.

    Args:
        trial: what and how.
        python: the interpreter that the environment is made from.
        folder: an empty one, for the environment and what is tried in it.

    Raises:
        NotHereError: something could not be installed.
        ReleaseError: something does not work.
    """
    environment = folder / "environment"
    run(str(python), "-m", "venv", "--without-pip", str(environment))
    scripts = environment / ("Scripts" if os.name == "nt" else "bin")
    own = scripts / ("python.exe" if os.name == "nt" else "python")
    release = trial.release
    llama = llama_wheel(release.lock.read_text(encoding="utf-8"), trial.caches)
    install_locked(own, release.lock, llama, folder)
    install_wheel(own, release.wheel)
    program = scripts / ("shardlight.exe" if os.name == "nt" else "shardlight")
    for line in smoke(program, release.version, trial.model):
        print(f"      {line}", file=trial.say, flush=True)
    print(f"      {own_tests(trial, own, llama, folder)}", file=trial.say, flush=True)


def own_tests(trial: Trial, python: Path, llama: Path, folder: Path) -> str:
    """Run tests that the sdist brings, with the developers' tools that are locked; which, and pytest's last line.

    Raises:
        NotHereError: the tools could not be installed.
        ReleaseError: a test failed.
    """
    shutil.unpack_archive(trial.release.sdist, folder / "sdist")
    source = folder / "sdist" / f"shardlight-{trial.release.version}"
    install_locked(python, source / lock.FOLDER / "dev.txt", llama, folder)
    log = folder / "tests.log"
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SHARDLIGHT_", "PYTHON"))}
    command = [str(python), "-m", "pytest", *trial.tests, "-q", "-m", "not real_model", "-p", "no:cacheprovider"]
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(command, cwd=source, env=environ, stdout=output, stderr=output, check=False)
    last = log.read_text(encoding="utf-8").strip().splitlines()[-1].strip("= ")
    if done.returncode:
        raise ReleaseError(f"The sdist's tests failed: {last}. All of it is in {log}.")
    return f"the sdist's {' '.join(trial.tests)}: {last}"
