from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
import pytest_asyncio
from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.server import indexing
from lsp_server.server.indexing import Indexing
from lsp_server.syntax.snapshot import Snapshot
from tests.support.time import until


class Watched(Indexing):
    """Remembers what its builders were told."""

    orders: list[tuple[str, Order]]

    async def _build(self, root: Path, order: Order) -> None:
        self.orders.append((root.name, order))
        await super()._build(root, order)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text("def first(): ...\n", encoding="utf-8")
    return folder


@pytest.fixture
def index(tmp_path: Path) -> WorkspaceIndex:
    return WorkspaceIndex(tmp_path / "cache")


@pytest.fixture
def log() -> list[str]:
    """The lines of the editor's log."""
    return []


@pytest_asyncio.fixture
async def watched(index: WorkspaceIndex, log: list[str], monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Watched]:
    monkeypatch.setattr(indexing, "_GATHER_S", 0.0)
    server = SimpleNamespace(client_capabilities=lsp.ClientCapabilities())
    made = Watched(cast(LanguageServer, server), index, log.append)
    made.orders = []
    yield made
    await made.aclose()


def at_rest(index: WorkspaceIndex, watched: Watched, builds: int) -> Callable[[], bool]:
    """Whether so many builders have been there and none is any more."""
    return lambda: len(watched.orders) >= builds and not index.state().building


