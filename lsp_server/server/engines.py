"""A ready backend for a role: asks before it downloads, shows what it loads, starts it once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol import types as lsp

from lsp_server.errors import (
    BackendError,
    BackendKeyError,
    BackendUnavailableError,
    DownloadError,
    ModelNotInstalledError,
    ShardlightError,
)
from lsp_server.inference.backend import Backend
from lsp_server.inference.remote_spec import is_remote, remote_host
from lsp_server.inference.roles import RoleBackend, source, wanted_model
from lsp_server.models.catalog import Role
from lsp_server.models.files import figures, human_size
from lsp_server.models.reference import CatalogRef, ModelRef
from lsp_server.models.store import ModelStore, store_from
from lsp_server.models.transfer import Tally, Total, Transfer
from lsp_server.server.progress import WorkProgress
from lsp_server.server.status import Status
from lsp_server.settings.schema import Settings

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

_DOWNLOAD, _LATER = "Download", "Not now"
# An engine that does not come up is tried again while somebody types, after so long and then longer, and so often.
_REST_S, _MOST_TRIES = 30.0, 4


class _Rest(NamedTuple):
    """When an engine that did not come up is tried again (by ``time.monotonic``), how often it was, and the reason."""

    until: float
    tries: int
    reason: str


class Engines:
    """The backends of one editor session, made from its settings."""

    def __init__(self, server: LanguageServer, settings: Settings, show: Callable[[Status], None]) -> None:
        """Backends for a client.

        Args:
            show: called with each state of the models.
        """
        self._server = server
        self._show = show
        self._settings = settings
        self._store: ModelStore | None = None
        self._roles: dict[Role, RoleBackend] = {}
        self._preparing: dict[Role, asyncio.Task[None]] = {}
        self._warming: dict[Role, asyncio.Task[None]] = {}
        self._declined: set[Role] = set()
        # Those whose model was not here when it was wanted.
        self._lacking: set[Role] = set()
        # Those whose engine did not come up, for a reason that may pass.
        self._resting: dict[Role, _Rest] = {}
        self._loading: dict[Role, Callable[[float], None]] = {}
        # One question at a time: both roles may need the same model.
        self._downloading = asyncio.Lock()

    def if_ready(self, role: Role) -> Backend | None:
        """The backend if it can answer now; else None, and it is being made ready in the background."""
        backend = self._role(role)
        if backend.ready:
            return backend
        if role not in self._declined or role in self._lacking:
            self._warm_up(role)
        return None

    async def once_loaded(self, role: Role) -> Backend | None:
        """The backend, when its model is loaded; None if that fails, or the model is not on this machine yet."""
        backend = self.if_ready(role)
        if backend is None and role not in self._declined and await asyncio.to_thread(self._installed, role):
            if warming := self._warming.get(role):
                await asyncio.wait({warming})
            # Not asked for once more: the session may have ended meanwhile.
            loaded = self._roles.get(role)
            backend = loaded if loaded and loaded.ready else None
        return backend

    async def ready(self, role: Role) -> Backend:
        """The backend, when it can answer.

        Whoever is cancelled meanwhile stops nothing: a download that the user has agreed to is ended by its own
        progress display, or with the session.

        Raises:
            ModelError: the model is unknown, or not here and not wanted.
            EngineStartError: the engine did not come up.
        """
        backend = self._role(role)
        if not backend.ready:
            await self._prepared(role)
        return backend

    async def look_again(self) -> None:
        """What was lacking may be here by now: models are fetched by the command line, too."""
        for role in tuple(self._lacking):
            if await asyncio.to_thread(self._installed, role):
                self._lacking.discard(role)
                self._declined.discard(role)
                if not any(backend.ready for backend in self._roles.values()):
                    self._show(Status("idle", self._model(role)))

    def describe(self, role: Role) -> dict[str, str]:
        """The role's model and its state, for people."""
        backend = self._roles.get(role)
        if is_remote(self._settings, role):
            return {"model": self._model(role), "state": "ready" if backend and backend.ready else "not connected"}
        try:
            model = wanted_model(self._settings, self._models(), role)
            installed = self._models().find(model) is not None
        except ShardlightError as error:
            return {"model": "", "state": str(error)}
        state = "ready" if backend and backend.ready else "not started" if installed else "not installed"
        return {"model": model.id, "state": state}

    def _model(self, role: Role) -> str:
        """The name of a role's model and where it is elsewhere; empty where the settings name none that is known."""
        if is_remote(self._settings, role):
            backend = self._roles.get(role)
            return (backend.elsewhere if backend else "") or remote_host(self._settings, role)
        try:
            return wanted_model(self._settings, self._models(), role).id
        except ShardlightError:
            return ""

    def _installed(self, role: Role) -> bool:
        """Whether nothing has to be downloaded first."""
        if is_remote(self._settings, role):
            return True
        try:
            return self._models().find(wanted_model(self._settings, self._models(), role)) is not None
        except ShardlightError:
            return False

    async def aclose(self) -> None:
        """Let go of all engines."""
        tasks = [*self._preparing.values(), *self._warming.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for backend in self._roles.values():
            await backend.aclose()
        self._roles.clear()

    def _models(self) -> ModelStore:
        if self._store is None:
            models = self._settings.models
            self._store = store_from(models.directory, registry_mirror=models.registry_mirror)
        return self._store

    def _role(self, role: Role) -> RoleBackend:
        if role not in self._roles:
            # The settings' names, not the models': `auto` may mean another one after a download.
            self._roles[role] = RoleBackend(
                lambda: source(self._settings, self._models(), role),
                partial(self._on_loading, role),
                partial(self._changed, role),
            )
        return self._roles[role]

    def _on_loading(self, role: Role, fraction: float) -> None:
        if loading := self._loading.get(role):
            loading(fraction)

    def _changed(self, role: Role, ready: bool, reason: str) -> None:
        model = self._model(role)
        if ready:
            self._show(Status("ready", model))
        elif reason:
            self._show(Status("failed", model, message=reason))
        else:
            lost = is_remote(self._settings, role)
            gone = "The connection is lost" if lost else "The engine is gone, and is started again"
            self._show(Status("loading", model, message=f"{gone}."))

    def _warm_up(self, role: Role) -> None:
        if role not in self._warming or self._warming[role].done():
            self._warming[role] = asyncio.create_task(self._warm(role))

    async def _warm(self, role: Role) -> None:
        if role in self._declined:
            await self.look_again()
            if role in self._declined:
                return
        rest = self._resting.get(role)
        if rest and time.monotonic() < rest.until:
            return
        try:
            await self._prepared(role)
        except ModelNotInstalledError:
            self._declined.add(role)
        except ShardlightError as error:
            # Typing goes on without suggestions; the reason is told once, not at every keystroke.
            again = rest is not None and rest.reason == str(error)
            tries = rest.tries + 1 if rest and again else 1
            # To ask a server elsewhere that is away once more costs nothing: it is not given up.
            away = isinstance(error, BackendUnavailableError) and not isinstance(error, BackendKeyError)
            tries = min(tries, _MOST_TRIES - 1) if away else tries
            if isinstance(error, BackendError) and tries < _MOST_TRIES:
                self._resting[role] = _Rest(time.monotonic() + _REST_S * tries, tries, str(error))
            else:
                self._declined.add(role)
            if not again:
                self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, str(error)))

    async def _prepared(self, role: Role) -> None:
        """Wait until a role's model can answer; all who wait share one attempt."""
        task = self._preparing.get(role)
        if task is None or task.done():
            task = self._preparing[role] = asyncio.create_task(self._prepare(role, self._role(role)))
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            if not task.done():
                # It goes on, and somebody has to tell if it fails.
                self._warm_up(role)
            raise
        task.result()

    async def _prepare(self, role: Role, backend: RoleBackend) -> None:
        try:
            await self._prepare_model(role, backend)
        except ShardlightError as error:
            if isinstance(error, (ModelNotInstalledError, DownloadError)):
                self._lacking.add(role)
            missing = isinstance(error, ModelNotInstalledError)
            self._show(Status("missing" if missing else "failed", self._model(role), message=str(error)))
            raise
        self._lacking.discard(role)

    async def _prepare_model(self, role: Role, backend: RoleBackend) -> None:
        if is_remote(self._settings, role):
            self._show(Status("loading", self._model(role), message="Connecting."))
            await backend.attach()
        else:
            await self._load(role, backend)
        for note in await backend.load_notes():
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, note))
        self._declined.discard(role)
        self._resting.pop(role, None)

    async def _load(self, role: Role, backend: RoleBackend) -> None:
        ref = await asyncio.to_thread(wanted_model, self._settings, self._models(), role)
        async with self._downloading:
            if await asyncio.to_thread(self._models().find, ref) is None:
                await self._download(ref)
        async with WorkProgress(self._server, f"Loading {ref.id}") as progress:
            progress.report("starting", 0)
            self._show(Status("loading", ref.id, 0))

            def loaded(fraction: float) -> None:
                progress.report(f"{fraction:.0%}", int(fraction * 100))
                self._show(Status("loading", ref.id, int(fraction * 100)))

            self._loading[role] = loaded
            try:
                await backend.attach()
            finally:
                del self._loading[role]

    async def _download(self, ref: ModelRef) -> None:
        """Ask, then fetch a model with progress. Raises ModelNotInstalledError if the user does not want it."""
        size = ref.model.size if isinstance(ref, CatalogRef) else None
        licence = f", {ref.model.licence}" if isinstance(ref, CatalogRef) else ""
        facts = f" ({human_size(size)}{licence})" if size else ""
        self._show(Status("missing", ref.id, message=f"The model {ref.id} is not on this machine yet."))
        answer = await self._server.window_show_message_request_async(
            lsp.ShowMessageRequestParams(
                lsp.MessageType.Info,
                f"Shardlight needs the model {ref.id}{facts}. It is downloaded once and stays on this machine.",
                [lsp.MessageActionItem(_DOWNLOAD), lsp.MessageActionItem(_LATER)],
            )
        )
        if answer is None or answer.title != _DOWNLOAD:
            raise ModelNotInstalledError(
                f"The model {ref.id} is not installed.", hint=f"`shardlight models pull {ref.id}` fetches it."
            )
        loop = asyncio.get_running_loop()
        stop = False
        async with WorkProgress(self._server, f"Downloading {ref.id}") as progress:
            tally = Tally()

            def show(total: Total) -> None:
                verb = "verifying" if total.phase == "verify" else "downloading"
                progress.report(f"{verb}, {figures(total)}", total.percent)
                self._show(Status("downloading", ref.id, total.percent, figures(total)))

            def report(transfer: Transfer) -> None:
                loop.call_soon_threadsafe(show, tally.add(transfer))

            try:
                await asyncio.to_thread(self._models().pull, ref, report, lambda: stop)
            except asyncio.CancelledError:
                stop = True
                raise DownloadError(f"The download of {ref.id} was stopped.", hint="Asked again, it goes on.") from None
