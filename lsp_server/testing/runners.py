"""How each framework's tests are run: the command, and who reads what it says."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from platformdirs import user_cache_path

from lsp_server.testing.processes import output_of
from lsp_server.testing.reports import (
    TestRun,
    read_cargo,
    read_go,
    read_jest,
    read_junit,
    read_mocha,
    read_pytest,
    read_tap,
    read_unittest,
)


@dataclass(frozen=True, slots=True)
class Job:
    """Tests to run in a copy.

    Attributes:
        project: the project's own folder, whose programs are used.
        root, folder: the copies of the workspace folder and of the project's.
        test_file: in the copy.
        names: of the tests that matter; with pytest, none for all.
        scratch: a folder for reports, outside the copy.
    """

    project: Path
    root: Path
    folder: Path
    test_file: Path
    names: tuple[str, ...]
    scratch: Path

    def program(self, *names: str) -> str | None:
        """The first of some programs that is on the path."""
        return next((found for name in names if (found := shutil.which(name))), None)

    def module(self, name: str) -> str | None:
        """A program that a JavaScript package has brought, of the project or of a folder above it."""
        suffix = ".cmd" if sys.platform == "win32" else ""
        folders = (self.project, *self.project.parents)
        places = (folder / "node_modules" / ".bin" / f"{name}{suffix}" for folder in folders)
        return next((str(place) for place in places if place.is_file()), None)

    @property
    def any_name(self) -> str:
        """A regular expression for the names."""
        return f"({'|'.join(re.escape(name).replace('/', chr(92) + '/') for name in self.names)})"


@dataclass(frozen=True, slots=True)
class Command:
    """What runs the tests.

    Attributes:
        read: takes what it printed.
        environment: variables that are set, beside those of this process.
        folder: where it is run; None for the project's.
        writes: folders of the machine that it changes, beside the scratch folder.
    """

    arguments: list[str]
    read: Callable[[str], TestRun]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None
    writes: tuple[Path, ...] = ()


_SHELL_PROCESS = Path(__file__).with_name("shell_process.py")
_GUARDED = Path(__file__).with_name("guarded.py")

# How it is run, or why it cannot be.
Runner = Callable[[Job], Awaitable["Command | str"]]


# What a shell is started with: the function's lines come behind it. None where there is no interpreter for it.
Interpreter = Callable[[Job], Awaitable["tuple[list[str], Mapping[str, str]] | None"]]


async def python_interpreter(job: Job) -> tuple[list[str], Mapping[str, str]] | None:
    """The Python that runs the project's tests, and its variables."""
    python = await _python(job.project, "unittest")
    return ([*_guarded(python, job, "alone"), str(_SHELL_PROCESS)], _python_paths(job)) if python else None


async def run_with_pytest(job: Job) -> Command | str:
    """With the project's Python if it has pytest, else with another one that has it."""
    python = await _python(job.project, "pytest")
    if python is None:
        return "no Python with pytest was found (neither .venv in the workspace nor on PATH)."
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(job.root), "-c", os.devnull, "-rA", "--tb=line"]
    tests = [f"{job.test_file}::{name}" for name in job.names] or [str(job.test_file)]
    arguments = [*_guarded(python, job), "pytest", *options, *tests]
    return Command(arguments, read_pytest, _python_paths(job), job.root)


async def run_with_unittest(job: Job) -> Command | str:
    """With the project's Python, else another one."""
    python = await _python(job.project, "unittest")
    if python is None:
        return "no Python was found (neither .venv in the workspace nor on PATH)."
    # By its file alone, for a folder of tests need not be a package.
    found = ["-s", str(job.test_file.parent), "-p", job.test_file.name]
    arguments = [*_guarded(python, job), "unittest", "discover", "-v", *found]
    for name in job.names:
        arguments += ["-k", name]
    return Command(arguments, read_unittest, _python_paths(job), job.root)


def _guarded(python: str, job: Job, programs: str = "with-programs") -> list[str]:
    """What runs a module so that it changes nothing but what is in the scratch folder."""
    return [python, str(_GUARDED), str(job.scratch), programs]


def _python_paths(job: Job) -> dict[str, str]:
    paths = [str(job.root / "src"), str(job.folder / "src"), str(job.root), os.environ.get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, dict.fromkeys(paths))),
        "PYTHONDONTWRITEBYTECODE": "1",
        # Plugins of the environment may write files or talk to services.
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
    }


# (project, module) → the Python that was found; what is not there yet may come.
_PYTHONS: dict[tuple[Path, str], str] = {}


async def _python(project: Path, module: str) -> str | None:
    if known := _PYTHONS.get((project, module)):
        return known
    folder, name = ("Scripts", "python.exe") if sys.platform == "win32" else ("bin", "python")
    places = [above / home / folder / name for above in (project, *project.parents) for home in (".venv", "venv")]
    if active := os.environ.get("VIRTUAL_ENV"):
        places.append(Path(active) / folder / name)
    usable = [str(place) for place in places if place.is_file()]
    for python in [*usable, sys.executable, "python3"]:
        said = await output_of([python, "-c", f"import {module}; print('here')"], cwd=project, timeout_s=20)
        if said is not None and said.strip().endswith("here"):
            _PYTHONS[project, module] = python
            return python
    return None


