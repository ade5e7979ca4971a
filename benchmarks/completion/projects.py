"""The code with the holes: published packages with their own tests, and a part of the standard library with its tests.

Pinned source distributions, fetched with pip once; the standard library is that of the Python that runs this.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

# Found before the measures get a home of their own.
_CACHE = user_cache_path("shardlight", appauthor=False) / "benchmarks" / "completion"
_STDLIB = "stdlib"
_MODULES = (
    *("calendar", "colorsys", "configparser", "difflib", "fnmatch", "fractions"),
    *("ipaddress", "reprlib", "shlex", "string", "textwrap"),
)
_LEFT_OUT = ("docs", "doc", "examples", "benchmark", "benchmarks", "requirements", "dev")


@dataclass(frozen=True, slots=True)
class Project:
    """Some code and its tests, as a folder.

    Attributes:
        version: of the source distribution; empty for the standard library.
        sources: the folder with the code; files of tests in it do not count.
        tests: where its tests are; empty if they are not run.
        path: what has to be on Python's path.
    """

    name: str
    version: str
    sources: str
    tests: str
    path: str = "."

    @property
    def root(self) -> Path:
        """The folder, which is the workspace that an editor opens."""
        return cache() / "projects" / f"{self.name}-{self.version or sys.version.split()[0]}"

    def files(self) -> list[str]:
        """Its source files, relative to the root, in order."""
        found = (path.relative_to(self.root).as_posix() for path in (self.root / self.sources).rglob("*.py"))
        return sorted(path for path in found if not _is_test(path))

    def read(self, path: str) -> str:
        """A file's text."""
        return (self.root / path).read_text(encoding="utf-8")


PROJECTS = (
    Project("boltons", "26.2.0", "boltons", "tests"),
    Project("cachetools", "8.0.2", "src/cachetools", "tests", "src"),
    Project("click", "8.5.1", "src/click", "tests", "src"),
    Project("itsdangerous", "2.2.0", "src/itsdangerous", "tests", "src"),
    Project("jinja2", "3.1.6", "src/jinja2", "tests", "src"),
    Project("mistune", "3.4.0", "src/mistune", "tests", "src"),
    Project("sqlparse", "0.6.1", "sqlparse", "tests"),
    Project("tabulate", "0.10.0", "tabulate", "test"),
    Project("toolz", "1.2.0", "toolz", "toolz/tests"),
    Project(_STDLIB, "", ".", "test"),
)
CROSS_FILE = (
    *(project for project in PROJECTS if project.name in {"click", "itsdangerous", "jinja2", "mistune", "sqlparse"}),
    Project("packaging", "26.3", "src/packaging", "", "src"),
    Project("pyparsing", "3.3.3", "pyparsing", ""),
    Project("werkzeug", "3.1.9", "src/werkzeug", "", "src"),
)


def cache() -> Path:
    """Where everything that can be made again is kept."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    return _CACHE


def lay_out(project: Project) -> None:
    """Put the project's folder there, if it is not.

    Raises:
        RuntimeError: pip could not fetch it, or this Python came without its tests.
    """
    if project.root.is_dir():
        return
    project.root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=project.root.parent) as folder:
        made = _standard_library(Path(folder)) if project.name == _STDLIB else _fetched(project, Path(folder))
        made.rename(project.root)


def _fetched(project: Project, folder: Path) -> Path:
    print(f"fetching {project.name} {project.version} …", file=sys.stderr)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
    done = subprocess.run(
        [*command, "--dest", str(folder), f"{project.name}=={project.version}"], capture_output=True, text=True
    )
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        raise RuntimeError(f"pip did not fetch {project.name} {project.version}: {done.stderr.strip()[-300:]}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder / "out", filter="data")
    (made,) = (folder / "out").iterdir()
    for name in _LEFT_OUT:
        shutil.rmtree(made / name, ignore_errors=True)
    return made


def _standard_library(folder: Path) -> Path:
    made = folder / _STDLIB
    tests = importlib.util.find_spec("test.support")
    if tests is None or tests.origin is None:
        raise RuntimeError(f"{sys.executable} came without the standard library's tests.")
    support = Path(tests.origin).parent
    shutil.copytree(support, made / "test" / "support", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(support.parent / "__init__.py", made / "test")
    for name in _MODULES:
        shutil.copy(support.parent.parent / f"{name}.py", made)
        shutil.copy(support.parent / f"test_{name}.py", made / "test")
    return made


def _is_test(path: str) -> bool:
    parts = path.split("/")
    return any(part in {"test", "tests"} for part in parts) or parts[-1].startswith(("test_", "conftest"))


def named(projects: tuple[Project, ...]) -> dict[str, Project]:
    """Laid out, by name."""
    return dict(_laid_out(projects))


def _laid_out(projects: tuple[Project, ...]) -> Iterator[tuple[str, Project]]:
    for project in projects:
        lay_out(project)
        yield project.name, project
