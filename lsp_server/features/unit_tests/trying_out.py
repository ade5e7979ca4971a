"""Tests of a Python function that are made by trying it out: calls, and what came of them.

The calls are those of the documentation, of tests that were written, and of the model in a shell, and the same with
other values.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from lsp_server.features.guided import Guide
from lsp_server.features.types import Target, Tools, add_timings
from lsp_server.features.unit_tests.asking import messages, shown_code
from lsp_server.features.unit_tests.cases import Case, Form, is_sound, unique
from lsp_server.features.unit_tests.dialogue import Calls, Dialogue, goals
from lsp_server.features.unit_tests.examples import documented, written
from lsp_server.features.unit_tests.heads import head, owner_of
from lsp_server.features.unit_tests.recorded import MARK, body_of
from lsp_server.features.unit_tests.repairs import Signature
from lsp_server.features.unit_tests.trial import Trial, needed
from lsp_server.features.unit_tests.variations import variations
from lsp_server.inference.backend import Timings
from lsp_server.testing.frameworks import snake
from lsp_server.testing.shell import PythonShell
from lsp_server.testing.sites import TestSite

# Of the calls that work with other values, so many are tried.
_MOST_VARIATIONS = 80
_NAME_TOKENS, _LONGEST_SHOWN = 12, 200
_NAME = "root ::= [a-z] [a-z0-9_]*"


@dataclass
class TryOut:
    """Tries one function out.

    Attributes:
        lines: the function's, 1-based.
        phase: what is said while the model is asked.
    """

    target: Target
    site: TestSite
    form: Form
    tools: Tools
    lines: range
    phase: str
    timings: Timings = field(default_factory=Timings)

    async def cases(
        self, shell: PythonShell, answer: str, kept: list[Case], wanted: int, taken: set[str], temperature: float
    ) -> list[Case]:
        """So many tests at most, not run yet, that do something else than those that were kept.

        Args:
            answer: the code of the model's own tests.
            taken: names that are no longer free; those of the tests are added.
        """
        target, trial = self.target, Trial(shell, _signature(self.target, self.form.subject))
        for pieces in (*documented(target.code), *written(answer), *documented(target.snapshot.text)):
            await trial.replay(pieces)
        if len(trial.useful) < wanted and not trial.ended:
            await self._ask(trial, wanted, temperature)
        await self._vary(trial, wanted)
        subject = re.compile(rf"(?<![\w'\"]){re.escape(self.form.subject)}\b")
        bodies = [body_of(trial.steps, at, unittest=self._unittest) for at in trial.best(wanted)]
        known = {case.body for case in kept}
        found: list[Case] = []
        guide = Guide(
            self.tools, messages("unit_tests", target, self.form.framework.name, self.tools), phase=self.phase
        )
        guide.write("```python\n")
        for body in filter(subject.search, bodies):
            case = self._case(body, await self._named(guide, body), taken)
            if case.body not in known and is_sound(case, self.form):
                known.add(case.body)
                taken.add(case.name)
                found.append(case)
        self.timings = add_timings(self.timings, guide.timings)
        return found

    async def _ask(self, trial: Trial, wanted: int, temperature: float) -> None:
        """Let the model go on."""
        target = self.target
        guide = Guide(self.tools, messages("try_out", target, self.form.framework.name, self.tools), phase=self.phase)
        own = f"from {self.site.module} "
        opening = [line for line in head(target, self.site, shown_code(target)).statements if line.startswith(own)]
        aims = goals(target.code, self.lines.start)
        await Dialogue(guide, trial, opening, _calls(target), wanted, aims, temperature).run()
        self.timings = add_timings(self.timings, guide.timings)

    async def _vary(self, trial: Trial, wanted: int) -> None:
        """Take the useful steps with other values, for lines that were not reached, and for what is wanted still."""
        defaults = {p.name: p.default for p in self.target.scope.parameters if p.default is not None}
        seeds = [[*(trial.steps[i].code for i in needed(trial.steps, at)), trial.steps[at].code] for at in trial.useful]
        every = [one for seed in seeds for one in variations(seed, self.form.subject, defaults)][:_MOST_VARIATIONS]
        for if_new in (True, False):
            for pieces in every:
                if trial.ended or (len(trial.useful) >= wanted and not if_new):
                    return
                await trial.replay(pieces, if_new=if_new)

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


def _signature(target: Target, subject: str) -> Signature:
    names = [parameter.name for parameter in target.scope.parameters]
    is_method = bool(target.scope.class_name) and names[:1] == ["self"]
    return Signature(subject, owner_of(target) or "" if is_method else "", names[is_method:])


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
