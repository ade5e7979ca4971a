"""Finding calls of a function that show what it does.

They are those of the documentation, of tests that were written, and of the model in a shell, and the same with other
values.
"""

from __future__ import annotations

import ast
import asyncio
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest

from lsp_server.features.guided import Guide
from lsp_server.features.trial.dialogue import Calls, Dialogue, goals
from lsp_server.features.trial.examples import documented, made, of_the_project
from lsp_server.features.trial.objects import Objects
from lsp_server.features.trial.plain_values import ANY_TEXT, Made, is_object
from lsp_server.features.trial.repairs import Signature
from lsp_server.features.trial.steps import Trial
from lsp_server.features.trial.usages import usages
from lsp_server.features.trial.variations import literals, variations
from lsp_server.features.types import Target, Tools, add_timings
from lsp_server.inference.backend import Message, Timings
from lsp_server.syntax.scopes import Parameter
from lsp_server.testing.frameworks import snake
from lsp_server.testing.shell import PythonShell

# Of the calls that work with other values, so many are tried.
_MOST_VARIATIONS = 80
# And so many of those that the project has.
_MOST_CALLED = 24
_MOST_TEXTS = 3
# As long as this the examples of a project are gone through.
_DOCUMENTATION_S = 20.0


@dataclass
class Explorer:
    """Explores one function.

    Attributes:
        owner: the class that it is reached through; None for a function.
        opening: what brings the function into a shell, for the model to see.
        messages: what the model is told.
        phase: what is said while it is asked.
    """

    target: Target
    owner: str | None
    opening: Sequence[str]
    messages: tuple[Message, ...]
    tools: Tools
    phase: str
    timings: Timings = field(default_factory=Timings)

    async def explore(
        self, shell: PythonShell, wanted: int, known: Iterable[Sequence[str]] = (), temperature: float = 0.0
    ) -> Trial:
        """Try calls until so many of them show something, and the lines of the function are reached, or nothing helps.

        Args:
            known: pieces of code that use it, those that belong together each.
        """
        target, trial = self.target, Trial(shell, _signature(self.target, self.owner))
        makers, called, choices = await asyncio.to_thread(self._of_the_project)
        for pieces in (*documented(target.code), *known, *documented(target.snapshot.text), *called):
            await trial.replay(pieces)
        if len(trial.useful) < wanted and not trial.ended:
            guide = Guide(self.tools, self.messages, phase=self.phase)
            aims = goals(target.code, target.lines.start)
            calls = replace(self._calls, given=await self._given(choices))
            await Dialogue(guide, trial, self.opening, calls, wanted, aims, temperature).run()
            self.timings = add_timings(self.timings, guide.timings)
        for pieces in () if trial.useful else self._plain_calls(makers, choices):
            await trial.replay(pieces)
        if not trial.useful and self.tools.bench is not None:
            # It may be reached through others.
            words = [target.name, self.owner or target.name, target.path.stem]
            until = time.monotonic() + _DOCUMENTATION_S
            for pieces in await asyncio.to_thread(of_the_project, self.tools.bench.site.project, words):
                if len(trial.useful) < wanted and not trial.ended and time.monotonic() < until:
                    await trial.replay(pieces, if_new=True, to_the_end=True)
        await self._vary(trial, wanted)
        return trial

    def _of_the_project(self) -> tuple[list[list[str]], list[list[str]], list[list[Made]]]:
        """How the project makes what a method is called on, how it calls the function, and what may be given to it."""
        calls, bench = self._calls, self.tools.bench
        if bench is None:
            return [], [], []
        # Some thousand files are asked for; each is withheld or not once.
        project = replace(bench.site.project, workspace=bench.site.project.workspace.for_one_search())
        name, text = self.target.name, self.target.snapshot.text
        objects = Objects(project, bench.site.source, text, self.target.code)
        choices = [*objects.arguments(self._needed)]
        if not calls.maker:
            return [], [[call] for call in usages(name, project)] if self.owner is None else [], choices
        it, owner = calls.maker.partition(" ")[0], self.owner or ""
        makers = [_pieces(it, one) for one in dict.fromkeys((Made(f"{owner}()"), *objects.made(owner)))]
        makers += made(text, owner, it)
        used = [calls.call] if calls.is_whole else [f"{it}.{call}" for call in usages(name, project)]
        if calls.call and not (calls.is_whole or calls.needed):
            used.insert(0, f"{calls.call})")
        # How it is made is of use even where no call is known.
        every = [[*maker, *call] for maker in makers for call in ([[one] for one in used] or [[]])]
        return makers, every[:_MOST_CALLED], choices

    @cached_property
    def _calls(self) -> Calls:
        return _ways_to_call(self.target, self.owner)

    @property
    def _needed(self) -> list[Parameter]:
        """The arguments that it cannot do without."""
        return [parameter for parameter in self.target.scope.parameters if parameter.name in self._calls.needed]

    async def _given(self, choices: Sequence[Sequence[Made]]) -> dict[str, list[str]]:
        """Of the arguments those that are objects of the project: what makes them, where that works."""
        given: dict[str, list[str]] = {}
        objects = [at for at, one in enumerate(choices[0] if choices else ()) if is_object(one)]
        bench = self.tools.bench
        if not objects or bench is None:
            return given
        # Some take long to be made, or end the shell.
        async with bench.shell({bench.site.source: self.target.snapshot.text}, self.target.lines) as shell:
            if shell is None:
                return given
            trial = Trial(shell, _signature(self.target, self.owner))
            for at in objects:
                name = self._needed[at].name
                for one in dict.fromkeys(choice[at] for choice in choices if is_object(choice[at])):
                    if await trial.works(_pieces(name, one)):
                        given[name] = _pieces(name, one)
                        break
        return given

    def _plain_calls(self, makers: Sequence[Sequence[str]], choices: Sequence[Sequence[Made]]) -> list[list[str]]:
        """Calls with values as the annotations say, and of texts those that the function knows."""
        calls = self._calls
        if not calls.needed or not calls.call or (calls.maker and not makers):
            return []
        texts = literals(self.target.code, self.target.snapshot.text)[str][:_MOST_TEXTS]
        open_ones = [choice for choice in choices if ANY_TEXT in choice]
        known = [[Made(text) if one == ANY_TEXT else one for one in choice] for text in texts for choice in open_ones]
        every = [
            [piece for name, one in zip(calls.needed, choice, strict=True) for piece in _pieces(name, one)]
            for choice in (*choices, *known)
        ]
        before = makers if calls.maker else [[]]
        return [[*maker, *values, calls.with_needed] for maker in before for values in every][:_MOST_CALLED]

    async def _vary(self, trial: Trial, wanted: int) -> None:
        """Take the useful steps with other values, for lines that were not reached, and for what is wanted still."""
        every = varied(trial, self.target)[:_MOST_VARIATIONS]
        for if_new in (True, False):
            for pieces in every:
                if trial.ended or (len(trial.useful) >= wanted and not if_new):
                    return
                await trial.replay(pieces, if_new=if_new)


