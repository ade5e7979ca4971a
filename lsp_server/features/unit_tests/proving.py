"""Running tests that were written: which of them compile, pass, and notice when the function is gone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lsp_server.features.types import Target, TestBench
from lsp_server.features.unit_tests.cases import Case, Form, with_tests
from lsp_server.features.unit_tests.heads import head
from lsp_server.syntax.emptied import emptied
from lsp_server.syntax.scopes import functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import test_cases
from lsp_server.testing.reports import TestRun
from lsp_server.testing.sites import TestSite

# A compiler stops at the first faults, so those behind them show when these are gone.
_MOST_COMPILATIONS = 4


@dataclass(frozen=True)
class Proving:
    """Runs tests of one function in its test file as that is by now.

    Attributes:
        report: called with what is being done, in a few words.
    """

    target: Target
    site: TestSite
    form: Form
    bench: TestBench
    report: Callable[[str], None]

    def text(self, cases: Sequence[Case]) -> str:
        """The test file with some tests more. Raises RefusedError as `with_tests` and `head` do."""
        sources = "\n".join(case.source for case in cases)
        more = dict.fromkeys(statement for case in cases for statement in case.imports)
        return with_tests(self.site.existing, cases, head(self.target, self.site, sources, more), self.form)

    def files(self, text: str) -> dict[Path, str]:
        """What is run with a text of the test file: that, and the document as it is in the editor."""
        return {self.site.source: self.target.snapshot.text, self.site.path: text}

    async def run(self, cases: list[Case], phase: str) -> tuple[TestRun, list[Case]]:
        """Run tests, and those of them that compile, for the others are left out when they are run once more."""
        run = TestRun()
        for _ in range(_MOST_COMPILATIONS):
            self.report(phase)
            text = self.text(cases)
            run = await self.bench.run(self.files(text), [case.name for case in cases])
            faulty = _at_lines(text, run.faulty_lines, self.form.language.id) & {case.name for case in cases}
            if "" not in run.failed or not faulty or len(faulty) == len(cases):
                break
            cases = [case for case in cases if case.name not in faulty]
        return run, cases

    async def telling(self, cases: list[Case]) -> tuple[list[Case], dict[str, int]]:
        """Those that pass once more, and not if the function does nothing; and how many do not, by the reason."""
        if not cases:
            return [], {}
        self.report("Running them once more, and without the function")
        text, names = self.text(cases), [case.name for case in cases]
        steady = await self.bench.run(self.files(text), names)
        without = self._files_without_the_function(text)
        idle = (await self.bench.run(without, names)).passed if without else frozenset()
        expects_error = self.form.framework.expects_error
        spared = {c.name for c in cases if expects_error and re.search(expects_error, c.source)}
        idle = (idle & steady.passed) - spared
        silent = {
            "not always passing": sum(case.name not in steady.passed for case in cases),
            "passing without the function": sum(case.name in idle for case in cases),
        }
        return [case for case in cases if case.name in steady.passed and case.name not in idle], silent

    def _files_without_the_function(self, text: str) -> dict[Path, str] | None:
        own = self.site.path == self.site.source
        snapshot = Snapshot.open(text, self.form.language.id) if own else self.target.snapshot
        wanted = (self.target.scope.name, self.target.scope.class_name, self.target.scope.signature)
        scope = next((f for f in functions(snapshot) if (f.name, f.class_name, f.signature) == wanted), None)
        source = emptied(snapshot, scope) if scope else None
        if source is None:
            return None
        return {self.site.path: source} if own else {self.site.source: source, self.site.path: text}


def _at_lines(text: str, lines: frozenset[int], language_id: str) -> set[str]:
    """The names of the tests that some 1-based lines are in."""
    snapshot = Snapshot.open(text, language_id)
    return {
        case.name
        for case in test_cases(snapshot)
        if any(snapshot.lines.line_of(case.start) < line <= snapshot.lines.line_of(case.end) + 1 for line in lines)
    }
