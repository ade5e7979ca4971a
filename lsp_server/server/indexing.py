"""Keeping the workspace's index up to date: which changes there were, and the builder processes that look at them."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from lsp_server import own_python
from lsp_server.context.index.extract import indexed_language
from lsp_server.context.index.order import LEFT_OUT, Order
from lsp_server.context.index.resolve import configures
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.server.progress import WorkProgress
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.snapshot import Snapshot

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

# Seconds in which changes are gathered for one builder: a switch of branches is thousands of them.
_GATHER_S = 0.5
# To look at the whole folder is quicker than at so many of its files one by one.
_MOST_PATHS = 1000
# To look into a document takes time from all other threads: afterwards it rests so many times as long.
_REST = 2
# Less is done before anybody could read of it.
_SHOWN_FROM = 300


class _Folder:
    """One workspace folder: what is to be looked at in it, all of it for None, and who does it."""

    def __init__(self) -> None:
        self.pending: set[Path] | None = None
        self.task: asyncio.Task[None] | None = None


class Indexing:
    """Starts builders, one a workspace folder at a time, and tells the index of open documents.

    Belongs to the event loop; what takes time is done in threads and processes.

    Args:
        log: writes a line to the editor's log, the same one only once.
    """

    def __init__(self, server: LanguageServer, index: WorkspaceIndex, log: Callable[[str], None]) -> None:
        self._server = server
        self._index = index
        self._log = log
        self._folders: dict[Path, _Folder] = {}
        self._order = Order()
        # Folders of which was told that they have too many files.
        self._told: set[Path] = set()
        self._latest: dict[Path, Snapshot | None] = {}
        self._updates: dict[Path, asyncio.Task[None]] = {}
        # Until when an open document is left alone, by the monotonic clock.
        self._rests: dict[Path, float] = {}

    def follow(self, roots: Sequence[Path], order: Order) -> None:
        """Index these folders from now on, and no others.

        Args:
            order: what is left out, and how many files there may be.
        """
        anew = order != self._order
        self._order = order
        self._index.set_roots(roots, order.exclude)
        for root in self._folders.keys() - set(roots):
            _cancel(self._folders.pop(root).task)
        for root in roots:
            if anew or root not in self._folders:
                self._folders.setdefault(root, _Folder()).pending = None
                self._look(root)

    def changed(self, paths: Iterable[Path]) -> None:
        """These files (or folders) were changed, made or deleted on disk."""
        if not self._order.max_files:
            return
        for path in paths:
            for root, folder in self._folders.items():
                if folder.pending is None or not path.is_relative_to(root):
                    continue
                folder.pending.add(path)
                if path.name == ".gitignore" or len(folder.pending) > _MOST_PATHS:
                    folder.pending = None
        for root, folder in self._folders.items():
            if folder.pending != set():
                self._look(root)

    def rescan(self) -> None:
        """Anything may have changed."""
        if not self._order.max_files:
            return
        for root, folder in self._folders.items():
            folder.pending = None
            self._look(root)

    def edited(self, path: Path, snapshot: Snapshot | None) -> None:
        """A document reads so now; None if it was closed. Of several states in a row the last one counts."""
        self._latest[path] = snapshot
        if path not in self._updates:
            self._updates[path] = asyncio.create_task(self._update(path))

    async def aclose(self) -> None:
        """Stop whatever is going on; what was indexed stays."""
        tasks = [folder.task for folder in self._folders.values() if folder.task] + list(self._updates.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._index.close()

    def _look(self, root: Path) -> None:
        folder = self._folders[root]
        if folder.task is None or folder.task.done():
            folder.task = asyncio.create_task(self._keep_up(root, folder))

    async def _keep_up(self, root: Path, folder: _Folder) -> None:
        while folder.pending != set():
            if folder.pending is not None:
                await asyncio.sleep(_GATHER_S)
            pending, folder.pending = folder.pending, set()
            paths = None if pending is None else await asyncio.to_thread(self._relevant, root, pending)
            if paths != ():
                await self._build(root, Order(self._order.exclude, self._order.max_files, paths))

    def _relevant(self, root: Path, paths: set[Path]) -> tuple[str, ...]:
        """What may change the index, relative to the root."""
        return tuple(
            path.relative_to(root).as_posix()
            for path in sorted(paths)
            if path != root and _concerns(path) and not self._index.is_excluded(path)
        )

    async def _build(self, root: Path, order: Order) -> None:
        self._index.report(root, (0, 0))
        try:
            process = await asyncio.create_subprocess_exec(
                *own_python.command("lsp_server.context.index.builder", str(root), str(self._index.database_of(root))),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=own_python.FOLDER,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
            try:
                await self._follow(root, order, process)
            finally:
                if process.returncode is None:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                    await process.wait()
        except OSError as error:
            self._log(f"The workspace cannot be indexed: {error}")
        finally:
            self._index.report(root, None)
        await asyncio.to_thread(self._index.refresh)

    async def _follow(self, root: Path, order: Order, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise OSError("the builder was started without pipes")
        # Left open: the builder ends when it is closed.
        process.stdin.write(f"{order.to_json()}\n".encode())
        async with contextlib.AsyncExitStack() as stack:
            progress: WorkProgress | None = None
            async for line in process.stdout:
                done, total = map(int, line.split())
                self._index.report(root, (done, total))
                if progress is None and total >= _SHOWN_FROM:
                    progress = await stack.enter_async_context(WorkProgress(self._server, f"Indexing {root.name}"))
                if progress:
                    progress.report(f"{done} of {total} files", done * 100 // total)
            complaint = (await process.stderr.read()).decode(errors="replace").strip()
        status = await process.wait()
        if status == LEFT_OUT:
            self._tell_of_the_rest(root, order.max_files)
        elif status:
            last = complaint.splitlines()[-1] if complaint else "the builder ended"
            self._log(f"The workspace cannot be indexed: {last}. Shardlight works on without the index.")

    def _tell_of_the_rest(self, root: Path, most: int) -> None:
        """Say once what a workspace of very many files has to do without."""
        if root not in self._told:
            self._told.add(root)
            message = (
                f"{root.name} has more than {most:,} files of code, and Shardlight's index ends there. You can work in"
                " the others, too, but suggestions know less of them. The setting `index.exclude` leaves out folders"
                " that you do not need."
            )
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, message))

    async def _update(self, path: Path) -> None:
        try:
            while path in self._latest:
                await asyncio.sleep(self._rests.get(path, 0) - time.monotonic())
                snapshot = self._latest.pop(path)
                if snapshot is None:
                    self._index.forget(path)
                    self._rests.pop(path, None)
                    continue
                began = time.monotonic()
                await asyncio.to_thread(self._index.update, path, snapshot)
                ended = time.monotonic()
                self._rests[path] = ended + _REST * (ended - began)
        finally:
            del self._updates[path]


def _concerns(path: Path) -> bool:
    """Whether a path is a file that is indexed or says what imports mean, or is a folder, or may have been one."""
    if indexed_language(path.name) or configures(path.name) or path.is_dir():
        return True
    return language_for_path(path) is None and not path.exists()


def _cancel(task: asyncio.Task[None] | None) -> None:
    if task:
        task.cancel()
