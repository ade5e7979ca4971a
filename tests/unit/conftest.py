"""Files of a workspace whose folder is the fixture ``root`` of the tests that use them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lsp_server.context.workspace import Workspace

MakeFiles = Callable[[dict[str, str]], None]


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