async def run_with_node(job: Job) -> Command | str:
    """With Node's own runner; TypeScript too, from the release on that takes it as it is."""
    node = job.program("node")
    if node is None:
        return "no Node.js was found on PATH."
    if job.test_file.suffix in (".ts", ".mts", ".cts", ".tsx"):
        said = await output_of([node, "-p", "Boolean(process.features.typescript)"], cwd=job.project, timeout_s=20)
        if (said or "").strip() != "true":
            return "this Node.js does not run TypeScript; from 22.18 on it does."
    arguments = [node, "--test", "--test-reporter=tap", f"--test-name-pattern={job.any_name}", str(job.test_file)]
    return Command(arguments, read_tap)


async def run_with_vitest(job: Job) -> Command | str:
    """With the project's vitest."""
    program = job.module("vitest")
    if program is None:
        return "vitest is not installed in node_modules."
    report = job.scratch / "report.json"
    arguments = [program, "run", "--reporter=json", f"--outputFile={report}", "-t", job.any_name, str(job.test_file)]
    return Command(arguments, lambda output: read_jest(report, output))


async def run_with_jest(job: Job) -> Command | str:
    """With the project's jest."""
    program = job.module("jest")
    if program is None:
        return "jest is not installed in node_modules."
    report = job.scratch / "report.json"
    options = ["--json", f"--outputFile={report}", "--ci", "--coverage=false", "--watchman=false"]
    options += [f"--cacheDirectory={job.scratch / 'jest'}", "-t", job.any_name]
    arguments = [program, *options, "--runTestsByPath", str(job.test_file)]
    return Command(arguments, lambda output: read_jest(report, output))


async def run_with_mocha(job: Job) -> Command | str:
    """With the project's mocha."""
    program = job.module("mocha")
    if program is None:
        return "mocha is not installed in node_modules."
    report = job.scratch / "report.json"
    options = ["--reporter", "json", "--reporter-option", f"output={report}", "--grep", job.any_name]
    arguments = [program, *options, str(job.test_file)]
    return Command(arguments, lambda output: read_mocha(report, output))


async def run_with_go(job: Job) -> Command | str:
    """With the Go of the machine, which fetches nothing."""
    go = job.program("go")
    if go is None:
        return "no Go was found on PATH."
    package = f"./{job.test_file.parent.relative_to(job.folder).as_posix()}"
    arguments = [go, "test", "-json", "-count=1", "-run", f"^{job.any_name}$", package]
    environment = {"GOPROXY": "off", "GOTOOLCHAIN": "local"}
    cache = os.environ.get("GOCACHE") or str(user_cache_path("go-build"))
    return Command(arguments, lambda output: read_go(output, job.test_file.name), environment, writes=(Path(cache),))


async def run_with_cargo(job: Job) -> Command | str:
    """With the Cargo of the machine, which fetches nothing."""
    cargo = job.program("cargo")
    if cargo is None:
        return "no Cargo was found on PATH."
    arguments = [cargo, "test", "--offline", "--no-fail-fast", "--lib", "--bins", "--", *job.names]
    # Built once for all runs of a job.
    environment = {"CARGO_TARGET_DIR": str(job.scratch / "target"), "CARGO_TERM_COLOR": "never", "RUST_BACKTRACE": "0"}
    file = job.test_file.relative_to(job.folder).as_posix()
    return Command(arguments, lambda output: read_cargo(output, file), environment)


async def run_with_jvm_build(job: Job) -> Command | str:
    """With Maven or Gradle, whichever the project has; neither fetches anything."""
    test_class = job.test_file.stem
    if (job.folder / "pom.xml").is_file():
        maven = job.program("mvn")
        if maven is None:
            return "no Maven (mvn) was found on PATH."
        options = ["--offline", "--batch-mode", "--no-transfer-progress", "-Dmaven.test.failure.ignore=true"]
        options += [f"-Dtest={test_class}#{'+'.join(job.names)}", "-Dsurefire.failIfNoSpecifiedTests=false"]
        reports = job.folder / "target" / "surefire-reports"
        return Command([maven, *options, "test"], _junit_reader(reports, job), writes=_java_writes(".m2"))
    gradle = job.program("gradle")
    if gradle is None:
        return "no Gradle was found on PATH."
    options = ["--offline", "--no-daemon", "--console=plain", "--continue"]
    for name in job.names:
        options += ["--tests", f"{test_class}.{name}"]
    reader = _junit_reader(job.folder / "build" / "test-results" / "test", job)
    return Command([gradle, "test", *options], reader, writes=_java_writes(".gradle"))


def _java_writes(cache: str) -> tuple[Path, ...]:
    """Where a build of Java's keeps its locks, and the folder for temporary files, which Java asks nobody for."""
    return Path.home() / cache, Path(tempfile.gettempdir())


def _junit_reader(reports: Path, job: Job) -> Callable[[str], TestRun]:
    shutil.rmtree(reports, ignore_errors=True)
    return lambda output: read_junit(reports, output, job.test_file.name)
