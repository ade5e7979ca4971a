"""Unit tests for a function: generated, taken apart, run, and only those that hold and say something are offered.

A test that fails and cannot be corrected, that does not always pass, or that passes when the function does nothing at
all, is dropped.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lsp_server.errors import RefusedError
from lsp_server.features.guided import Guide
from lsp_server.features.postprocess.code import strip_answer
from lsp_server.features.types import Target, TestBench, Tools, add_timings
from lsp_server.features.unit_tests.cases import Case, Form, is_sound, take_apart, unique, with_tests
from lsp_server.features.unit_tests.circles import closed, goes_in_circles, repeats_itself, whole_lines
from lsp_server.features.unit_tests.dialogue import Calls, Dialogue, goals
from lsp_server.features.unit_tests.examples import documented, written
from lsp_server.features.unit_tests.heads import head, owner_of
from lsp_server.features.unit_tests.observed import as_observed
from lsp_server.features.unit_tests.recorded import body_of
from lsp_server.features.unit_tests.repairs import Signature
from lsp_server.features.unit_tests.trial import Trial, needed
from lsp_server.features.unit_tests.variations import variations
from lsp_server.inference.backend import Message, Timings
from lsp_server.syntax.emptied import emptied
from lsp_server.syntax.outline import outline, render
from lsp_server.syntax.scopes import ClassScope, enclosing_class, functions
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import test_cases
from lsp_server.testing.frameworks import snake
from lsp_server.testing.reports import TestRun
from lsp_server.testing.shell import PythonShell
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
# Of the calls that work with other values, so many are tried.
_MOST_VARIATIONS = 80
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
        name = self.target.scope.name
        there = Snapshot.open(self.site.existing or "", self._language)
        self.taken, self.dropped = {case.name for case in test_cases(there)}, {}
        messages = self._messages("unit_tests")
        cases, answer = await self._generate(messages, (), phase, temperature)
        count, run = len(cases), TestRun()
        if cases:
            run, cases = await self._run(cases, f"Running {count} tests")
        if run.trouble:
            return self._written(cases, f"not run, {run.trouble}")
        passed = [case for case in cases if case.name in run.passed]
        failed = [case for case in cases if run.failed.get(case.name)]
        corrected: list[Case] = []
        differences: list[str] = []
        async with self.bench.shell(self._files(self.site.existing or ""), self._lines()) as shell:
            if shell is not None:
                self._report(f"Looking at what {name} returns")
                corrected, differences = await self._observed(shell, failed, passed)
            elif not temperature and run.failed and len(passed) < _ENOUGH:
                self.taken -= {case.name for case in failed}
                corrected = await self._correct(messages, answer, run, cases)
            # What was corrected is another test; what was observed is the one that failed.
            good = len(passed) + (len(corrected) if shell is not None else 0)
            self.dropped["failed"] = count - sum(self.dropped.values()) - good
            kept, silent = await self._telling([*passed, *corrected])
            self.dropped |= silent
            recorded: list[Case] = []
            if shell is not None and len(kept) < _COUNT:
                seen = await self._recorded(shell, kept, strip_answer(answer), f"Trying {name} out", temperature)
                recorded, _ = await self._telling(seen)
        if not kept and not recorded:
            raise RefusedError(self._refusal(count, run), hint="Try again, or a larger model.")
        corrected = [case for case in corrected if case in kept]
        ways = {"corrected" if shell is None else "expecting what it returns today": len(corrected)}
        note = _note(count, len(kept), ways, len(recorded), self.dropped)
        return self._written([*kept, *recorded], " ".join([note, *differences[:_MOST_TOLD]]))

    def _refusal(self, count: int, run: TestRun) -> str:
        name, why = self.target.scope.name, _why(self.dropped)
        if not count:
            return f"No usable test came out for {name}."
        if self.dropped["failed"] == count:
            reason = next(iter(run.failed.values()), "they could not be collected")
            return f"None of the {count} tests for {name} passed, so none is offered ({reason})."
        return f"None of the {count} tests for {name} says anything, so none is offered ({why})."

    def _lines(self) -> range:
        """The function's lines, 1-based."""
        scope, lines = self.target.scope, self.target.snapshot.lines
        return range(lines.line_of(scope.start) + 1, lines.line_of(scope.end) + 2)

    def _written(self, cases: list[Case], note: str) -> Written:
        return Written(self.target.scope.name, self._text(cases), len(cases), note, self.timings)

    def _messages(self, task: str) -> tuple[Message, ...]:
        target = self.target
        return self.tools.prompts.render(
            task,
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

    async def _observed(
        self, shell: PythonShell, failed: list[Case], passed: list[Case]
    ) -> tuple[list[Case], list[str]]:
        """Of tests that failed, those that pass when they expect what is, and what the model had expected instead.

        What then says the same as one that passed is left out.
        """
        changed: dict[str, tuple[Case, list[str]]] = {}
        bodies = {case.body for case in passed}
        for case in failed:
            found = await as_observed(case, shell, unittest=self._unittest)
            if found is not None and found[0].body not in bodies:
                bodies.add(found[0].body)
                changed[case.name] = found
        cases = [case for case, _ in changed.values()]
        again, cases = await self._run(cases, f"Running {len(cases)} tests") if cases else (TestRun(), [])
        passing = [case for case in cases if case.name in again.passed]
        return passing, [told for case in passing for told in changed[case.name][1]]

    async def _recorded(
        self, shell: PythonShell, kept: list[Case], answer: str, phase: str, temperature: float
    ) -> list[Case]:
        """Tests of calls, each with what came of it; those that pass.

        The calls are those of the documentation, of the answer, and of the model in a shell, and the same with other
        values.
        """
        target, trial, wanted = self.target, Trial(shell, self._signature()), _COUNT - len(kept)
        for pieces in (*documented(target.code), *written(answer), *documented(target.snapshot.text)):
            await trial.replay(pieces)
        if len(trial.useful) < wanted and not trial.ended:
            guide = Guide(self.tools, self._messages("try_out"), phase=f"{self.progress}{phase}")
            own = f"from {self.site.module} "
            opening = [s for s in head(target, self.site, _shown_code(target)).statements if s.startswith(own)]
            aims = goals(target.code, self._lines().start)
            await Dialogue(guide, trial, opening, _calls(target), wanted, aims, temperature).run()
            self.timings = add_timings(self.timings, guide.timings)
        await self._vary(trial, wanted)
        found: list[Case] = []
        bodies = {case.body for case in kept}
        for at in trial.best(wanted):
            case = self._recorded_case(body_of(trial.steps, at, unittest=self._unittest))
            if case is not None and case.body not in bodies:
                bodies.add(case.body)
                found.append(case)
        run, found = await self._run(found, f"Running {len(found)} tests") if found else (TestRun(), [])
        return [case for case in found if case.name in run.passed]

    async def _vary(self, trial: Trial, wanted: int) -> None:
        """Take the useful steps with other values, for lines that were not reached, and for what is wanted still."""
        scope = self.target.scope
        defaults = {p.name: p.default for p in scope.parameters if p.default is not None}
        seeds = [[*(trial.steps[i].code for i in needed(trial.steps, at)), trial.steps[at].code] for at in trial.useful]
        every = [one for seed in seeds for one in variations(seed, self.form.subject, defaults)][:_MOST_VARIATIONS]
        for if_new in (True, False):
            for pieces in every:
                if trial.ended or (len(trial.useful) >= wanted and not if_new):
                    return
                await trial.replay(pieces, if_new=if_new)

    def _signature(self) -> Signature:
        scope = self.target.scope
        names = [parameter.name for parameter in scope.parameters]
        is_method = bool(scope.class_name) and names[:1] == ["self"]
        return Signature(self.form.subject, owner_of(self.target) or "" if is_method else "", names[is_method:])

    def _recorded_case(self, body: str) -> Case | None:
        form = self.form
        if not re.search(rf"(?<![\w'\"]){re.escape(form.subject)}\b", body):
            return None
        parameters = ["self"] if self._unittest else ["capsys"] if "capsys." in body else []
        name = unique(f"{form.begin.split()[-1]}_as_it_is", "_{}", self.taken)
        said = f"({', '.join(parameters)}):\n{textwrap.indent(body, '    ')}"
        case = Case(name, f"def {name}{said}", re.sub(r"#.*|\s", "", said))
        if not is_sound(case, form):
            return None
        self.taken.add(name)
        return case

    @property
    def _unittest(self) -> bool:
        return self.form.framework.name == "unittest"

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

    async def _telling(self, cases: list[Case]) -> tuple[list[Case], dict[str, int]]:
        """Those that pass once more, and not if the function does nothing; and how many do not, by the reason."""
        if not cases:
            return [], {}
        self._report("Running them once more, and without the function")
        text, names = self._text(cases), [case.name for case in cases]
        steady = await self.bench.run(self._files(text), names)
        without = self._files_without_the_function(text)
        idle = (await self.bench.run(without, names)).passed if without else frozenset()
        expects_error = self.form.framework.expects_error
        spared = {c.name for c in cases if expects_error and re.search(expects_error, c.source)}
        idle = (idle & steady.passed) - spared
        silent = {
            "does not always pass": sum(case.name not in steady.passed for case in cases),
            "passes without the function": sum(case.name in idle for case in cases),
        }
        return [case for case in cases if case.name in steady.passed and case.name not in idle], silent

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


def _calls(target: Target) -> Calls:
    """How lines of Python begin that try a function out."""
    scope, owner = target.scope, owner_of(target)
    taken = [parameter.name for parameter in scope.parameters if parameter.name not in ("self", "cls", "*", "/")]
    closing = "" if taken else ")"
    if not scope.class_name:
        return Calls("", f"{scope.name}({closing}")
    if owner != scope.class_name:
        return Calls("", "")
    if scope.name in ("__init__", "__new__"):
        return Calls("", f"{owner}({closing}")
    decorators = target.snapshot.text[scope.start : scope.end].partition("def ")[0]
    if re.search(r"@(staticmethod|classmethod)\b", decorators):
        return Calls("", f"{owner}.{scope.name}({closing}")
    it = snake(owner)
    maker = f"{it} = {owner}("
    if scope.name.startswith("__") or re.search(r"property\b|\.setter\b", decorators):
        return Calls(maker, "")
    return Calls(maker, f"{it}.{scope.name}({closing}")


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


def _note(written: int, kept: int, ways: dict[str, int], recorded: int, dropped: dict[str, int]) -> str:
    """How it went, in a sentence or two."""
    tried = f"{recorded} from trying it out, expecting what it does today." if recorded else ""
    if not written and tried:
        return tried
    mended = f" ({way})" if (way := _why(ways)) else ""
    said = f"{written} written, {kept} {'passes' if kept == 1 else 'pass'}{mended}"
    if why := _why(dropped):
        said += f", {sum(dropped.values())} dropped ({why})"
    return f"{said}. And {tried}" if tried else f"{said}."


def _why(dropped: dict[str, int]) -> str:
    return ", ".join(f"{count} {reason}" for reason, count in dropped.items() if count)
