"""What a feature needs, made from test text: a target under a cursor, and tools over a scripted model."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from lsp_server.context.workspace import Workspace
from lsp_server.features.types import Target, Tools, find_target
from lsp_server.inference.backend import ChatRequest, Chunk, InfillRequest, StopReason
from lsp_server.inference.scripted import ScriptedBackend
from lsp_server.prompting.catalog import PromptCatalog, shipped_directory
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing.frameworks import FRAMEWORKS
from lsp_server.testing.project import Project
from lsp_server.testing.reports import TestRun
from lsp_server.testing.shell import PythonShell
from lsp_server.testing.sites import TestSite
from tests.support.cursor import cursor

PROMPTS = PromptCatalog(shipped_directory())
EXTENSIONS = {
    "python": "py",
    "javascript": "js",
    "typescript": "ts",
    "shellscript": "sh",
    "rust": "rs",
    "csharp": "cs",
    "ruby": "rb",
}


def target_of(marked: str, language: str = "python") -> Target:
    """The function at the ``<|>`` of a text."""
    text, offset = cursor(marked)
    extension = EXTENSIONS.get(language, language)
    return find_target(Snapshot.open(text, language), offset, PurePosixPath(f"calc.{extension}"))


# What `syntax.emptied` leaves of a function in the languages that the tests have it in.
EMPTIED = re.compile(r"^ *return None\s*$|\{\}|unimplemented!|AsItWas|\{ return 0; \}", re.MULTILINE)


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
    without: list[str] = field(default_factory=list)

    async def run(self, files: Mapping[Path, str], names: Iterable[str]) -> TestRun:
        """See ``TestBench.run``; from the second time on it is ``again``, and ``emptied`` without the function.

        ``ran`` has the test files; ``without`` the tested ones that had an emptied function.
        """
        if self.site.framework.runner is None:
            return TestRun(trouble=f"Shardlight does not run {self.site.framework.name}.")
        wanted = set(names)
        if EMPTIED.search(files[self.site.source]):
            self.without.append(files[self.site.source])
            run = self.emptied
        else:
            self.ran.append(files[self.site.path])
            run = self.again if self.again and len(self.ran) > 1 else self.outcome
        failed = {name: why for name, why in run.failed.items() if not name or name in wanted}
        return replace(run, passed=run.passed & wanted, failed=failed)

    @asynccontextmanager
    async def shell(self, files: Mapping[Path, str], lines: range) -> AsyncIterator[PythonShell | None]:
        """See ``TestBench.shell``: there is none."""
        yield None


def bench(
    *,
    passed: tuple[str, ...] = (),
    failed: dict[str, str] | None = None,
    trouble: str = "",
    existing: str | None = None,
    framework: str = "pytest",
    test_file: str = "tests/test_calc.py",
    source: str = "calc.py",
    module: str = "calc",
) -> FakeBench:
    """A bench whose run comes out like that, for a new test file or an existing one."""
    root = Path("/work")
    project = Project(root, root, Workspace((root,), lambda _path: None))
    row = next(row for row in FRAMEWORKS if row.name == framework)
    site = TestSite(project, row, root / source, root / test_file, existing is not None, existing, module)
    return FakeBench(site, TestRun(frozenset(passed), failed or {}, trouble))


def scripted(*chats: str | Exception) -> ScriptedBackend:
    """A model that gives these answers in turn."""
    return ScriptedBackend(chats=chats)


def tools_of(*chats: str | Exception, backend: ScriptedBackend | None = None, bench: FakeBench | None = None) -> Tools:
    """Tools over a model that gives these answers in turn."""
    return Tools(backend or scripted(*chats), PROMPTS, bench=bench)
