from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lsp_server.context.index.builder import build
from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex

Build = Callable[..., None]
_EVERYTHING = Order()


@pytest.fixture
def index(tmp_path: Path, root: Path) -> Iterator[WorkspaceIndex]:
    """The index of the workspace folder, which nobody has built yet."""
    index = WorkspaceIndex(tmp_path / "cache")
    index.set_roots([root])
    yield index
    index.close()


@pytest.fixture
def build_index(root: Path, index: WorkspaceIndex) -> Build:
    """``build_index(Order(...))`` brings the index of the workspace folder up to date."""

    def make(order: Order = _EVERYTHING, folder: Path = root) -> None:
        build(folder, index.database_of(folder), order)

    return make
