from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import tests.support.properties  # noqa: F401  (loads the profile)
from lsp_server.context.candidates import Sources
from lsp_server.context.files import FileCache
from lsp_server.context.ring import RecentChunks
from lsp_server.context.spot import Spot
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.snapshot import Snapshot
from tests.unit.context.whole_folder import WholeFolder

MakeFiles = Callable[[dict[str, str]], None]
MakeSpot = Callable[[str, str], Spot]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a workspace, with a folder beside it that does not belong to it."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def spot(root: Path, files: MakeFiles) -> MakeSpot:
    """``spot("pkg/a.py", "x = |")`` writes a file and is the place in it that the bar marks."""

    def make(name: str, marked: str) -> Spot:
        text = marked.replace("|", "", 1)
        files({name: text})
        language = language_for_path(name)
        return Spot(Snapshot.open(text, language.id if language else ""), marked.index("|"), root / name)

    return make


@pytest.fixture
def sources(root: Path, workspace: Workspace) -> Sources:
    """Everything below the root, indexed whenever something is asked for; nothing was visited yet."""
    cache = FileCache()
    return Sources(workspace, WholeFolder(root, workspace, cache), RecentChunks(), cache)
