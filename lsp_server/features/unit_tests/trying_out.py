"""Tests of a Python function that are made by trying it out: calls, and what came of them."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from lsp_server.features.describing import described, owner_of, shown_code
from lsp_server.features.guided import Guide
from lsp_server.features.trial import Explorer
from lsp_server.features.trial.examples import written
from lsp_server.features.trial.noticing import best, calls_of, notice
from lsp_server.features.types import Target, TestBench, Tools, add_timings
from lsp_server.features.unit_tests.cases import Case, Form, is_sound, unique
from lsp_server.features.unit_tests.heads import head
from lsp_server.features.unit_tests.recorded import MARK, body_of
from lsp_server.inference.backend import Timings
from lsp_server.testing.shell import PythonShell
from lsp_server.testing.sites import TestSite

_NAME_TOKENS, _LONGEST_SHOWN = 12, 200
_NAME = "root ::= [a-z] [a-z0-9_]*"


@dataclass
class TryOut:
    """Tries one function out.

    Attributes:
        phase: what is said while the model is asked.
        mutants: so many variants of the function with a small bug were tried.
        noticed: the names of the tests → which of them each notices.
    """

    target: Target
    site: TestSite
    form: Form
    bench: TestBench
    tools: Tools
    phase: str
    timings: Timings = field(default_factory=Timings)
    mutants: int = 0
    noticed: dict[str, set[int]] = field(default_factory=dict)

    async def cases(
        self, shell: PythonShell, answer: str, kept: list[Case], wanted: int, taken: set[str], temperature: float
    ) -> list[Case]:
        """So many tests at most, not run yet, that do something else than those that were kept.

        Args:
            answer: the code of the model's own tests.
            taken: names that are no longer free; those of the tests are added.
        """
        target, language = self.target, self.target.language.id
        own = f"from {self.site.module} "
        opening = [line for line in head(target, self.site, shown_code(target)).statements if line.startswith(own)]
        asked = self.tools.prompts.render("try_out", language, **described(target))
        explorer = Explorer(target, owner_of(target), opening, asked, self.tools, self.phase)
        trial = await explorer.explore(shell, wanted, written(answer), temperature)
        calls = await calls_of(trial, target, self.bench)
        self.mutants = await notice(calls, target, self.bench)
        subject = re.compile(rf"(?<![\w'\"]){re.escape(self.form.subject)}\b")
        known = {case.body for case in kept}
        found: list[Case] = []
        guide = Guide(self.tools, asked, phase=self.phase)
        guide.write("```python\n")
        telling = [call for call in calls if subject.search(" ".join(call.codes))]
        for call in best(telling, wanted):
            body = body_of(call.steps, len(call.steps) - 1, unittest=self._unittest)
            if not body:
                continue
            case = self._case(body, await self._named(guide, body), taken)
            if case.body not in known and is_sound(case, self.form):
                known.add(case.body)
                taken.add(case.name)
                found.append(case)
                self.noticed[case.name] = call.noticed
        self.timings = add_timings(add_timings(self.timings, explorer.timings), guide.timings)
        return found

    async def _named(self, guide: Guide, body: str) -> str:
        """What the model would call a test that does this, behind the function's name."""
        shown = body.replace(MARK, "")[:_LONGEST_SHOWN]
        guide.write(textwrap.indent(shown, "# ", lambda _line: True) + f"def {self._begin}_")
        said = await guide.fill(stop=("(", "\n"), max_tokens=_NAME_TOKENS, grammar=_NAME)
        guide.write("():\n    ...\n\n\n")
        return said.strip("_") or "as_it_is"

    def _case(self, body: str, name: str, taken: set[str]) -> Case:
        parameters = ["self"] if self._unittest else ["capsys"] if "capsys." in body else []
        said = f"({', '.join(parameters)}):\n{textwrap.indent(body, '    ')}"
        name = unique(f"{self._begin}_{name}", "_{}", taken)
        return Case(name, f"def {name}{said}", re.sub(r"#.*|\s", "", said))

    @property
    def _begin(self) -> str:
        return self.form.begin.split()[-1]

    @property
    def _unittest(self) -> bool:
        return self.form.framework.name == "unittest"
