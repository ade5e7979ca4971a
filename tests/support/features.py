"""What a feature needs, made from test text: a target under a cursor, and tools over a scripted model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from lsp_server.context.test_sites import TestSite
from lsp_server.features.types import Target, TestRun, Tools, find_target
from lsp_server.inference.backend import ChatRequest, Chunk, InfillRequest, StopReason
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.prompting.catalog import PromptCatalog, shipped_directory
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor

PROMPTS = PromptCatalog(shipped_directory())
EXTENSIONS = {"python": "py", "javascript": "js", "typescript": "ts", "shellscript": "sh", "rust": "rs"}


def target_of(marked: str, language: str = "python") -> Target:
    """The function at the ``<|>`` of a text."""
    text, offset = cursor(marked)
    extension = EXTENSIONS.get(language, language)
    return find_target(Snapshot.open(text, language), offset, PurePosixPath(f"calc.{extension}"))


class Limited(ScriptedBackend):
    """A scripted model that is cut off for length after ``limit`` pieces, as a real one would be."""

    limit = 0

    async def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        async for chunk in self._limited(super().chat(request)):
            yield chunk

    async def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        async for chunk in self._limited(super().infill(request)):
            yield chunk

    async def _limited(self, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        count = 0
        async for chunk in chunks:
            if count == self.limit:
                yield Chunk("", StopReason.LENGTH)
                return
            count += 1
            yield chunk


def limited(limit: int, *chats: str) -> Limited:
    """A model that answers with the first ``limit`` pieces of each reply."""
    backend = Limited(chats=chats, infills=chats)
    backend.limit = limit
    return backend


@dataclass
class FakeBench:
    """A test bench that says what it is told to, and keeps what it was given."""

    site: TestSite
    outcome: TestRun = field(default_factory=TestRun)
    ran: list[str] = field(default_factory=list)
    again: TestRun | None = None
    emptied: TestRun = field(default_factory=TestRun)

    async def run(self, source: str) -> TestRun:
        """See ``TestBench.run``; the second time of one source is ``again``."""
        self.ran.append(source)
        if "setattr(_module" in source:
            return self.emptied
        return self.again if self.again and len(self.ran) > 1 else self.outcome


def bench(
    *,
    passed: tuple[str, ...] = (),
    failed: dict[str, str] | None = None,
    trouble: str = "",
    existing: str | None = None,
) -> FakeBench:
    """A bench whose run comes out like that, for a new test file or an existing one."""
    root = Path("/work")
    site = TestSite(root, root / "tests" / "test_calc.py", existing is not None, existing, "calc")
    return FakeBench(site, TestRun(frozenset(passed), failed or {}, trouble))


def scripted(*chats: str | Exception) -> ScriptedBackend:
    """A model that gives these answers in turn."""
    return ScriptedBackend(chats=chats)


def tools_of(*chats: str | Exception, backend: ScriptedBackend | None = None, bench: FakeBench | None = None) -> Tools:
    """Tools over a model that gives these answers in turn."""
    return Tools(backend or scripted(*chats), PROMPTS, bench=bench)
