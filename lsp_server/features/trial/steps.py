"""What a function does when it is tried out in a shell: steps, and which of them show something."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from lsp_server.features.trial.repairs import Signature, repairs
from lsp_server.syntax.python_tree import reads
from lsp_server.testing.shell import PythonShell, Seen


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of code, and what came of it."""

    code: str
    seen: Seen


@dataclass
class Trial:
    """Steps in a shell.

    Attributes:
        signature: of the function.
        steps: those that were kept.
        useful: which of them show something that a test can expect and none before did.
        reached: the lines of the function that were run, 1-based.
        ended: the shell is gone.
    """

    shell: PythonShell
    signature: Signature
    steps: list[Step] = field(default_factory=list)
    useful: list[int] = field(default_factory=list)
    reached: set[int] = field(default_factory=set)
    ended: bool = False

    async def begin(self) -> bool:
        """Forget all names but the module's; False if that cannot be imported."""
        seen = await self.shell.forget()
        self.ended = seen is None
        return seen is not None and not seen.error

    async def take(self, code: str, *, if_new: bool = False) -> tuple[Seen, bool]:
        """Run a piece of code; what came of it, and whether it was kept.

        Kept is what shows something (useful), and what makes or changes something that others may use.

        Args:
            if_new: only what reaches new lines is useful.
        """
        seen = await self.shell.run(code) if not self.ended else None
        if seen is None:
            self.ended = True
            return Seen(error="the shell ended"), False
        if seen.error == "SyntaxError" and not reads(code):
            return seen, False
        at, steps = len(self.steps), [*self.steps, Step(code, seen)]
        reached = seen.reached.union(*(steps[i].seen.reached for i in needed(steps, at)))
        fresh = not reached <= self.reached
        known = () if if_new else [_shown(steps[i].seen) for i in self.useful]
        if any(_shown(seen)) and reached and (fresh or not (if_new or _shown(seen) in known)):
            self.useful.append(at)
            self.reached |= reached
        used, made = _named(code)
        changes = seen.changed or (seen.nothing and used & set().union(*(_named(s.code)[1] for s in self.steps)))
        kept = at in self.useful or bool(changes) or (not seen.error and bool(made))
        if kept:
            self.steps = steps
        return seen, kept

    async def take_repaired(self, code: str) -> tuple[str, Seen, bool]:
        """As `take`; where the function is called in a wrong way, in a right one. The code is that which was taken."""
        seen, kept = await self.take(code)
        if seen.error and not seen.on_purpose and reads(code):
            for other in repairs(code, self.signature):
                again, kept_again = await self.take(other)
                if not again.error or kept_again:
                    return other, again, kept_again
        return code, seen, kept

    async def replay(self, codes: Sequence[str], *, if_new: bool = False, to_the_end: bool = False) -> None:
        """Take pieces of code that belong together, from the start.

        Args:
            if_new: see `take`.
            to_the_end: go on after one that fails to make something.
        """
        if not await self.begin():
            return
        for code in codes:
            seen, _ = await self.take(code, if_new=True) if if_new else (await self.take_repaired(code))[1:]
            if seen.error and not to_the_end and (not reads(code) or _named(code)[1]):
                return

    async def works(self, codes: Sequence[str]) -> bool:
        """Whether pieces of code that belong together come to their end; nothing is kept of them."""
        if not await self.begin():
            return False
        for code in codes:
            seen = await self.shell.run(code)
            if seen is None or seen.error:
                self.ended = seen is None
                return False
        return True

    def sequences(self) -> list[list[str]]:
        """For each useful step: its code, behind that of the steps that it needs."""
        return [[*(self.steps[i].code for i in needed(self.steps, at)), self.steps[at].code] for at in self.useful]


def _shown(seen: Seen) -> tuple[object, ...]:
    """What a test can expect of it."""
    return seen.forms, seen.changed, seen.printed, seen.error if seen.on_purpose else ""


def needed(steps: Sequence[Step], at: int) -> list[int]:
    """The steps before one without which it would be another one: those that make or change what it names.

    What gives nothing is called for what it changes, even where that cannot be seen.
    """
    names = _named(steps[at].code)[0]
    own = set().union(*(_named(step.code)[1] for step in steps[:at]))
    found = []
    for i in range(at - 1, -1, -1):
        used, made = _named(steps[i].code)
        changes: set[str] = {name for where, _ in steps[i].seen.changed for name in _named(where)[0] & own}
        changes |= used & own if steps[i].seen.nothing else set()
        if not steps[i].seen.error and (made | changes) & names:
            found.append(i)
            # What is made here does not come from before.
            names = names - made | used
    return found[::-1]


@lru_cache(maxsize=1024)
def _named(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a piece of code uses, and those that it makes."""
    used: set[str] = set()
    made: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else made).add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.alias):
            made.add((node.asname or node.name).split(".")[0])
    return frozenset(used), frozenset(made)