def builders() -> list[psutil.Process]:
    """Our builder processes."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "lsp_server.context.index.builder" in process.cmdline():
                found.append(process)
        except psutil.NoSuchProcess:
            continue
    return found


async def test_a_folder_is_indexed_and_then_what_has_changed_in_it(
    watched: Watched, index: WorkspaceIndex, root: Path, log: list[str]
) -> None:
    watched.follow([root], Order())
    await until(lambda: index.definitions(["first"]))
    await until(at_rest(index, watched, 1))
    (root / "b.py").write_text("def second(): ...\n", encoding="utf-8")
    (root / "pkg").mkdir()
    (root / "pkg" / "c.py").write_text("def third(): ...\n", encoding="utf-8")
    watched.changed([root / "b.py", root / "pkg", root / "notes.md", root / ".git" / "HEAD", Path("/elsewhere/d.py")])
    await until(lambda: len(index.definitions(["second", "third"])) == 2)
    await until(at_rest(index, watched, 2))
    assert watched.orders == [("project", Order()), ("project", Order(paths=("b.py", "pkg")))]
    assert log == []


async def test_news_that_concern_nothing_start_no_builder(watched: Watched, index: WorkspaceIndex, root: Path) -> None:
    (root / "node_modules").mkdir()
    watched.follow([root], Order())
    await until(at_rest(index, watched, 1))
    watched.changed([root / "a.md", root / "node_modules" / "x.js", root / ".git" / "index"])
    watched.changed([root / "a.py"])
    await until(at_rest(index, watched, 2))
    assert [order.paths for _, order in watched.orders] == [None, ("a.py",)]


async def test_news_of_folders_whatever_their_names_and_of_what_says_what_imports_mean(
    watched: Watched, index: WorkspaceIndex, root: Path
) -> None:
    (root / "My.Core").mkdir()
    (root / "My.Core" / "b.py").write_text("def second(): ...\n", encoding="utf-8")
    watched.follow([root], Order())
    await until(lambda: index.definitions(["second"]))
    await until(at_rest(index, watched, 1))
    (root / "My.Core").rename(root / "My.Domain")
    for name in ("tsconfig.base.json", "package.json", "Makefile"):
        (root / name).write_text("{}", encoding="utf-8")
    names = ("My.Core", "My.Domain", "tsconfig.base.json", "package.json", "Makefile", "go.mod")
    watched.changed([root / name for name in names])
    await until(at_rest(index, watched, 2))
    assert watched.orders[1][1].paths == ("My.Core", "My.Domain", "go.mod", "tsconfig.base.json")
    assert [found.path.parent.name for found in index.definitions(["second"])["second"]] == ["My.Domain"]


@pytest.mark.parametrize("names", [[".gitignore"], [f"{n}.py" for n in range(1001)]])
async def test_new_rules_and_thousands_of_news_mean_the_whole_folder(
    names: list[str], watched: Watched, index: WorkspaceIndex, root: Path
) -> None:
    watched.follow([root], Order())
    await until(at_rest(index, watched, 1))
    watched.changed([root / name for name in names])
    await until(at_rest(index, watched, 2))
    assert [order.paths for _, order in watched.orders] == [None, None]


async def test_news_during_a_build_are_for_the_next_one(watched: Watched, index: WorkspaceIndex, root: Path) -> None:
    watched.follow([root], Order())
    await until(lambda: watched.orders)
    for _ in range(5):
        watched.changed([root / "a.py"])
    await until(at_rest(index, watched, 2))
    assert [order.paths for _, order in watched.orders] == [None, ("a.py",)]


async def test_other_wishes_are_followed(watched: Watched, index: WorkspaceIndex, root: Path) -> None:
    watched.follow([root], Order())
    await until(lambda: index.definitions(["first"]))
    watched.follow([root], Order(("a.py",)))
    assert index.is_excluded(root / "a.py")
    assert not index.definitions(["first"])
    await until(at_rest(index, watched, 2))
    watched.follow([root], Order())
    assert index.definitions(["first"])
    await until(at_rest(index, watched, 3))
    watched.follow([root], Order(max_files=0))
    await until(lambda: not index.database_of(root).exists())
    await until(at_rest(index, watched, 4))
    watched.changed([root / "a.py"])
    watched.rescan()
    watched.follow([root], Order(max_files=0))
    watched.follow([root], Order())
    await until(lambda: index.definitions(["first"]))
    assert len(watched.orders) == 5


async def test_a_look_at_everything(watched: Watched, index: WorkspaceIndex, root: Path) -> None:
    watched.follow([root], Order())
    await until(at_rest(index, watched, 1))
    (root / "b.py").write_text("def second(): ...\n", encoding="utf-8")
    watched.rescan()
    await until(lambda: index.definitions(["second"]))


async def test_a_folder_that_is_closed_is_not_built_any_more(
    watched: Watched, index: WorkspaceIndex, root: Path
) -> None:
    watched.follow([root], Order())
    await until(builders)
    watched.follow([], Order())
    await until(lambda: not builders())
    await until(lambda: not index.state().building)
    assert index.state().files == 0


async def test_no_builder_survives_us(watched: Watched, root: Path) -> None:
    watched.follow([root], Order())
    await until(builders)
    await watched.aclose()
    assert builders() == []


async def test_of_too_many_files_is_told_once(
    index: WorkspaceIndex, root: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    monkeypatch.setattr(indexing, "_GATHER_S", 0.0)
    told: list[lsp.ShowMessageParams] = []
    server = SimpleNamespace(client_capabilities=lsp.ClientCapabilities(), window_show_message=told.append)
    watched = Watched(cast(LanguageServer, server), index, log.append)
    watched.orders = []
    watched.follow([root], Order(max_files=1))
    await until(at_rest(index, watched, 1))
    assert told == []
    (root / "b.py").write_text("def second(): ...\n", encoding="utf-8")
    for builds in (2, 3):
        watched.rescan()
        await until(at_rest(index, watched, builds))
    (message,) = told
    assert message.type == lsp.MessageType.Info
    assert message.message.startswith("project has more than 1 files of code")
    assert "`index.exclude`" in message.message
    assert log == []
    # What there is room for is found all the same.
    assert index.definitions(["first"])
    await watched.aclose()


async def test_without_a_place_for_it_there_is_a_line_in_the_log(
    watched: Watched, index: WorkspaceIndex, root: Path, tmp_path: Path, log: list[str]
) -> None:
    (tmp_path / "cache").write_text("no folder", encoding="utf-8")
    watched.follow([root], Order())
    await until(lambda: log)
    assert log[0].startswith("The workspace cannot be indexed: ")
    assert log[0].endswith("Shardlight works on without the index.")
    await until(at_rest(index, watched, 1))
    assert index.state().files == 0


async def test_a_builder_that_cannot_be_started_is_a_line_in_the_log(
    watched: Watched, index: WorkspaceIndex, root: Path, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(root / "none"))
    watched.follow([root], Order())
    await until(lambda: log)
    await until(at_rest(index, watched, 1))


async def test_what_is_typed_is_seen_and_what_is_closed_forgotten(
    watched: Watched, index: WorkspaceIndex, root: Path
) -> None:
    for n in range(20):
        watched.edited(root / "b.py", Snapshot.open(f"def typed_{n}(): ...\n", "python"))
    await until(lambda: index.definitions(["typed_19"]))
    assert not index.definitions([f"typed_{n}" for n in range(19)])
    watched.edited(root / "b.py", Snapshot.open("def typed(): ...\n", "python"))
    watched.edited(root / "b.py", None)
    await until(lambda: not index.definitions(["typed_19", "typed"]))


async def test_a_document_that_takes_its_time_is_seen_at_once_and_then_rests(
    watched: Watched, index: WorkspaceIndex, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = list[str]()

    def update(_path: Path, snapshot: Snapshot) -> None:
        time.sleep(0.05)
        seen.append(snapshot.text)

    monkeypatch.setattr(index, "update", update)
    for n in range(10):
        watched.edited(root / "large.py", Snapshot.open(str(n), "python"))
        await asyncio.sleep(0.01)
    await until(lambda: seen[-1:] == ["9"])
    assert seen[0] == "0"
    assert len(seen) < 10


class Client:
    """Shows progress; the first one may be cancelled as soon as it is shown."""

    client_capabilities = lsp.ClientCapabilities(window=lsp.WindowClientCapabilities(work_done_progress=True))

    def __init__(self, *, cancels: bool) -> None:
        self._cancels = cancels
        self.tokens: dict[str, asyncio.Future[Any]] = {}
        self.shown: list[Any] = []
        self.work_done_progress = self

    async def create_async(self, token: str) -> None:
        self.tokens[token] = asyncio.get_running_loop().create_future()

    def begin(self, token: str, value: lsp.WorkDoneProgressBegin) -> None:
        self.shown.append(value)
        if self._cancels:
            self._cancels = False
            self.tokens[token].cancel()

    def report(self, _token: str, value: lsp.WorkDoneProgressReport) -> None:
        self.shown.append(value)

    def end(self, _token: str, value: lsp.WorkDoneProgressEnd) -> None:
        self.shown.append(value)


@pytest.mark.parametrize("cancels", [False, True])
async def test_long_builds_are_shown_and_can_be_stopped(
    cancels: bool, index: WorkspaceIndex, root: Path, monkeypatch: pytest.MonkeyPatch, log: list[str]
) -> None:
    monkeypatch.setattr(indexing, "_SHOWN_FROM", 1)
    client = Client(cancels=cancels)
    shown = Indexing(cast(LanguageServer, client), index, log.append)
    shown.follow([root], Order())
    await until(lambda: client.shown and isinstance(client.shown[-1], lsp.WorkDoneProgressEnd))
    await until(lambda: not index.state().building)
    assert client.shown[0].title == "Indexing project"
    reports = [value for value in client.shown if isinstance(value, lsp.WorkDoneProgressReport)]
    assert cancels or reports[-1].message == "1 of 1 files"
    assert builders() == []
    # Stopped once it is not given up: the next look around goes on from there.
    shown.rescan()
    await until(lambda: index.definitions(["first"]))
    await shown.aclose()
    assert log == []
