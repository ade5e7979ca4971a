from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tests.support.properties  # noqa: F401  (loads the profile)
from lsp_server.context.workspace import Workspace

MakeFiles = Callable[[dict[str, str]], None]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a workspace, with a folder beside it that does not belong to it."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def workspace(root: Path) -> Workspace:
    """The workspace with no document open."""
    return Workspace((root,), lambda _path: None)


@pytest.fixture
def files(root: Path) -> MakeFiles:
    """``files({"pkg/a.py": text})`` writes files below the root, character for character."""

    def make(texts: dict[str, str]) -> None:
        for name, text in texts.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    return make
