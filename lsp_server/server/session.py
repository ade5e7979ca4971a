"""What the server knows about one editor: its documents, settings, trust, models and hints."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcContentModified, JsonRpcException

from lsp_server.context.budget import budget_tokens
from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.context.keeper import ContextKeeper
from lsp_server.context.related import neighbours, related_files
from lsp_server.context.ring import RecentChunks
from lsp_server.context.spot import Spot
from lsp_server.context.workspace import Workspace, is_secret
from lsp_server.errors import ShardlightError
from lsp_server.features.registry import EditAction, T
from lsp_server.features.types import Selection, Target, Tools, find_selection, find_target
from lsp_server.inference.backend import Backend, Timings
from lsp_server.models.catalog import Role
from lsp_server.prompting.catalog import PromptCatalog, prompts_of
from lsp_server.server import hint_memory
from lsp_server.server.client import Client
from lsp_server.server.documents import Documents, path_of
from lsp_server.server.hint_memory import HintMemory
from lsp_server.server.hints import Hints
from lsp_server.server.indexing import Indexing
from lsp_server.server.inline.suggesting import Suggesting
from lsp_server.server.notebooks import Notebooks
from lsp_server.server.progress import WorkProgress
from lsp_server.server.status import Status, StatusLine
from lsp_server.settings.resolve import Options, Resolution
from lsp_server.settings.schema import Settings
from lsp_server.statistics.events import Event
from lsp_server.statistics.recorder import Statistics, default_path
from lsp_server.syntax.languages import Language
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing.bench import ProjectBench
from lsp_server.testing.sites import test_site
from lsp_server.text.known_names import KnownNames
from lsp_server.text.positions import PositionEncoding
from lsp_server.text.snippet import Snippet

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

Code = TypeVar("Code", Target, Selection)

# The protocol's code for "the server could not do it", with a message for the user.
REQUEST_FAILED = int(lsp.LSPErrorCodes.RequestFailed.value)
STALE = "The file was changed in the meantime. Please try again."


class Backends(Protocol):
    """Where a session gets its models; see ``engines.Engines``."""

    def if_ready(self, role: Role) -> Backend | None: ...
    async def once_loaded(self, role: Role) -> Backend | None: ...
    async def ready(self, role: Role) -> Backend: ...
    async def look_again(self) -> None: ...
    def describe(self, role: Role) -> dict[str, str]: ...
    async def switch(self, settings: Settings) -> None: ...
    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Place:
    """A document and the path of its file."""

    uri: str
    snapshot: Snapshot
    path: Path


class Session:
    """Everything that lasts as long as the editor's connection."""

    def __init__(
        self,
        server: LanguageServer,
        load_settings: Callable[[Options | None], Resolution],
        make_backends: Callable[[LanguageServer, Settings, Callable[[Status], None]], Backends],
    ) -> None:
        self.server = server
        self.client = Client(server)
        self.id = uuid.uuid4().hex[:8]
        self.documents = Documents()
        self.hints = Hints()
        self.hint_memory = HintMemory(hint_memory.default_path())
        self.settings = Settings()
        self.trusted = False
        # Whether the client wants to be told.
        self.tells_status = False
        self.roots: tuple[Path, ...] = ()
        self.last_timings: Timings | None = None
        self.status = StatusLine(server.protocol.notify)
        # Set once it is known which models the client wants.
        self.settled = asyncio.Event()
        # Documents as they were opened: what was there before the user came is not looked at on save.
        self.opened: dict[str, Snapshot] = {}
        # Texts of functions that were looked at for bugs, by URI.
        self.looked_at: dict[str, set[str]] = {}
        self.notebooks = Notebooks(self.documents)
        self.index = WorkspaceIndex()
        self.indexing = Indexing(server, self.index, self.log_once)
        self.recent = RecentChunks(self.index.is_excluded)
        self.statistics = Statistics(default_path())
        self.suggesting = Suggesting(self)
        self._contexts = ContextKeeper(self.index, self.recent)
        self._load_settings = load_settings
        self._make_backends = make_backends
        self._backends: Backends | None = None
        self._told: set[str] = set()

    @property
    def encoding(self) -> PositionEncoding:
        """The negotiated unit of columns."""
        return PositionEncoding(self.server.server_capabilities.position_encoding or "utf-16")

    @property
    def backends(self) -> Backends:
        """The session's models, made at first use."""
        if self._backends is None:
            self._backends = self._make_backends(self.server, self.settings, self.status.show)
        return self._backends

    async def chosen_backends(self) -> Backends:
        """The session's models, once it is known which: what comes before the settings is not to load another one."""
        await self.settled.wait()
        return self.backends

    def warm_up(self, *uris: str) -> None:
        """Load the model while the user reads, if suggestions are wanted in one of these documents."""
        if self.settled.is_set() and any(map(self.completed_place, uris)):
            self.backends.if_ready("completion")

    @property
    def prompts(self) -> PromptCatalog:
        """The prompts that count here; those of an untrusted workspace do not."""
        return prompts_of(self.roots if self.trusted else ())

    @property
    def workspace(self) -> Workspace:
        """The workspace's files."""

        def text(path: Path) -> str | None:
            found = self._open_file(path)
            return found.text if found else None

        def language(path: Path) -> Language | None:
            found = self._open_file(path)
            return found.language if found else None

        return Workspace(self.roots, text, self.index.is_excluded, language)

    def _open_file(self, path: Path) -> Snapshot | None:
        return self.documents.at(path) or self.notebooks.at(path)

    async def configure(self, options: Options | None) -> None:
        """Take over the editor's options; problems are told once each."""
        resolution = self._load_settings(options)
        for problem in resolution.problems:
            if problem.message not in self._told:
                self._told.add(problem.message)
                self.server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, problem.message))
        before, self.settings = self.settings, resolution.settings
        now = self.settings
        changed = (before.models, before.engine, before.backend) != (now.models, now.engine, now.backend)
        if changed and self._backends:
            await self._backends.switch(now)

    def log_once(self, message: str) -> None:
        """Write a message to the editor's log, unless it is the same again."""
        if message not in self._told:
            self._told.add(message)
            self.server.window_log_message(lsp.LogMessageParams(lsp.MessageType.Warning, message))

    async def aclose(self) -> None:
        """The editor leaves."""
        if self._backends:
            await self._backends.aclose()
            self._backends = None
        await self.indexing.aclose()
        await asyncio.to_thread(self.statistics.close)

    def place(self, uri: str) -> Place | None:
        """An open document of a file that may be read into a prompt; None for all others."""
        uri = self.documents.known_as(uri)
        snapshot, path = self.documents.get(uri), path_of(uri) or self.notebooks.path_of(uri)
        if snapshot is None:
            return None
        # `untitled:Untitled-1` has a name, but no place.
        path = path or Path(PurePosixPath(urlsplit(uri).path).name or "untitled")
        return None if is_secret(path) or self.index.is_excluded(path) else Place(uri, snapshot, path)

    def completed_place(self, uri: str) -> Place | None:
        """The document, if suggestions are wanted in it while somebody types."""
        settings, place = self.settings.completion, self.place(uri)
        wanted = settings.enabled and place and place.snapshot.language_id not in settings.disabled_languages
        return place if wanted else None

    def exclude(self) -> None:
        """From now on the workspace's folders say what is left out of everything, as they and the settings are now."""
        self.index.set_roots(self.roots, self.settings.index.exclude)

    def follow_roots(self) -> None:
        """Index the workspace's folders as they are now, as the settings say."""
        settings = self.settings.index
        order = Order(settings.exclude) if settings.enabled else Order(settings.exclude, max_files=0)
        self.indexing.follow(self.roots, order)
        # What was left out may not be any more.
        for path, snapshot in (*self.documents.files(), *self.notebooks.files()):
            self.indexing.edited(path, snapshot)

    def count(self, event: Event) -> None:
        """Take down what became of a suggestion."""
        if self.settings.statistics.enabled:
            self.statistics.record(event)

    async def context(
        self, place: Place, offset: int, reading: float | None, *, refresh: bool = False
    ) -> tuple[Snippet, ...]:
        """What a model is shown of other places for a suggestion.

        Args:
            reading: how fast it reads, in tokens per second, if that is known.
            refresh: find it anew, even if the cursor has hardly moved.
        """
        items = await asyncio.to_thread(
            self._contexts.context,
            self._spot(place, offset),
            self.workspace,
            document=place.uri,
            budget_tokens=budget_tokens(reading, self.settings.engine.n_ctx),
            mode=self.settings.completion.context,
            refresh=refresh,
        )
        return tuple(item.snippet for item in items)

    async def members(self, place: Place, offset: int) -> tuple[tuple[str, ...], tuple[KnownNames, ...]]:
        """The names of which one is to stand at an offset, and those behind dots further on; see ``ContextKeeper``."""
        if self.settings.completion.context != "full":
            return (), ()
        return await asyncio.to_thread(self._contexts.members, self._spot(place, offset), self.workspace)

    def _spot(self, place: Place, offset: int) -> Spot:
        snapshot, (before, after) = place.snapshot, self.notebooks.around(place.uri)
        if before or after:
            snapshot = Snapshot.open(before + snapshot.text + after, snapshot.language_id)
        return Spot(snapshot, len(before) + offset, place.path)

    def offered(self, action: EditAction[T], place: Place, offset: int) -> T:
        """What an action would be done to, without what is around it. Raises RefusedError if there is nothing."""
        return action.find(place.snapshot, offset, PurePosixPath(self.workspace.relative(place.path)))

    async def chosen(self, action: EditAction[T], place: Place, offset: int) -> T:
        """What an action is done to, with what is around it. Raises RefusedError if there is nothing."""
        target = self.offered(action, place, offset)
        target = replace(target, neighbours=partial(neighbours, place.path, self.workspace))
        return await self._related(place, target) if isinstance(target, Target) else target

    async def selection(self, place: Place, start: int, end: int) -> Selection:
        """The code of a range, with what it uses from other files. Raises RefusedError if there is none."""
        relative = PurePosixPath(self.workspace.relative(place.path))
        return await self._related(place, find_selection(place.snapshot, start, end, relative))

    async def target(self, place: Place, offset: int) -> Target:
        """The function at an offset, with what it uses from other files. Raises RefusedError if there is none."""
        relative = PurePosixPath(self.workspace.relative(place.path))
        return await self._related(place, find_target(place.snapshot, offset, relative))

    async def _related(self, place: Place, found: Code) -> Code:
        related = await asyncio.to_thread(related_files, place.snapshot, place.path, self.workspace, used_in=found.code)
        return replace(found, related=related)

    def check_unchanged(self, place: Place) -> None:
        """Raise ContentModified if the document is not what the work was done on."""
        if self.documents.get(place.uri) is not place.snapshot:
            raise JsonRpcContentModified(STALE)

    def _bench(self, place: Place) -> ProjectBench | None:
        """Where the tests of a file go and are run; None for a document without a file, or without a framework."""
        language = place.snapshot.language
        if language is None or not place.path.is_absolute():
            return None
        site = test_site(place.path, language.id, self.workspace)
        limits = self.settings.unit_tests
        if site is None:
            return None
        return ProjectBench(site, trusted=self.trusted, timeout_s=limits.timeout_s, memory_mb=limits.memory_mb)

    def answered(self, timings: Timings | None) -> None:
        """Remember what the last answer cost."""
        self.last_timings = timings
        self.status.answered(timings.predicted_per_second if timings else 0.0)

    @asynccontextmanager
    async def tools(self, title: str, place: Place) -> AsyncIterator[Tools]:
        """What a feature works with, under a progress display; a failure becomes an answer with its reason."""
        try:
            backend = await (await self.chosen_backends()).ready("assistant")
            async with AsyncExitStack() as stack:
                progress = await stack.enter_async_context(WorkProgress(self.server, title))
                stack.enter_context(self.status.busy(title))
                bench = await asyncio.to_thread(self._bench, place)
                yield Tools(
                    backend,
                    self.prompts,
                    lambda phase, n: progress.report(f"{phase}, {n} tokens" if n else phase),
                    bench and await stack.enter_async_context(bench),
                    self.settings.docstring.style,
                )
        except ShardlightError as error:
            raise JsonRpcException(str(error), REQUEST_FAILED) from error
