"""Unit tests for a function: generated, taken apart, run, and only those that hold and say something are offered.

A test that fails and cannot be corrected, that does not always pass, or that passes when the function does nothing at
all, is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lsp_server.errors import RefusedError
from lsp_server.features.describing import described, owner_of
from lsp_server.features.guided import Guide
from lsp_server.features.postprocess.code import strip_answer
from lsp_server.features.types import Target, TestBench, Tools, add_timings
from lsp_server.features.unit_tests.cases import Case, Form, take_apart
from lsp_server.features.unit_tests.circles import closed, goes_in_circles, repeats_itself, whole_lines
from lsp_server.features.unit_tests.heads import head
from lsp_server.features.unit_tests.observed import as_observed
from lsp_server.features.unit_tests.proving import Proving
from lsp_server.features.unit_tests.trying_out import TryOut
from lsp_server.inference.backend import Message, Timings
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import test_cases
from lsp_server.testing.reports import TestRun
from lsp_server.testing.shell import PythonShell
from lsp_server.testing.sites import TestSite

_COUNT, _MAX_TOKENS = 5, 480
# With fewer that pass, those that fail are worth another request; the likeliest words have failed already.
_ENOUGH = 2
_OTHERWISE = 0.7
# So many differences between what was expected and what is are told.
_MOST_TOLD = 3


@dataclass
class Written:
    """The test file after one function's tests were added, and what is to be said of them."""

    name: str
    text: str
    count: int
    note: str
    timings: Timings


