"""What the workspace's index costs: ``python -m benchmarks.index [--requests N]``.

The real language server over stdio, with Django's source distribution as its workspace and a cache folder of its own.
It is started twice: without an index, and with the one that is there then. Requests are made one after the other while
the index is built, and again when it is done.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from lsprotocol import types as lsp

from benchmarks import django
from benchmarks.completion.editor import Editor
from benchmarks.results import write_markdown
from lsp_server.context.index.workspace_index import WorkspaceIndex
from tools.demo.client import Client, capabilities

_REPOSITORY = Path(__file__).resolve().parents[1]
_PATIENCE_S = 120.0
_SERVER = (sys.executable, "-m", "lsp_server", "serve")
# No model is to be loaded beside it.
_NO_MODEL = {"completion": {"enabled": False}}
_OPEN_FILE = Path("django", "db", "models", "query.py")
# Of 20 of Django's modules 19 are shorter than this one.
_SHORTER_FILE = Path("django", "http", "response.py")
# Between two requests, as somebody who types would leave them.
_PAUSE_S = 0.05
# Between two looks whether something has happened.
_POLL_S = 0.005
_EDITS = 100
_LOOKUPS = 2000
_NAMES_AT_ONCE = 8
_QUERIES = ("QuerySet", "HttpResp", "gqs", "Field.clean", "render")


@dataclass(frozen=True, slots=True)
class Window:
    """An editor and its server.

    Attributes:
        server: the process.
        began: when it was told that it may begin, of ``time.perf_counter``.
        told: the messages that it had for the user.
    """

    editor: Editor
    server: psutil.Process
    began: float
    told: list[str]

    def builder(self) -> psutil.Process | None:
        """The process that builds the index now."""
        with suppress(psutil.NoSuchProcess):
            return next((p for p in self.server.children() if "lsp_server.context.index.builder" in p.cmdline()), None)
        return None

    async def symbols(self, query: str) -> Sequence[Any]:
        """``workspace/symbol``."""
        answer = self.editor.client.workspace_symbol_async(lsp.WorkspaceSymbolParams(query))
        return await asyncio.wait_for(answer, _PATIENCE_S) or ()

    async def actions(self, uri: str, line: int) -> None:
        """``textDocument/codeAction``."""
        at = lsp.Position(line, 8)
        params = lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(uri), lsp.Range(at, at), lsp.CodeActionContext(diagnostics=[])
        )
        await asyncio.wait_for(self.editor.client.text_document_code_action_async(params), _PATIENCE_S)


@asynccontextmanager
async def window(
    root: Path, cache: Path, command: Sequence[str] = _SERVER, settings: Mapping[str, Any] = _NO_MODEL
) -> AsyncIterator[Window]:
    """A server that begins to look at the folder."""
    client = Client()
    told: list[str] = []

    def message(params: lsp.ShowMessageParams) -> None:
        told.append(params.message)

    client.feature(lsp.WINDOW_SHOW_MESSAGE)(message)
    editor = Editor(client)
    env = {**os.environ, "XDG_CACHE_HOME": str(cache), "XDG_STATE_HOME": str(cache / "state")}
    before = set(psutil.Process().children())
    await client.start_io(*command, cwd=_REPOSITORY, env=env)
    (server,) = set(psutil.Process().children()) - before
    try:
        params = lsp.InitializeParams(
            capabilities(),
            root_uri=root.as_uri(),
            workspace_folders=[lsp.WorkspaceFolder(root.as_uri(), root.name)],
            initialization_options={"settings": settings},
        )
        await asyncio.wait_for(client.initialize_async(params), _PATIENCE_S)
        began = time.perf_counter()
        client.initialized(lsp.InitializedParams())
        yield Window(editor, server, began, told)
        await asyncio.wait_for(client.shutdown_async(None), _PATIENCE_S)
        client.exit(None)
    finally:
        await client.stop()  # type: ignore[no-untyped-call]


async def cold(root: Path, cache: Path, requests: int) -> list[str]:
    """Rows of a server that finds no index."""
    path = root / _OPEN_FILE
    async with window(root, cache) as opened:
        uri = opened.editor.open(path, path.read_text(encoding="utf-8"))
        building = asyncio.create_task(built(opened, cache))
        during = await _ask(opened, uri, lambda: not building.done())
        took, resident, _ = await building
        before = opened.server.memory_info().rss
        left = iter(range(requests))
        idle = await _ask(opened, uri, lambda: next(left, None) is not None)
        opened.editor.close(uri)
        edits = [
            await _edits(opened, root / file, (root / file).read_text(encoding="utf-8"))
            for file in (_SHORTER_FILE, _OPEN_FILE)
        ]
        after = opened.server.memory_info().rss
    return [
        _row("built without anything there", f"{took:.1f} s", "25 s"),
        _row("builder, resident at most", f"{resident / 1e6:.0f} MB", "150 MB"),
        _row(
            "server, resident after all of this", f"{after / 1e6:.0f} MB ({before / 1e6:.0f} MB when built)", "150 MB"
        ),
        *edits,
        *(
            _row(f"`{name}` {when}", _spread(found[name]), limit)
            for name in during
            for when, found, limit in (
                ("at rest", idle, ""),
                ("while it is built", during, f"{_p95(idle[name]) + 20:.1f} ms at p95"),
            )
        ),
    ]


async def warm(root: Path, cache: Path) -> list[str]:
    """Rows of a server that finds one."""
    async with window(root, cache) as opened:
        while not await opened.symbols("HttpResponse"):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(_POLL_S)
        usable = time.perf_counter() - opened.began
        compared, _, _ = await built(opened, cache)
    return [
        _row("found there: until `workspace/symbol` answers from it", f"{usable:.2f} s", "0.5 s"),
        _row("until it is compared with the files", f"{compared:.1f} s", ""),
    ]


def lookups(root: Path, cache: Path) -> list[str]:
    """Rows of questions to the index in the process that asks them."""
    index = WorkspaceIndex(cache / "shardlight" / "index")
    index.set_roots([root])
    connection = sqlite3.connect(index.database_of(root))
    names = [name for (name,) in connection.execute("SELECT DISTINCT name FROM symbols ORDER BY name")]
    connection.close()
    choice, times = random.Random(7), []
    for _ in range(_LOOKUPS):
        asked = choice.sample(names, _NAMES_AT_ONCE)
        began = time.perf_counter()
        index.definitions(asked)
        times.append((time.perf_counter() - began) * 1000)
    state, size = index.state(), index.database_of(root).stat().st_size
    index.close()
    return [
        _row(f"the definitions of {_NAMES_AT_ONCE} names", _spread(times), ""),
        _row(f"the file, {state.files:,} files with {state.symbols:,} symbols", f"{size / 1e6:.0f} MB", ""),
    ]


def size_of_databases(cache: Path) -> int:
    """Bytes of all indexes, with what SQLite keeps beside them."""
    found = 0
    for path in cache.rglob("index*.db*"):
        # What is kept beside them comes and goes.
        with suppress(OSError):
            found += path.stat().st_size
    return found


async def built(opened: Window, cache: Path) -> tuple[float, int, int]:
    """Seconds until the builder has ended, and what it was resident with and had on disk at most, in bytes."""
    while not (builder := opened.builder()):  # noqa: ASYNC110 - it happens in another process
        await asyncio.sleep(_POLL_S)
    resident = on_disk = 0
    with suppress(psutil.NoSuchProcess):
        while builder.status() != psutil.STATUS_ZOMBIE:
            resident = max(resident, builder.memory_info().rss)
            on_disk = max(on_disk, size_of_databases(cache))
            await asyncio.sleep(0.02)
    return time.perf_counter() - opened.began, resident, on_disk


async def _ask(opened: Window, uri: str, going_on: Callable[[], bool]) -> dict[str, list[float]]:
    """Milliseconds of requests of both kinds by turns, as long as something is going on."""
    times: dict[str, list[float]] = {"workspace/symbol": [], "textDocument/codeAction": []}
    choice = random.Random(7)
    lines = opened.editor.texts[uri].count("\n")
    while going_on():
        began = time.perf_counter()
        await opened.symbols(choice.choice(_QUERIES))
        between = time.perf_counter()
        await opened.actions(uri, choice.randrange(lines))
        times["workspace/symbol"].append((between - began) * 1000)
        times["textDocument/codeAction"].append((time.perf_counter() - between) * 1000)
        await asyncio.sleep(_PAUSE_S)
    return times


async def _edits(opened: Window, path: Path, text: str) -> str:
    """A row of how long it takes until functions that are typed into a file are found."""
    times = []
    uri = opened.editor.open(path, text)
    for number in range(_EDITS):
        await asyncio.sleep(_PAUSE_S)
        name, end = f"typed_just_now_{number}", len(opened.editor.texts[uri])
        began = time.perf_counter()
        opened.editor.replace(uri, end, end, f"\n\ndef {name}(): ...\n")
        while not await opened.symbols(name):  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(_POLL_S)
        times.append((time.perf_counter() - began) * 1000)
    opened.editor.close(uri)
    size = f"{len(text) / 1000:.0f} KB, {text.count(chr(10)):,} lines"
    return _row(f"an edit until `workspace/symbol` finds it ({size})", _spread(times), "50 ms")


def _row(what: str, value: str, bar: str) -> str:
    return f"| {what} | {value} | {bar} |"


def _spread(times: Sequence[float]) -> str:
    return f"{statistics.median(times):.1f} ms, p95 {_p95(times):.1f} ms of {len(times)}"


def _p95(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * 0.95)]


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--requests", type=int, default=200, help="requests of each kind at rest")
    requests = parser.parse_args().requests
    with tempfile.TemporaryDirectory() as folder:
        root, cache = django.unpacked(Path(folder)), Path(folder) / "cache"
        rows = [
            *asyncio.run(cold(root, cache, requests)),
            *asyncio.run(warm(root, cache)),
            *lookups(root, cache),
        ]
    lines = [
        f"{django.NAME} {django.VERSION}; the builder runs with nice 19.",
        "",
        "| | | bar |",
        "|---|--:|--:|",
        *rows,
    ]
    write_markdown("index", f"python -m benchmarks.index --requests {requests}", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
