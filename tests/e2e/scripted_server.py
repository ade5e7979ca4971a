"""The real language server over a model that answers from a script.

``python -m tests.e2e.scripted_server SCRIPT.json``; the script is a JSON object, all of it optional: ``infills`` and
``chats`` (see ``ScriptedBackend``; an object with one key ``error`` raises), ``knows`` (the text that the model
expects, see ``expecting``), ``hold`` (answers wait after their first piece until the test lets them go), ``loading``
(so long the model is not ready while typing) and ``log`` (its level: what `serve` logs goes to stderr then). Two
methods of its own tell a test what a client cannot see:

* ``test/state`` (request): how many answers were begun and are going on, what was asked for, and what was around holes
  and shown of other places; and how many messages pygls keeps.
* ``test/release`` (notification): answers that are held may go on, and the model is loaded.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from pygls.lsp.server import LanguageServer

from lsp_server.errors import BackendUnavailableError
from lsp_server.inference.backend import Backend, ChatRequest, Chunk, InfillRequest, ScoreRequest
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.models.catalog import Role
from lsp_server.server import quiet_log
from lsp_server.server.app import create_server
from lsp_server.server.status import Status
from lsp_server.settings import sources
from lsp_server.settings.schema import Settings
from tests.support.scores import expecting


class WatchedBackend:
    """A scripted backend that counts, and waits when it is told to."""

    fills_holes = True

    def __init__(self, script: dict[str, Any]) -> None:
        self._script = ScriptedBackend(
            infills=_replies(script, "infills"),
            chats=_replies(script, "chats"),
            scores=expecting(script["knows"]) if "knows" in script else lambda _request: (),
        )
        self._held = bool(script.get("hold"))
        self.released = asyncio.Event()
        self.begun = 0
        self.going_on = 0

    def state(self) -> dict[str, Any]:
        """For ``test/state``."""
        requests = [type(request).__name__ for request in self._script.seen]
        holes = [
            {"prefix": one.prefix, "suffix": one.suffix, "context": [[piece.path, piece.text] for piece in one.extra]}
            for one in self._script.seen
            if isinstance(one, InfillRequest)
        ]
        return {"begun": self.begun, "goingOn": self.going_on, "requests": requests, "holes": holes}

    def release(self) -> None:
        """For ``test/release``."""
        self.released.set()

    def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        return self._watched(self._script.infill(request))

    def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        return self._watched(self._script.chat(request))

    def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.score``."""
        return self._watched(self._script.score(request))

    async def _watched(self, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        self.begun += 1
        self.going_on += 1
        try:
            async for chunk in chunks:
                yield chunk
                if self._held:
                    await self.released.wait()
        finally:
            self.going_on -= 1


class ScriptedBackends:
    """See ``session.Backends``."""

    def __init__(self, backend: WatchedBackend, *, loading: bool) -> None:
        self._backend = backend
        self._loading = loading

    def if_ready(self, role: Role) -> Backend | None:
        """The scripted model, unless it is said to be loading."""
        return None if self._loading and not self._backend.released.is_set() else self._backend

    async def once_loaded(self, role: Role) -> Backend | None:
        """The scripted model, when it is said to be loaded."""
        if self._loading:
            await self._backend.released.wait()
        return self._backend

    async def ready(self, role: Role) -> Backend:
        """The scripted model."""
        return self._backend

    async def look_again(self) -> None:
        """It is always here."""

    def describe(self, role: Role) -> dict[str, str]:
        """For ``shardlight.status``."""
        return {"model": "scripted", "state": "ready"}

    async def switch(self, settings: Settings) -> None:
        """Settings change nothing in it."""

    async def aclose(self) -> None:
        """Nothing to close."""


def _replies(script: dict[str, Any], name: str) -> list[str | Exception]:
    return [BackendUnavailableError(r["error"]) if isinstance(r, dict) else r for r in script.get(name, [])]


def main() -> None:
    """Serve over standard input and output."""
    script = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    backend = WatchedBackend(script)

    wanted: list[str] = []

    def make_backends(_server: LanguageServer, settings: Settings, show: Callable[[Status], None]) -> ScriptedBackends:
        wanted.append(settings.models.completion)
        show(Status("ready", "scripted"))
        return ScriptedBackends(backend, loading=bool(script.get("loading")))

    if "log" in script:
        logging.basicConfig(level=script["log"])
        quiet_log.keep_texts_out()
    server = create_server(sources.load, make_backends)

    @server.feature("test/state")
    def state(_params: Any) -> dict[str, Any]:
        return {**backend.state(), "wanted": wanted, "kept": len(server.protocol._request_futures)}

    @server.feature("test/release")
    def release(_params: Any) -> None:
        backend.release()

    server.start_io()


if __name__ == "__main__":
    main()
