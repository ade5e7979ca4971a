"""The project that a file belongs to, as far as its tests are concerned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsp_server.context.workspace import Workspace

# The file that says where a project begins.
_MARKS: dict[str, tuple[str, ...]] = {
    "python": ("pyproject.toml", "setup.py", "setup.cfg"),
    "go": ("go.mod",),
    "rust": ("Cargo.toml",),
    "java": ("pom.xml", "build.gradle", "build.gradle.kts"),
    "ruby": ("Gemfile",),
    "php": ("composer.json",),
}
_ECMASCRIPT_MARKS = ("package.json",)
# Where a Python project says what it needs.
_REQUIREMENTS = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "Pipfile")


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with a file that makes it a project of its language, or the workspace folder.

    Attributes:
        root: the workspace folder.
        folder: the project's; ``root`` or below it.
        workspace: reads its files.
    """

    root: Path
    folder: Path
    workspace: Workspace

    def module(self, path: Path) -> str:
        """Dotted name of a Python file from the source root: the workspace's ``src`` if it is in it, else that."""
        base = self.root / "src" if path.is_relative_to(self.root / "src") else self.root
        parts = path.relative_to(base).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)

    def needs(self, package: str) -> bool:
        """Whether ``package.json`` names a package among those that are needed, also to develop."""
        data = self.package_json()
        return any(
            package in part for key in ("devDependencies", "dependencies") if isinstance(part := data.get(key), dict)
        )

    def package_json(self) -> dict[str, Any]:
        """The contents of ``package.json``; empty if there is none that can be read."""
        try:
            data = json.loads(self.workspace.read(self.folder / "package.json") or "{}")
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}

    def has_unittest_only(self) -> bool:
        """Whether a Python project has tests, and they are ``unittest``'s, with no word of pytest anywhere."""
        folders = [folder for name in ("tests", "test") if (folder := self.root / name).is_dir()]
        if any((folder / "conftest.py").is_file() for folder in (self.root, *folders)):
            return False
        told = [self.root / name for name in _REQUIREMENTS] + list(self.root.glob("*requirements*.txt"))
        if any("pytest" in (self.workspace.read(path) or "") for path in told):
            return False
        texts = [self.workspace.read(path) or "" for folder in folders for path in sorted(folder.glob("test*.py"))[:20]]
        return any("import unittest" in text for text in texts) and not any("import pytest" in text for text in texts)


def project_of(path: Path, language_id: str, workspace: Workspace) -> Project:
    """The project that a file is in: the nearest folder above it with a project file, else the workspace folder."""
    root = workspace.root_of(path)
    marks = _MARKS.get(language_id, _ECMASCRIPT_MARKS)
    for folder in path.parents:
        if any((folder / mark).is_file() for mark in marks):
            return Project(root, folder, workspace)
        if folder == root:
            break
    return Project(root, root, workspace)
