"""What our language server would ask for at a keystroke: its own feature is run, on a backend that only listens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from benchmarks.engine.replay import Step
from lsp_server.context.window import Window, window
from lsp_server.features.inline_completion import Cursor, Effort, complete
from lsp_server.inference.backend import ChatRequest, Chunk, InfillRequest, ScoreRequest, StopReason
from lsp_server.prompting.catalog import PromptCatalog, shipped_directory
from lsp_server.syntax.snapshot import Snapshot


def asked_for(step: Step) -> Window:
    """The text before and after the hole; where it would ask for nothing (inside a word), what it would have sent."""
    snapshot = Snapshot(step.text, "python", 1)
    listener = _Listener()
    asyncio.run(
        complete(Cursor(snapshot, step.offset), listener, Effort(1, in_text=True), PromptCatalog(shipped_directory()))
    )
    if listener.heard is None:
        return window(snapshot.lines, step.offset)
    return Window(listener.heard.prefix, listener.heard.suffix)


class _Listener:
    """A backend that says nothing."""

    fills_holes = True

    def __init__(self) -> None:
        self.heard: InfillRequest | None = None

    async def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        self.heard = request
        yield Chunk("", StopReason.EOS)

    async def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        yield Chunk("", StopReason.EOS)

    async def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.score``."""
        yield Chunk("", StopReason.EOS)
