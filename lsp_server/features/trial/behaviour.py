"""Whether a function still does what it did: the same calls before and after a change, and what comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from lsp_server.features.describing import described, owner_of
from lsp_server.features.trial.exploring import Explorer, lines_of
from lsp_server.features.trial.variations import variations
from lsp_server.features.types import Target, TestBench, Tools
from lsp_server.inference.backend import Timings
from lsp_server.testing.shell import PythonShell, Seen
from lsp_server.text.titles import cut

# So many calls that show something are looked for; with other values they are many more.
_WANTED = 4
_MOST_CALLS = 60
_LONGEST_SHOWN = 60


@dataclass
class Behaviour:
    """What calls of a function showed before it was changed.

    Attributes:
        calls: pieces of code that belong together, the last of which calls the function → what came of that.
    """

    target: Target
    bench: TestBench | None
    calls: list[tuple[Sequence[str], Seen]] = field(default_factory=list)
    timings: Timings = field(default_factory=Timings)

    async def difference(self, changed: str, *, awaited: bool = False) -> str:
        """What is otherwise with the changed text of the document, a sentence; empty if nothing is.

        Args:
            awaited: the function is asynchronous by now.
        """
        if self.bench is None or not self.calls:
            return ""
        async with self.bench.shell({self.bench.site.source: changed}, lines_of(self.target)) as shell:
            if shell is None:
                return ""
            for pieces, before in self.calls:
                last = f"__import__('asyncio').run({pieces[-1]})" if awaited else pieces[-1]
                after = await _replayed(shell, [*pieces[:-1], last])
                if _compared(after) != _compared(before):
                    is_now = (after.shown if after else "") or "nothing"
                    return f"`{pieces[-1]}` gives {_cut(before.shown or 'nothing')}, and would give {_cut(is_now)}."
        return ""

    @property
    def note(self) -> str:
        """What to say of a change that makes no difference; empty where nothing was tried."""
        if not self.calls:
            return ""
        examples = f"such as `{_cut(self.calls[0][0][-1])}`"
        count = len(self.calls)
        return f"It does the same in the {count} call{'s' if count > 1 else ''} that were tried, {examples}."


async def behaviour(target: Target, tools: Tools) -> Behaviour:
    """What calls show of a function as it is; none where it cannot be run, or is another each time.

    Only in Python, in a workspace whose code may be run.
    """
    bench, snapshot = tools.bench, target.snapshot
    # What waits, or is made inside another function, cannot be called just so.
    if bench is None or target.scope.is_async or (target.scope.indentation and not target.scope.class_name):
        return Behaviour(target, None)
    found = Behaviour(target, bench)
    files, lines = {bench.site.source: snapshot.text}, lines_of(target)
    async with bench.shell(files, lines) as shell:
        if shell is None:
            return found
        owner = owner_of(target)
        opening = [f"from {bench.site.module} import {owner or target.name}"]
        messages = tools.prompts.render("try_out", target.language.id, **described(target))
        explorer = Explorer(target, owner, opening, messages, tools, f"Trying {target.name} out")
        trial = await explorer.explore(shell, _WANTED)
        found.timings = explorer.timings
        every: list[Sequence[str]] = [*trial.sequences()]
        defaults = {p.name: p.default for p in target.scope.parameters if p.default is not None}
        every += [one for seed in trial.sequences() for one in variations(seed, trial.signature.name, defaults)]
        every = [list(pieces) for pieces in dict.fromkeys(map(tuple, every))]
        for pieces in every[:_MOST_CALLS] if not trial.ended else ():
            seen = await _replayed(shell, pieces)
            if seen is None:
                break
            if (seen.reached and not seen.error) or seen.on_purpose:
                found.calls.append((pieces, seen))
    # In another process: what depends on chance or on the time is no behaviour.
    async with bench.shell(files, lines) as shell:
        again = [(p, s, await _replayed(shell, p)) for p, s in found.calls] if shell is not None else []
    found.calls = [(pieces, seen) for pieces, seen, now in again if _compared(now) == _compared(seen)]
    return found


async def _replayed(shell: PythonShell, pieces: Sequence[str]) -> Seen | None:
    """What comes of the last of some pieces, all run from the start; None if the shell is gone."""
    seen = await shell.forget()
    if seen is None or seen.error:
        return seen
    for code in pieces:
        seen = await shell.run(code)
    return seen


def _compared(seen: Seen | None) -> tuple[object, ...]:
    return (seen.forms, seen.changed, seen.printed, seen.nothing, seen.error) if seen else ()


def _cut(text: str) -> str:
    return cut(" ".join(text.split()), _LONGEST_SHOWN)
