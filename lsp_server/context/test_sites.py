"""Where the tests of a file belong, and how they import it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lsp_server.context.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TestSite:
    """The test file of a module.

    Attributes:
        root: the workspace folder; tests are run from there.
        path: the test file, absolute; it need not exist.
        exists: whether it is there.
        existing: its text; None if it is not there or cannot be read.
        module: dotted name by which tests import the tested file.
    """

    root: Path
    path: Path
    exists: bool
    existing: str | None
    module: str


def python_test_site(path: Path, workspace: Workspace) -> TestSite:
    """The test file of a Python module.

    That is an existing ``test_<module>.py`` in a folder of tests, else a new one: in ``tests/`` if the workspace has
    it, else beside the module.
    """
    root = workspace.root_of(path)
    name = f"test_{path.stem}.py"
    folders = [root / "tests", root / "test", path.parent / "tests", path.parent]
    existing = next((f / name for f in folders if (f / name).is_file()), None)
    home = next((f for f in folders[:-1] if f.is_dir()), path.parent)
    target = existing or home / name
    return TestSite(root, target, existing is not None, workspace.read(target), _module_name(path, root))


def _module_name(path: Path, root: Path) -> str:
    """Dotted name from the source root: the workspace's ``src`` folder if the file is in it, else the workspace."""
    base = root / "src" if path.is_relative_to(root / "src") else root
    parts = path.relative_to(base).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)
