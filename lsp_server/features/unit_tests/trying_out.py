"""Tests of a Python function that are made by trying it out: calls, and what came of them."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from lsp_server.features.describing import described, owner_of, shown_code
from lsp_server.features.guided import Guide
from lsp_server.features.trial import Explorer
from lsp_server.features.trial.examples import written
from lsp_server.features.trial.noticing import Call, best, calls_of, notice, replayed
from lsp_server.features.types import Target, TestBench, Tools, add_timings
from lsp_server.features.unit_tests.cases import Case, Form, is_sound, unique
from lsp_server.features.unit_tests.heads import head
from lsp_server.features.unit_tests.recorded import MARK, body_of, imports_of
from lsp_server.inference.backend import Message, Timings
from lsp_server.syntax.python_symbols import defined_names, import_statements
from lsp_server.testing.shell import PythonShell
from lsp_server.testing.sites import TestSite

# Where a name is cut it does not end so.
_HANGING = r"(?: (?:a|an|and|as|by|for|in|is|of|on|or|the|to|with|no))+$"
_NAME_TOKENS, _LONGEST_NAME, _LONGEST_SHOWN = 12, 40, 200
# Left free, a small model writes digits without end.
_NAME = 'root ::= [a-z]+ ("_" ([a-z]+ | [0-9] [0-9]? [0-9]?))*'


@dataclass
class TryOut:
    """Tries one function out.

    Attributes:
        phase: what is said while the model is asked.
        asked: what the model was told when it was to write tests.
        most: so many tests in all.
        taken: names that are no longer free; those of new tests are added.
        mutants: so many variants of the function with a small bug were tried.
        noticed: the names of the tests → which of them each notices.
    """

    target: Target
    site: TestSite
    form: Form
    bench: TestBench
    tools: Tools
    phase: str
    asked: tuple[Message, ...]
    most: int
    taken: set[str]
    timings: Timings = field(default_factory=Timings)
    mutants: int = 0
    noticed: dict[str, set[int]] = field(default_factory=dict)
    _above: list[str] = field(default_factory=list)

    async def cases(
        self, shell: PythonShell, answer: str, there: Sequence[Case], weak: Sequence[Case], temperature: float
    ) -> tuple[list[Case], list[Case]]:
        """Those of the weak tests that are of use beside those that are there, and new ones, which were not run yet.

        Args:
            answer: the code of the model's own tests.
            there: tests that stay.
            weak: tests that stay only where they notice what no other does.
        """
        target, language = self.target, self.target.language.id
        own = f"from {self.site.module} "
        opening = [line for line in head(target, self.site, shown_code(target)).statements if line.startswith(own)]
        asked = self.tools.prompts.render("try_out", language, **described(target))
        explorer = Explorer(target, owner_of(target), opening, asked, self.tools, self.phase)
        trial = await explorer.explore(shell, self.most - len(there), written(answer), temperature)
        subject = re.compile(rf"(?<![\w'\"]){re.escape(self.form.subject)}\b")
        calls = await calls_of(trial, target, self.bench)
        kept = {case.name: call for case in (*there, *weak) if (call := await self._as_call(case, shell))}
        self.mutants = await notice([*kept.values(), *calls], target, self.bench)
        self.noticed |= {name: call.noticed for name, call in kept.items()}
        # What cannot be looked at stays, as does all where there is nothing to notice.
        sure = [case for case in weak if case.name not in kept or not self.mutants]
        unsure = [kept[case.name] for case in weak if case not in sure]
        calls = [call for call in calls if call.tells]
        direct = [call for call in calls if subject.search(" ".join(call.codes))]
        room, known_calls = self.most - len(there) - len(sure), [kept[c.name] for c in there if c.name in kept]
        chosen = best([*unsure, *direct], room, known_calls)
        # What reaches it through others is for what cannot be noticed otherwise.
        through = [call for call in calls if call not in direct and call.noticed]
        chosen += best(through, room - len(chosen), [*known_calls, *chosen])
        stay = [*sure, *(case for case in weak if kept.get(case.name) in chosen)]
        known = {case.body for case in (*there, *stay)}
        fresh = await self._written([call for call in chosen if call not in unsure], known)
        self.timings = add_timings(self.timings, explorer.timings)
        return stay, fresh

    async def _written(self, calls: Sequence[Call], known: set[str]) -> list[Case]:
        """Calls as tests, with names that the model gives them."""
        found: list[Case] = []
        guide = Guide(self.tools, self.asked, phase=self.phase)
        guide.write("```python\n")
        for call in calls:
            body = body_of(call.steps, len(call.steps) - 1, unittest=self.form.asserts_by_methods)
            above, inside = self._placed(imports_of(call.steps, len(call.steps) - 1), body)
            body = "\n".join([*inside, body]) if body else ""
            case = self._case(body, await self._named(guide, body), above) if body else None
            if case is not None and case.body not in known and is_sound(case, self.form):
                known.add(case.body)
                self.taken.add(case.name)
                found.append(case)
                self.noticed[case.name] = call.noticed
        self.timings = add_timings(self.timings, guide.timings)
        return found

    async def _as_call(self, case: Case, shell: PythonShell) -> Call | None:
        """A test as something that can be tried out; None for one that needs more than a shell has."""
        takes = re.match(r"\s*\((.*?)\)\s*(?:->[^:]*)?:", case.source.partition(case.name)[2])
        if takes is None or takes[1] not in ("", "self"):
            return None
        given = "__import__('unittest').TestCase()" if takes[1] else ""
        brought = [f"import {name}" for name in ("asyncio", "pytest") if f"{name}." in case.source]
        pieces = [*brought, *case.imports, case.source, f"{case.name}({given})"]
        steps = await replayed(shell, pieces)
        return Call(steps) if steps and not steps[-1].seen.error else None

    async def _named(self, guide: Guide, body: str) -> str:
        """What the model would call a test that does this, behind the function's name."""
        shown = body.replace(MARK, "")[:_LONGEST_SHOWN]
        guide.write(textwrap.indent(shown, "# ", lambda _line: True) + f"def {self._begin}_")
        said = await guide.fill(stop=("(", "\n"), max_tokens=_NAME_TOKENS, grammar=_NAME)
        guide.write("():\n    ...\n\n\n")
        # Words once, numbers that are there, and all of it whole.
        words = [word for word, _ in itertools.groupby(said.split("_")) if not word.isdigit() or word in body]
        named = textwrap.shorten(" ".join(words), _LONGEST_NAME, placeholder="")
        return re.sub(_HANGING, "", named).replace(" ", "_") or "as_it_is"

    def _placed(self, imports: Sequence[str], body: str) -> tuple[tuple[str, ...], list[str]]:
        """The imports that can stand at the top of the file, and those that have to stand in the test.

        There, where a name means something else in the tested file, in other tests, or in the test itself.
        """
        above: list[str] = []
        inside: list[str] = []
        texts = (self.target.snapshot.text, self.site.existing or "", "\n".join(self._above))
        brought = [import_statements(text) for text in texts]
        defined = set().union(*map(defined_names, texts))
        for name, statement in import_statements("\n".join(imports)).items():
            if statement == f"from {self.site.module} import {name}":
                continue  # As every test file does.
            is_other = name in defined or any(one.get(name, statement) != statement for one in brought)
            apart = is_other or re.search(rf"(?m)^{name} = ", body) or statement.startswith("from .")
            (inside if apart else above).append(statement)
        self._above += above
        return tuple(above), inside

    def _case(self, body: str, name: str, imports: tuple[str, ...]) -> Case:
        parameters = ["self"] if self.form.asserts_by_methods else ["capsys"] if "capsys." in body else []
        said = f"({', '.join(parameters)}):\n{textwrap.indent(body, '    ')}"
        name = unique(f"{self._begin}_{name}", "_{}", self.taken)
        return Case(name, f"def {name}{said}", re.sub(r"#.*|\s", "", said), imports)

    @property
    def _begin(self) -> str:
        return self.form.begin.split()[-1]
