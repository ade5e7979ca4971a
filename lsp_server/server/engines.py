"""A ready backend for a role: asks before it downloads, shows what it loads, starts it once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from lsp_server.errors import DownloadError, ModelNotInstalledError, ShardlightError
from lsp_server.inference.backend import Backend
from lsp_server.inference.roles import RoleBackend
from lsp_server.inference.switching import dismiss, in_the_way
from lsp_server.models.catalog import Role
from lsp_server.server.downloading import download
from lsp_server.server.progress import WorkProgress
from lsp_server.server.retries import Retries
from lsp_server.server.status import Status
from lsp_server.server.wanted import Wanted
from lsp_server.settings.schema import Settings

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

# Both roles may have the same engine, of which one message is enough.
_SAID_S = 60.0


class Engines:
    """The backends of one editor session, made from its settings."""

    def __init__(self, server: LanguageServer, settings: Settings, show: Callable[[Status], None]) -> None:
        """Backends for a client.

        Args:
            show: called with each state of the models.
        """
        self._server = server
        self._show = show
        self._wanted = Wanted(settings)
        self._roles: dict[Role, RoleBackend] = {}
        # Those of the settings before, which answer until their successors can.
        self._former: dict[Role, RoleBackend] = {}
        self._preparing: dict[Role, asyncio.Task[None]] = {}
        self._warming: dict[Role, asyncio.Task[None]] = {}
        self._declined: set[Role] = set()
        # Those whose model was not here when it was wanted.
        self._lacking: set[Role] = set()
        self._retries = Retries()
        self._loading: dict[Role, Callable[[float], None]] = {}
        self._said_at = -_SAID_S
        # Who stands in for a server elsewhere is said the first time, and seen from the status afterwards.
        self._said_standing_in: set[str] = set()
        # One question at a time: both roles may need the same model.
        self._downloading = asyncio.Lock()

    def if_ready(self, role: Role) -> Backend | None:
        """The backend if it can answer now; else None, and it is being made ready in the background."""
        backend = self._role(role)
        if backend.ready:
            return backend
        if role not in self._declined or role in self._lacking:
            self._warm_up(role)
        return self._answering_still(role)

    def _answering_still(self, role: Role) -> RoleBackend | None:
        former = self._former.get(role)
        return former if former and former.ready else None

    async def once_loaded(self, role: Role) -> Backend | None:
        """The backend, when its model is loaded; None if that fails, or the model is not on this machine yet."""
        backend = self.if_ready(role)
        if backend is None and role not in self._declined and await asyncio.to_thread(self._wanted.is_here, role):
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
            if former := self._answering_still(role):
                self._warm_up(role)
                return former
            await self._prepared(role)
        return backend

    async def switch(self, settings: Settings) -> None:
        """Go by other settings from now on; what answers does so until its successor can."""
        tasks = (*self._preparing.items(), *self._warming.items())
        on_its_way = {role for role, task in tasks if not task.done()}
        await self._stop_preparing()
        # Without a pause, in which somebody may ask for a backend, up to where the new settings count.
        before, self._roles = self._roles, {}
        self._wanted = Wanted(settings)
        leaving: list[tuple[Role, RoleBackend]] = []
        for role, backend in before.items():
            if not backend.ready:
                leaving.append((role, backend))
                continue
            if older := self._former.get(role):
                leaving.append((role, older))
            self._former[role] = backend
        for kept in (self._declined, self._lacking, self._retries):
            kept.clear()
        self._show(Status("idle", self._model("completion")))
        for role in {*self._former, *on_its_way}:
            self._warm_up(role)
        await asyncio.gather(*(backend.leave(partial(self.ready, role)) for role, backend in leaving))

    async def look_again(self) -> None:
        """What was lacking may be here by now: models are fetched by the command line, too."""
        for role in tuple(self._lacking):
            if await asyncio.to_thread(self._wanted.is_here, role):
                self._lacking.discard(role)
                self._declined.discard(role)
                if not any(backend.ready for backend in self._roles.values()):
                    self._show(Status("idle", self._model(role)))

    def describe(self, role: Role) -> dict[str, str]:
        """The role's model and its state, for people."""
        backend = self._roles.get(role)
        if self._wanted.is_remote(role):
            return {"model": self._model(role), "state": "ready" if backend and backend.ready else "not connected"}
        try:
            model = self._wanted.model(role)
            installed = self._wanted.store.find(model) is not None
        except ShardlightError as error:
            return {"model": "", "state": str(error)}
        state = "ready" if backend and backend.ready else "not started" if installed else "not installed"
        return {"model": model.id, "state": state}

    def _model(self, role: Role) -> str:
        """The name of a role's model and where it is elsewhere; empty where the settings name none that is known."""
        backend = self._roles.get(role)
        if not self._wanted.is_remote(role):
            return self._wanted.model_name(role)
        if not (backend and backend.ready):
            return self._wanted.host(role)
        return backend.elsewhere or f"{self._wanted.model_name(role)} on this machine"

    async def aclose(self) -> None:
        """Let go of all engines."""
        await self._stop_preparing()
        for backend in (*self._roles.values(), *self._former.values()):
            await backend.aclose()
        self._roles.clear()
        self._former.clear()

    async def _stop_preparing(self) -> None:
        # More may come while those come to their end.
        while tasks := [one for one in (*self._preparing.values(), *self._warming.values()) if not one.done()]:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._preparing.clear()
        self._warming.clear()

    def _role(self, role: Role) -> RoleBackend:
        if role not in self._roles:
            source, *stand_ins = self._wanted.sources(role)
            self._roles[role] = RoleBackend(
                source,
                partial(self._on_loading, role),
                partial(self._changed, role),
                partial(self._ended, role),
                stand_ins=stand_ins,
            )
        return self._roles[role]

    def _on_loading(self, role: Role, fraction: float) -> None:
        if loading := self._loading.get(role):
            loading(fraction)
        elif self._wanted.is_remote(role):
            said = "No server answers; a model of this machine is loaded."
            self._show(Status("loading", self._model(role), int(fraction * 100), said))

    def _changed(self, role: Role, ready: bool, reason: str) -> None:
        model = self._model(role)
        if ready:
            self._show(Status("ready", model, message=self._standing_in(role, model)))
        elif reason:
            self._show(Status("failed", model, message=reason))
        else:
            engine_is_gone = "The engine is gone, and is started again."
            said = "The connection is lost." if self._wanted.is_remote(role) else engine_is_gone
            self._show(Status("loading", model, message=said))

    def _standing_in(self, role: Role, model: str) -> str:
        """Why another one answers than the one who is wanted; empty if that is the one."""
        trouble = self._roles[role].trouble if role in self._roles else ""
        if not trouble:
            return ""
        said = f"{trouble} {model} answers meanwhile."
        if model not in self._said_standing_in:
            self._said_standing_in.add(model)
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, said))
        return said

    def _ended(self, role: Role, reason: str) -> None:
        now = time.monotonic()
        if now - self._said_at >= _SAID_S:
            self._said_at = now
            said = f"{self._model(role)}: {reason} Another one takes its place."
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, said))

    def _warm_up(self, role: Role) -> None:
        if role not in self._warming or self._warming[role].done():
            self._warming[role] = asyncio.create_task(self._warm(role))

    async def _warm(self, role: Role) -> None:
        if role in self._declined:
            await self.look_again()
            if role in self._declined:
                return
        if self._retries.rests(role):
            return
        try:
            await self._prepared(role)
        except ModelNotInstalledError:
            self._declined.add(role)
        except ShardlightError as error:
            # Typing goes on without suggestions; the reason is told once, not at every keystroke.
            is_news = self._retries.is_news(role, error)
            if not self._retries.failed(role, error):
                self._declined.add(role)
            if is_news:
                former = self._former.get(role)
                goes_on = f" {former.engine.model_id} goes on answering." if former and former.engine else ""
                self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Error, f"{error}{goes_on}"))

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
        if self._wanted.is_remote(role):
            self._show(Status("loading", self._model(role), message="Connecting."))
            await backend.attach()
        else:
            await self._load(role, backend)
        for note in await backend.load_notes():
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Warning, note))
        self._declined.discard(role)
        self._retries.succeeded(role)
        await self._retire(role)

    async def _load(self, role: Role, backend: RoleBackend) -> None:
        ref = await asyncio.to_thread(self._wanted.model, role)
        async with self._downloading:
            if await asyncio.to_thread(self._wanted.store.find, ref) is None:
                await download(self._server, self._wanted.store, ref, self._show)
        async with WorkProgress(self._server, f"Loading {ref.id}") as progress:
            progress.report("starting", 0)
            self._show(Status("loading", ref.id, 0))
            await self._make_room(role)

            def loaded(fraction: float) -> None:
                progress.report(f"{fraction:.0%}", int(fraction * 100))
                self._show(Status("loading", ref.id, int(fraction * 100)))

            self._loading[role] = loaded
            try:
                await backend.attach()
            finally:
                del self._loading[role]

    async def _make_room(self, role: Role) -> None:
        """The engine of the settings before leaves first where it does not fit beside the new one."""
        former = self._former.get(role)
        old = former.engine if former else None
        if old is None:
            return
        new = await asyncio.to_thread(self._wanted.engine, role)
        if await asyncio.to_thread(in_the_way, old, new):
            told = f"{old.model_id} is let go first: there is not enough memory for {new.model_id} beside it."
            self._server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, told))
            await self._retire(role)

    async def _retire(self, role: Role) -> None:
        """Let go of what answered before, and have its engine give its memory back if nobody else has it."""
        former = self._former.pop(role, None)
        if former is None:
            return
        await former.leave(partial(self.ready, role))
        serving = {b.engine.name for b in (*self._roles.values(), *self._former.values()) if b.engine}
        if former.engine and former.engine.name not in serving:
            await dismiss(former.engine)
