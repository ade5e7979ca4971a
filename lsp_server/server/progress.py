"""Work that the user waits for: ``$/progress`` with a figure, and a way to cancel it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)

# Other editors answer in a few milliseconds.
_PATIENCE_S = 0.3


class WorkProgress:
    """One progress display; an async context manager. Cancelling it in the editor cancels the task that entered it.

    Does nothing for clients without ``window.workDoneProgress``.
    """

    def __init__(self, server: LanguageServer, title: str) -> None:
        self._server = server
        self._title = title
        self._token = str(uuid.uuid4())
        self._shown = self._over = False
        self._creating: asyncio.Task[None] | None = None  # held, or it might be collected
        self._last = ("", -1)

    async def __aenter__(self) -> WorkProgress:
        window = self._server.client_capabilities.window
        if not (window and window.work_done_progress):
            return self
        self._creating = asyncio.create_task(self._create(asyncio.current_task()))
        # Helix gives no answer as long as it waits for the work itself, which then begins without.
        try:
            await asyncio.wait({self._creating}, timeout=_PATIENCE_S)
        except asyncio.CancelledError:
            # The user may be that quick, too.
            self._creating.cancel()
            await self.__aexit__(None, None, None)
            raise
        return self

    async def _create(self, task: asyncio.Task[Any] | None) -> None:
        progress = self._server.work_done_progress
        try:
            await progress.create_async(self._token)
        except Exception as error:
            # A client may decline to show progress; the work goes on.
            logger.info("The client shows no progress: %s", error)
            return
        if task:
            progress.tokens[self._token].add_done_callback(lambda f: task.cancel() if f.cancelled() else None)
        progress.begin(self._token, lsp.WorkDoneProgressBegin(title=self._title, cancellable=True, percentage=None))
        self._shown = True
        if self._over:
            self._end()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._over = True
        if self._shown:
            self._end()

    def _end(self) -> None:
        self._server.work_done_progress.end(self._token, lsp.WorkDoneProgressEnd())
        self._server.work_done_progress.tokens.pop(self._token, None)

    def report(self, message: str, percentage: int | None = None) -> None:
        """Say where the work is: a few words, and percent (0..100) where they are known."""
        state = (message, -1 if percentage is None else percentage)
        if self._shown and not self._over and state != self._last:
            self._last = state
            self._server.work_done_progress.report(
                self._token, lsp.WorkDoneProgressReport(message=message, percentage=percentage)
            )
