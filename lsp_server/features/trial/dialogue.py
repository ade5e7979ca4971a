"""Trying a function out together with the model: it says what to call, a shell says what comes of it.

A small model knows what to call and miscounts what comes of it. Here it need not count, and sees when a call was none.
"""

from __future__ import annotations

import ast
import codeop
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from lsp_server.features.guided import Guide
from lsp_server.features.trial.steps import Trial

_FIRST, _MORE = ">>> ", "... "
_LINE_TOKENS, _MAX_TOKENS = 80, 400
_MOST_TRIED, _MOST_LINES, _MOST_WASTED = 20, 8, 5
_AIMED, _LONGEST_COMMENT = 2, 60
# Where the likeliest words lead nowhere.
_OTHERWISE = 0.8
# What is of no use to a test.
_NOT_TRIED = ("#", "help(", "exit(", "quit(", "print(", "input(", "dir(")


@dataclass(frozen=True, slots=True)
class Calls:
    """How lines begin.

    Attributes:
        maker: that make what the method is called on: ``name = Class(``; empty for a function.
        call: that call the function; the whole call where it takes nothing. Empty for one that is called otherwise.
        needed: the names of the arguments that it cannot do without.
        by_name: which of them have to be given by their names.
        given: which of them need not be thought about → what makes them, piece by piece.
    """

    maker: str
    call: str
    needed: Sequence[str] = ()
    by_name: Collection[str] = ()
    given: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def with_needed(self) -> str:
        """A call with variables of the names of what it needs."""
        given = (f"{name}={name}" if name in self.by_name else name for name in self.needed)
        return f"{self.call}{', '.join(given)})"

    @property
    def is_whole(self) -> bool:
        """Nothing varies in the call."""
        return self.call.endswith(")")