def varied(trial: Trial, target: Target) -> list[list[str]]:
    """The useful steps, each with what it needs, with other values in them; those of different steps take turns."""
    defaults = {p.name: p.default for p in target.scope.parameters if p.default is not None}
    name, more = trial.signature.name, literals(target.code, target.snapshot.text)
    turns = zip_longest(*(variations(seed, name, defaults, more) for seed in trial.sequences()))
    return [pieces for turn in turns for pieces in turn if pieces is not None]


def _pieces(name: str, one: Made) -> list[str]:
    """What makes something and gives it a name, piece by piece."""
    return [*one.imports, f"{name} = {one.code}"]


def _signature(target: Target, owner: str | None) -> Signature:
    scope = target.scope
    names = [parameter.name for parameter in scope.parameters]
    is_method = bool(scope.class_name) and names[:1] == ["self"]
    name = owner if owner and scope.name.startswith("__") else scope.name
    return Signature(name, owner or "" if is_method else "", names[is_method:])


def _given_by_name(code: str) -> list[str]:
    """The parameters of a function that a call has to name."""
    try:
        function = ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError):
        return []
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return []
    return [one.arg for one in function.args.kwonlyargs]


def _ways_to_call(target: Target, owner: str | None) -> Calls:
    """How lines begin that try the function out."""
    scope = target.scope
    taken = [one.name for one in scope.parameters if one.name not in ("self", "cls", "*", "/")]
    required = (p.name for p in scope.parameters if p.default is None and p.name in taken)
    needed = tuple(name for name in required if name.isidentifier() and name != scope.name)
    by_name = _given_by_name(target.code)

    def calls(maker: str, begin: str) -> Calls:
        return Calls(maker, f"{begin}(" if taken else f"{begin}()", needed, by_name)

    if owner is None:
        return calls("", scope.name)
    if owner != scope.class_name:
        return Calls("", "")
    if scope.name in ("__init__", "__new__"):
        return calls("", owner)
    decorators = target.snapshot.text[scope.start : scope.end].partition("def ")[0]
    if re.search(r"@(staticmethod|classmethod)\b", decorators):
        return calls("", f"{owner}.{scope.name}")
    it = snake(owner)
    maker = f"{it} = {owner}("
    if scope.name.startswith("__") or re.search(r"property\b|\.setter\b", decorators):
        return Calls(maker, "")
    return calls(maker, f"{it}.{scope.name}")