@dataclass
class Writer:
    """Writes the tests of one function into a test file's text as it is by now.

    Attributes:
        progress: what is said before each phase.
    """

    target: Target
    site: TestSite
    bench: TestBench
    tools: Tools
    progress: str = ""
    timings: Timings = field(default_factory=Timings)
    dropped: dict[str, int] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    strength: str = ""

    def __post_init__(self) -> None:
        name, framework = self.target.scope.name, self.site.framework
        owner = owner_of(self.target)
        # A constructor or an operator is tested through its class.
        subject = owner if owner and (name.startswith("__") or name in ("constructor", owner)) else name
        opening, begin = (
            framework.fill(f, name, owner, self.target.path.stem) for f in (framework.opening, framework.begin)
        )
        self.form = Form(framework, self.target.language, subject, opening, begin)
        self.proving = Proving(self.target, self.site, self.form, self.bench, self._report)

    @property
    def _language(self) -> str:
        return self.target.language.id

    async def write(self) -> Written:
        """Generate, run, correct, and keep what holds; where nothing does, once more with other words.

        Raises:
            RefusedError: nothing holds; the reason is that of the first time.
        """
        try:
            return await self._attempt(f"Writing tests for {self.target.scope.name}", 0.0)
        except RefusedError as refusal:
            try:
                return await self._attempt(f"Writing other tests for {self.target.scope.name}", _OTHERWISE)
            except RefusedError:
                raise refusal from None

    async def _attempt(self, phase: str, temperature: float) -> Written:
        name = self.target.scope.name
        there = Snapshot.open(self.site.existing or "", self._language)
        self.taken, self.dropped = {case.name for case in test_cases(there)}, {}
        framework = self.form.framework.name
        said = described(self.target)
        asked = self.tools.prompts.render("unit_tests", self._language, **said, framework=framework, count=_COUNT)
        cases, answer = await self._generate(asked, (), phase, temperature)
        count, run = len(cases), TestRun()
        if cases:
            run, cases = await self._run(cases, f"Running {count} tests")
        if run.trouble:
            return self._written(cases, f"not run, {run.trouble}")
        passed = [case for case in cases if case.name in run.passed]
        failed = [case for case in cases if run.failed.get(case.name)]
        corrected: list[Case] = []
        observed: dict[str, list[str]] = {}
        async with self.bench.shell(self.proving.files(self.site.existing or ""), self.target.lines) as shell:
            if shell is not None:
                self._report(f"Looking at what {name} returns")
                corrected, observed = await self._observed(shell, failed, passed)
            elif not temperature and run.failed and len(passed) < _ENOUGH:
                self.taken -= {case.name for case in failed}
                corrected = await self._correct(asked, answer, run, cases)
            # What was corrected is another test; what was observed is the one that failed.
            self.dropped["failed"] = count - sum(self.dropped.values()) - len(passed) - len(observed)
            kept, silent = await self.proving.telling([*passed, *corrected])
            self.dropped |= silent
            recorded: list[Case] = []
            if shell is not None and (observed or len(kept) < _COUNT):
                kept, recorded = await self._tried_out(shell, kept, set(observed), asked, answer, temperature)
        if not kept and not recorded:
            raise RefusedError(self._refusal(count, run), hint="Try again, or a larger model.")
        mended = [case.name for case in corrected if case in kept]
        ways = {"corrected" if shell is None else "expecting what it returns today": len(mended)}
        note = _note(count, len(kept), ways, len(recorded), self.dropped)
        told = [sentence for name in mended for sentence in observed.get(name, ())]
        return self._written([*kept, *recorded], " ".join(filter(None, [note, self.strength, *told[:_MOST_TOLD]])))

    def _refusal(self, count: int, run: TestRun) -> str:
        name, why = self.target.scope.name, _why(self.dropped)
        if not count:
            return f"No usable test came out for {name}."
        if self.dropped["failed"] == count:
            reason = next(iter(run.failed.values()), "they could not be collected")
            return f"None of the {count} tests for {name} passed, so none is offered ({reason})."
        return f"None of the {count} tests for {name} says anything, so none is offered ({why})."

    def _written(self, cases: list[Case], note: str) -> Written:
        return Written(self.target.scope.name, self.proving.text(cases), len(cases), note, self.timings)

    async def _generate(
        self, asked: tuple[Message, ...], known: Sequence[Case], phase: str, temperature: float
    ) -> tuple[list[Case], str]:
        """Sound tests other than those that are known, and the whole answer that they are from."""
        form, target = self.form, self.target
        guide = Guide(self.tools, asked, phase=f"{self.progress}{phase}")
        # With what a test may use, or the model would do without.
        above = head(target, self.site, f"{form.begin} {form.framework.name}").text
        guide.write(f"```{target.fence}\n{above}\n{form.apart if above else ''}{form.started}")
        start = re.escape(form.begin.split("<")[0].split("\n")[0][:8].rstrip("_"))
        # A small model goes on with tests that repeat each other; the head of one too many says that there are enough.
        while (left := _MAX_TOKENS - guide.timings.predicted_tokens) > 0:
            await guide.fill(
                stop=("```",),
                max_tokens=left,
                temperature=temperature,
                enough=lambda text: (
                    len(re.findall(rf"\n\s*{start}", text)) >= _COUNT or goes_in_circles(text) or repeats_itself(text)
                ),
            )
            table = None if guide.complete else closed(guide.answer, target.language.line_comment)
            if table is None:
                break
            guide.take_back(guide.answer)
            guide.write(table)
        self.timings = add_timings(self.timings, guide.timings)
        code, whole = strip_answer(guide.answer), guide.complete
        if not whole and self._language == "python":
            # Whole lines of a block are a block.
            code, whole = whole_lines(code), True
        return take_apart(code, form, self.taken, known, whole=whole), guide.answer

    async def _correct(self, first: tuple[Message, ...], answer: str, run: TestRun, cases: list[Case]) -> list[Case]:
        """What the model makes of the tests that failed when it is told why, as far as that passes."""
        wrong = "; ".join(f"{name}: {reason}" if name else reason for name, reason in run.failed.items())
        language = self.target.language
        reason = f"These tests fail: {wrong}."
        repair = self.tools.prompts.render("repair", language.id, language=language.name, reason=reason)
        asked = (*first, Message("assistant", f"{answer.rstrip('`')}\n```"), *repair)
        fresh, _ = await self._generate(asked, cases, "Correcting what failed", _OTHERWISE)
        if not fresh:
            return []
        again, fresh = await self._run(fresh, f"Running {len(fresh)} corrected tests")
        return [case for case in fresh if case.name in again.passed]

    async def _observed(
        self, shell: PythonShell, failed: list[Case], passed: list[Case]
    ) -> tuple[list[Case], dict[str, list[str]]]:
        """Of tests that failed, those that pass when they expect what is; by name, what the model had expected instead.

        What then says the same as one that passed is left out.
        """
        changed: dict[str, tuple[Case, list[str]]] = {}
        bodies = {case.body for case in passed}
        for case in failed:
            found = await as_observed(case, shell, unittest=self.form.asserts_by_methods)
            if found is not None and found[0].body not in bodies:
                bodies.add(found[0].body)
                changed[case.name] = found
        cases = [case for case, _ in changed.values()]
        again, cases = await self._run(cases, f"Running {len(cases)} tests") if cases else (TestRun(), [])
        passing = [case for case in cases if case.name in again.passed]
        return passing, {case.name: changed[case.name][1] for case in passing}

    async def _tried_out(
        self,
        shell: PythonShell,
        kept: list[Case],
        weak: set[str],
        asked: tuple[Message, ...],
        answer: str,
        temperature: float,
    ) -> tuple[list[Case], list[Case]]:
        """What is of use of the tests that hold, and of new ones of calls and what came of them, if there is room.

        Args:
            weak: the names of tests that need not be kept.
        """
        phase = f"{self.progress}Trying {self.target.scope.name} out"
        trying = TryOut(
            self.target, self.site, self.form, self.bench, self.tools, phase, asked, most=_COUNT, taken=self.taken
        )
        sure = [case for case in kept if case.name not in weak]
        unsure = [case for case in kept if case.name in weak]
        stay, cases = await trying.cases(shell, strip_answer(answer), sure, unsure, temperature)
        self.timings = add_timings(self.timings, trying.timings)
        if left_out := len(unsure) - len(stay):
            self.dropped["saying no more than others"] = left_out
        if cases:
            run, cases = await self._run(cases, f"Running {len(cases)} tests")
            cases, _ = await self.proving.telling([case for case in cases if case.name in run.passed])
        names = [case.name for case in (*sure, *stay, *cases)]
        noticed = set().union(*(trying.noticed.get(name, set()) for name in names))
        if trying.mutants and names:
            self.strength = f"They notice {len(noticed)} of {trying.mutants} small changes to it."
        return [*sure, *stay], cases

    async def _run(self, cases: list[Case], phase: str) -> tuple[TestRun, list[Case]]:
        """See `Proving.run`; those that do not compile are counted."""
        run, compiling = await self.proving.run(cases, phase)
        if faulty := len(cases) - len(compiling):
            self.dropped["did not compile"] = self.dropped.get("did not compile", 0) + faulty
        return run, compiling

    def _report(self, phase: str) -> None:
        self.tools.report(f"{self.progress}{phase}", self.timings.predicted_tokens)


def _note(written: int, kept: int, ways: dict[str, int], recorded: int, dropped: dict[str, int]) -> str:
    """How it went, in a sentence or two."""
    tried = f"{recorded} from trying it out, expecting what it does today." if recorded else ""
    if not written and tried:
        return tried
    why = _why(dropped)
    gone = f", {sum(dropped.values())} dropped ({why})" if why else ""
    if tried and not kept:
        # What there is comes first.
        return f"{tried} {written} written{gone}."
    mended = f" ({way})" if (way := _why(ways)) else ""
    said = f"{written} written, {kept} {'passes' if kept == 1 else 'pass'}{mended}{gone}"
    return f"{said}. And {tried}" if tried else f"{said}."


def _why(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