@dataclass
class Dialogue:
    """A session in the making.

    Attributes:
        guide: asks the model; its answer becomes the session as a shell would show it.
        opening: lines that the session begins with, which are not run.
        wanted: so many useful steps are enough.
        goals: what to say of the lines that are to be reached next: line → comment.
        temperature: of the words that are taken first.
    """

    guide: Guide
    trial: Trial
    opening: Sequence[str]
    calls: Calls
    wanted: int
    goals: Mapping[int, str]
    temperature: float = 0.0
    # What worked, as the shell shows it; and what has just failed, so that the model is not led on by more of that.
    _history: str = ""
    _failure: str = ""
    _kept: list[str] = field(default_factory=list)
    _tried: set[str] = field(default_factory=set)
    _aimed: list[int] = field(default_factory=list)

    async def run(self) -> None:
        """Go on until enough is seen, the model says nothing new, or the shell is gone."""
        trial = self.trial
        if not await trial.begin():
            return
        self._history = "```python\n" + "".join(map(_typed, self.opening))
        if self.calls.maker:
            # The simplest that can be made, else what worked before.
            known = [step.code for step in trial.steps if step.code.startswith(self.calls.maker)]
            for maker in dict.fromkeys((f"{self.calls.maker})", *known)):
                if await self._take(maker):
                    break
            self._failure = ""
        wasted = 0
        while len(trial.useful) < self.wanted and len(self._tried) < _MOST_TRIED and wasted < _MOST_WASTED:
            only_one = self.calls.is_whole and not self.calls.maker and self._kept
            if only_one or trial.ended or self.guide.timings.predicted_tokens > _MAX_TOKENS:
                return
            temperature = _OTHERWISE if wasted else self.temperature
            # What is given is best taken at once.
            if wasted % 2 == (not self.calls.given) and self.calls.needed and (self._kept or not self.calls.maker):
                taken = await self._prepared(temperature)
            else:
                taken = await self._turn(self._beginning(wasted), temperature)
            wasted = 0 if taken else wasted + 1

    def _beginning(self, wasted: int) -> str:
        """How the next line begins: with a call of the function, but for the lines that prepare one."""
        calls, kept = self.calls, self._kept
        if calls.maker and (not kept or (calls.is_whole and kept[-1] == calls.call)):
            return calls.maker
        # When it leads nowhere, the model may first prepare something.
        return "" if wasted == _MOST_WASTED - 1 and kept else calls.call

    async def _turn(self, beginning: str, temperature: float) -> bool:
        """Have the model say a line; whether it was kept."""
        aim = self._aim() if beginning == self.calls.call else ""
        self.guide.answer = self._history + self._failure + aim
        code = await self._code(beginning, temperature)
        # The same call of another object is another one.
        is_new = code not in self._tried or (self.calls.is_whole and code == self.calls.call)
        return bool(code) and is_new and await self._take(code or "", aim)

    async def _prepared(self, temperature: float) -> bool:
        """Have the model say each argument in a line of its own, and call the function with them; whether that worked.

        In brackets a small model forgets how many there are, and what each is.
        """
        history, is_new = self._history, False
        for name in self.calls.needed:
            self.guide.answer = self._history
            pieces = self.calls.given.get(name) or [await self._code(f"{name} = ", temperature) or ""]
            for code in pieces:
                is_new |= code not in self._tried
                if not code or not await self._take(code):
                    self._history = history
                    return False
        taken = is_new and await self._take(self.calls.with_needed)
        if not taken:
            self._history = history
        return taken

    async def _take(self, code: str, aim: str = "") -> bool:
        """Run a line; whether it was kept, and is part of the session from now on."""
        self._tried.add(code)
        code, seen, is_kept = await self.trial.take_repaired(code)
        self._tried.add(code)
        done = aim + _typed(code) + (f"{seen.shown}\n" if seen.shown else "")
        if is_kept:
            self._kept.append(code)
            self._history, self._failure = self._history + done, ""
        else:
            self._failure = done
        return is_kept

    def _aim(self) -> str:
        """A comment on a line that was not reached yet, and not aimed at twice."""
        reached = self.trial.reached
        for line, comment in self.goals.items():
            if reached and line not in reached and self._aimed.count(line) < _AIMED:
                self._aimed.append(line)
                return _typed(comment)
        return ""

    async def _code(self, beginning: str, temperature: float) -> str | None:
        """What the model wants to run next; None if that is nothing that could be run."""
        if beginning and beginning == self.calls.call and self.calls.is_whole:
            return beginning
        guide, lines = self.guide, [beginning]
        guide.write(_FIRST + beginning)
        while len(lines) < _MOST_LINES:
            lines[-1] += await guide.fill(stop=("\n", "```"), max_tokens=_LINE_TOKENS, temperature=temperature)
            code = "\n".join(lines).strip("\n")
            if not guide.complete or not code.strip() or code.startswith(_NOT_TRIED):
                return None
            try:
                if codeop.compile_command(code, symbol="single") is not None:
                    return _without_comment(code) or None
            except (SyntaxError, ValueError, OverflowError):
                return None
            guide.write(f"\n{_MORE}")
            lines.append("")
        return None


def _typed(code: str) -> str:
    """A piece of code as it stands in a shell."""
    first, *rest = code.splitlines()
    return "".join([f"{_FIRST}{first}\n", *(f"{_MORE}{line}\n" for line in rest)])


def _without_comment(code: str) -> str:
    """A statement without what stands behind it; empty where there are several."""
    body = ast.parse(code).body
    if len(body) != 1:
        return ""
    lines = code.splitlines()[: body[0].end_lineno]
    lines[-1] = lines[-1].encode()[: body[0].end_col_offset].decode()
    return "\n".join(lines)


def goals(code: str, first_line: int) -> dict[int, str]:
    """For the lines that begin a branch of a function: a comment on what leads there.

    Args:
        code: the function, at column 0.
        first_line: of it, 1-based.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return {}
    found: dict[int, str] = {}

    def note(body: Sequence[ast.stmt], comment: str) -> None:
        if body and len(comment) <= _LONGEST_COMMENT:
            found[body[0].lineno + first_line - 1] = f"# {comment}"

    for node in ast.walk(tree):
        if isinstance(node, (ast.If, ast.While)):
            note(node.body, f"where {ast.unparse(node.test)}")
            note(node.orelse, f"where not {ast.unparse(node.test)}")
        elif isinstance(node, ast.Try):
            for handler in node.handlers:
                kind = f" with {ast.unparse(handler.type)}" if handler.type else ""
                note(handler.body, f"where {ast.unparse(node.body[0])} fails{kind}")
        elif isinstance(node, ast.For):
            note(node.body, f"with something in {ast.unparse(node.iter)}")
    return dict(sorted(found.items()))
