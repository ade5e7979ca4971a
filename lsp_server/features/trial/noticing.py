"""Which calls of a function notice small bugs in it: those make the best tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lsp_server.features.postprocess.code import reindent
from lsp_server.features.trial.exploring import varied
from lsp_server.features.trial.mutants import mutants
from lsp_server.features.trial.steps import Step, Trial
from lsp_server.features.types import Target, TestBench
from lsp_server.syntax.emptied import emptied
from lsp_server.testing.shell import PythonShell, Seen
from lsp_server.text.edits import TextEdit, apply_edits, detect_newline

_MOST_MUTANTS = 12
_MOST_CALLS = 60


@dataclass
class Call:
    """Pieces of code that belong together, the last of which uses the function.

    Attributes:
        steps: the pieces with what came of them.
        noticed: the mutants with which something else comes of the last one.
        tells: something else comes of it too where the function does nothing at all.
    """

    steps: list[Step]
    noticed: set[int] = field(default_factory=set)
    tells: bool = True

    @property
    def codes(self) -> list[str]:
        """The pieces alone."""
        return [step.code for step in self.steps]

    @property
    def seen(self) -> Seen:
        """What came of the last piece."""
        return self.steps[-1].seen

    @property
    def reached(self) -> frozenset[int]:
        """The lines of the function that were run."""
        return frozenset().union(*(step.seen.reached for step in self.steps))


async def calls_of(trial: Trial, target: Target, bench: TestBench) -> list[Call]:
    """The useful calls of a trial and those with other values, as far as they come to the same in a new process."""
    unique = [list(one) for one in dict.fromkeys(map(tuple, (*trial.sequences(), *varied(trial, target))))]
    found: list[Call] = []
    files, lines = {bench.site.source: target.snapshot.text}, target.lines
    async with bench.shell(files, lines) as shell:
        if shell is None:
            return []
        for pieces in unique[:_MOST_CALLS]:
            steps = await replayed(shell, pieces)
            if steps is None:
                break
            call = Call(steps)
            if call.reached and (call.seen.on_purpose or not call.seen.error):
                found.append(call)
    async with bench.shell(files, lines) as shell:
        if shell is None:
            return []
        # The other way round: what depends on what was called before is left out, as is what depends on chance.
        again = [(call, await replayed(shell, call.codes)) for call in reversed(found)][::-1]
    return [call for call, steps in again if steps and compared(steps[-1].seen) == compared(call.seen)]


async def notice(calls: Sequence[Call], target: Target, bench: TestBench) -> int:
    """Note for each call which mutants of the function it notices, and whether it tells; returns how many there are."""
    scope, text = target.scope, target.snapshot.text
    every = mutants(target.code, _MOST_MUTANTS)
    for number, code in enumerate(every):
        written = reindent(code, scope.indentation, detect_newline(text))
        changed = apply_edits(text, [TextEdit(scope.start, scope.end, written)])
        looked_at = await _otherwise(changed, calls, target, bench)
        if looked_at is None:
            return 0
        for call in looked_at[0]:
            call.noticed.add(number)
    without = emptied(target.snapshot, scope)
    looked_at = await _otherwise(without, calls, target, bench) if without is not None else None
    if looked_at is not None:
        # Where one does not end without the function, nothing is known of those behind it.
        telling = {id(call) for part in looked_at for call in part}
        for call in calls:
            call.tells = id(call) in telling
    return len(every)


async def _otherwise(
    source: str, calls: Sequence[Call], target: Target, bench: TestBench
) -> tuple[list[Call], Sequence[Call]] | None:
    """The calls of which something else comes with another text in the function's file, up to one that does not end.

    With them those behind it, which were not made. None if nothing can be run.
    """
    found: list[Call] = []
    async with bench.shell({bench.site.source: source}, target.lines) as shell:
        if shell is None:
            return None
        for at, call in enumerate(calls):
            steps = await replayed(shell, call.codes)
            if steps is None or compared(steps[-1].seen) != compared(call.seen):
                found.append(call)
            if steps is None:
                return found, calls[at + 1 :]
    return found, ()


def best(calls: Sequence[Call], count: int, there: Sequence[Call] = ()) -> list[Call]:
    """So many calls at most that together notice the most mutants, and reach the most lines.

    Of calls that are worth the same the first is taken; none that says no more than those that are there.
    """
    chosen: list[Call] = []
    left = list(calls)
    noticed = set().union(*(call.noticed for call in there))
    reached = set().union(*(call.reached for call in there))
    while left and len(chosen) < count:
        gains = [(len(call.noticed - noticed), len(call.reached - reached)) for call in left]
        at = gains.index(max(gains))
        if gains[at] == (0, 0):
            break
        chosen.append(left.pop(at))
        noticed |= chosen[-1].noticed
        reached |= chosen[-1].reached
    # The shorter ones come first, as the simpler.
    return sorted(chosen, key=lambda call: sum(map(len, call.codes)))


async def replayed(shell: PythonShell, pieces: Sequence[str]) -> list[Step] | None:
    """What comes of some pieces of code, run from the start; None if the shell is gone."""
    begun = await shell.forget()
    if begun is None:
        return None
    if begun.error:
        return [Step("", begun)]
    steps = []
    for code in pieces:
        seen = await shell.run(code)
        if seen is None:
            return None
        steps.append(Step(code, seen))
    return steps


def compared(seen: Seen) -> tuple[object, ...]:
    """What two runs have to have in common."""
    return seen.forms, seen.changed, seen.printed, seen.nothing, seen.error
