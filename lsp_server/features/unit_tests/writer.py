"""Unit tests for a function: generated, taken apart, run, and only those that hold and say something are offered.

A test that fails and cannot be corrected, that does not always pass, or that passes when the function does nothing at
all, is dropped.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.postprocess.code import strip_answer
from lsp_server.features.types import Target, TestBench, Tools, add_timings
from lsp_server.features.unit_tests.cases import Case, Form, take_apart, with_tests
from lsp_server.features.unit_tests.circles import closed, goes_in_circles, whole_lines
from lsp_server.features.unit_tests.heads import head, owner_of
from lsp_server.features.unit_tests.observed import as_observed, probe
from lsp_server.inference.backend import Message, Timings
from lsp_server.syntax.emptied import emptied
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.scopes import ClassScope, enclosing_class, functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import test_cases
from lsp_server.testing.reports import TestRun
from lsp_server.testing.sites import TestSite

_COUNT = 5
_MAX_TOKENS = 480
# A class is shown whole to the model if it is no longer than this many characters.
_CLASS_CHARS = 3000
# What else of the file is shown.
_STUB_CHARS = 1500
# With fewer that pass, those that fail are worth another request; the likeliest words have failed already.
_ENOUGH = 2
_OTHERWISE = 0.7
# So many differences between what was expected and what is are told.
_MOST_TOLD = 3
# A compiler stops at the first faults, so those behind them show when these are gone.
_MOST_COMPILATIONS = 4


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

    def __post_init__(self) -> None:
        name, framework = self.target.scope.name, self.site.framework
        owner = owner_of(self.target)
        # A constructor or an operator is tested through its class.
        subject = owner if owner and (name.startswith("__") or name in ("constructor", owner)) else name
        opening, begin = (
            framework.fill(f, name, owner, self.target.path.stem) for f in (framework.opening, framework.begin)
        )
        self.form = Form(framework, self.target.language, subject, opening, begin)

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
        name, first = self.target.scope.name, not temperature
        there = Snapshot.open(self.site.existing or "", self._language)
        self.taken, self.dropped = {case.name for case in test_cases(there)}, {}
        messages = self._messages()
        cases, answer = await self._generate(messages, (), phase, temperature)
        if not cases:
            raise RefusedError(f"No usable test came out for {name}.", hint="Try again, or a larger model.")
        count = len(cases)
        run, cases = await self._run(cases, f"Running {len(cases)} tests")
        if run.trouble:
            return self._written(cases, f"not run, {run.trouble}")
        kept = [case for case in cases if case.name in run.passed]
        observed, differences = await self._observed([case for case in cases if run.failed.get(case.name)], kept)
        kept += observed
        corrected: list[Case] = []
        if first and run.failed and len(kept) < _ENOUGH:
            self.taken -= run.failed.keys() - {case.name for case in kept}
            corrected = await self._correct(messages, answer, run, cases)
            kept += corrected
        if not kept:
            reason = next(iter(run.failed.values()), "they could not be collected")
            raise RefusedError(f"None of the {count} tests for {name} passed, so none is offered ({reason}).")
        self.dropped["failed"] = count - sum(self.dropped.values()) - (len(kept) - len(corrected))
        kept = await self._telling(kept)
        if not kept:
            raise RefusedError(
                f"None of the {count} tests for {name} says anything, so none is offered ({_why(self.dropped)})."
            )
        note = _note(count, kept, [c for c in corrected if c in kept], [c for c in observed if c in kept], self.dropped)
        return self._written(kept, " ".join([note, *differences[:_MOST_TOLD]]))

    def _written(self, cases: list[Case], note: str) -> Written:
        return Written(self.target.scope.name, self._text(cases), len(cases), note, self.timings)

    def _messages(self) -> tuple[Message, ...]:
        target = self.target
        return self.tools.prompts.render(
            "unit_tests",
            target.language.id,
            language=target.language.name,
            fence=target.fence,
            framework=self.form.framework.name,
            name=f"{owner}.{target.name}" if (owner := owner_of(target)) else target.name,
            count=_COUNT,
            code=_shown_code(target),
            related=_definitions(target),
        )

    async def _generate(
        self, messages: tuple[Message, ...], known: Sequence[Case], phase: str, temperature: float
    ) -> tuple[list[Case], str]:
        """Sound tests other than those that are known, and the whole answer that they are from."""
        form, target = self.form, self.target
        guide = Guide(self.tools, messages, phase=f"{self.progress}{phase}")
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
                enough=lambda text: len(re.findall(rf"\n\s*{start}", text)) >= _COUNT or goes_in_circles(text),
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

    async def _correct(self, messages: tuple[Message, ...], answer: str, run: TestRun, cases: list[Case]) -> list[Case]:
        """What the model makes of the tests that failed when it is told why, as far as that passes."""
        wrong = "; ".join(f"{name}: {reason}" if name else reason for name, reason in run.failed.items())
        language = self.target.language
        reason = f"These tests fail: {wrong}."
        repair = self.tools.prompts.render("repair", language.id, language=language.name, reason=reason)
        asked = (*messages, Message("assistant", f"{answer.rstrip('`')}\n```"), *repair)
        fresh, _ = await self._generate(asked, cases, "Correcting what failed", _OTHERWISE)
        if not fresh:
            return []
        again, fresh = await self._run(fresh, f"Running {len(fresh)} corrected tests")
        return [case for case in fresh if case.name in again.passed]

    async def _observed(self, failed: list[Case], kept: list[Case]) -> tuple[list[Case], list[str]]:
        """Of tests that failed, those that pass when they expect what is, and what the model had expected instead.

        What then says the same as one that is kept is left out.
        """
        probes = [made for case in failed if (made := probe(case))] if self._language == "python" else []
        if not probes:
            return [], []
        self._report(f"Looking at what {self.target.scope.name} returns")
        run = await self.bench.run(self._files(self._text(probes)), [case.name for case in probes])
        seen = [(case, as_observed(case, run.failed.get(case.name, ""))) for case in failed]
        bodies = {case.body for case in kept}
        changed = {found[0].name: found for _, found in seen if found and found[0].body not in bodies}
        cases = [found[0] for found in changed.values()]
        again, cases = await self._run(cases, f"Running {len(cases)} tests") if cases else (TestRun(), [])
        passing = [case for case in cases if case.name in again.passed]
        return passing, [told for case in passing for told in changed[case.name][1]]

    async def _run(self, cases: list[Case], phase: str) -> tuple[TestRun, list[Case]]:
        """Run tests; those that a compiler finds fault with are dropped, and the others are run without them."""
        run = TestRun()
        for _ in range(_MOST_COMPILATIONS):
            self._report(phase)
            text = self._text(cases)
            run = await self.bench.run(self._files(text), [case.name for case in cases])
            faulty = _at_lines(text, run.faulty_lines, self._language) & {case.name for case in cases}
            if "" not in run.failed or not faulty or len(faulty) == len(cases):
                break
            cases = [case for case in cases if case.name not in faulty]
            self.dropped["did not compile"] = self.dropped.get("did not compile", 0) + len(faulty)
        return run, cases

    async def _telling(self, cases: list[Case]) -> list[Case]:
        """Those that pass once more, and not if the function does nothing."""
        self._report("Running them once more, and without the function")
        text, names = self._text(cases), [case.name for case in cases]
        steady = await self.bench.run(self._files(text), names)
        without = self._files_without_the_function(text)
        idle = (await self.bench.run(without, names)).passed if without else frozenset()
        expects_error = self.form.framework.expects_error
        spared = {c.name for c in cases if expects_error and re.search(expects_error, c.source)}
        idle = (idle & steady.passed) - spared
        self.dropped["does not always pass"] = sum(case.name not in steady.passed for case in cases)
        self.dropped["passes without the function"] = sum(case.name in idle for case in cases)
        return [case for case in cases if case.name in steady.passed and case.name not in idle]

    def _report(self, phase: str) -> None:
        self.tools.report(f"{self.progress}{phase}", self.timings.predicted_tokens)

    def _text(self, cases: list[Case]) -> str:
        sources = "\n".join(case.source for case in cases)
        return with_tests(self.site.existing, cases, head(self.target, self.site, sources), self.form)

    def _files(self, text: str) -> dict[Path, str]:
        """What is run: the document as it is in the editor, and the test file."""
        return {self.site.source: self.target.snapshot.text, self.site.path: text}

    def _files_without_the_function(self, text: str) -> dict[Path, str] | None:
        own = self.site.path == self.site.source
        snapshot = Snapshot.open(text, self._language) if own else self.target.snapshot
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


def _shown_code(target: Target) -> str:
    """The function; for a method its class, without which it makes no sense."""
    around = enclosing_class(target.snapshot, target.scope.start)
    if target.scope.class_name and around and around.end - around.start <= _CLASS_CHARS:
        return target.snapshot.text[around.start : around.end].rstrip("\n")
    if around and around.name == target.scope.class_name and target.language.id == "python":
        return _with_constructor(around, target)
    return target.code.rstrip("\n")


def _with_constructor(around: ClassScope, target: Target) -> str:
    """A method of a large Python class: without how one is made no test can begin."""
    text = target.snapshot.text
    inside = (f for f in functions(target.snapshot) if around.start <= f.start < around.end)
    made = next((f for f in inside if f.name == "__init__" and f.start != target.scope.start), None)
    parts = [f"{scope.indentation}{text[scope.start : scope.end]}" for scope in (made, target.scope) if scope]
    return f"{around.signature.rstrip(':')}:\n" + "\n\n".join(parts)


def _definitions(target: Target) -> str:
    """Stubs of what the shown code uses, of this file and of others."""
    shown = _shown_code(target)
    words = set(re.findall(r"\w+", shown)) - {target.scope.name, owner_of(target)}
    offered = (one for one in outline(target.snapshot) if one.kind != "attribute")
    own = tuple(one for one in offered if (one.container or one.name).split(".")[0] in words)
    stubs = render(own, target.language)
    if len(stubs) > _STUB_CHARS:
        stubs = ""
    return f"{stubs}\n{target.related_text}".strip()


def _note(count: int, kept: list[Case], corrected: list[Case], observed: list[Case], dropped: dict[str, int]) -> str:
    """How it went, in a sentence."""
    ways = {"corrected": len(corrected), "expecting what it returns today": len(observed)}
    mended = _why(ways)
    mended = f" ({mended})" if mended else ""
    said = f"{count} written, {len(kept)} {'passes' if len(kept) == 1 else 'pass'}{mended}"
    why = _why(dropped)
    return f"{said}, {sum(dropped.values())} dropped ({why})." if why else f"{said}."


def _why(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
