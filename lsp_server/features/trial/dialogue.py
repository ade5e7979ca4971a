"""Trying a function out together with the model: it says what to call, a shell says what comes of it.

A small model knows what to call and miscounts what comes of it. Here it need not count, and sees when a call was none.
"""

from __future__ import annotations

import ast
import codeop
from collections.abc import Mapping, Sequence
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
    """

    maker: str
    call: str

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
    _aimed: list[int] = field(default_factory=list)

    async def run(self) -> None:
        """Go on until enough is seen, the model says nothing new, or the shell is gone."""
        guide, trial = self.guide, self.trial
        if not await trial.begin():
            return
        # What worked; the model sees besides what has just failed, and is not led on by more of that.
        history, failure = "```python\n" + "".join(map(_typed, self.opening)), ""
        tried: set[str] = set()
        kept: list[str] = []
        if self.calls.maker:
            simplest = f"{self.calls.maker})"
            tried.add(simplest)
            if (await trial.take(simplest))[1]:
                kept.append(simplest)
                history += _typed(simplest)
        wasted = 0
        while len(trial.useful) < self.wanted and len(tried) < _MOST_TRIED and wasted < _MOST_WASTED:
            if self.calls.is_whole and not self.calls.maker and kept:
                return  # There is only one call.
            beginning = self._beginning(kept, wasted)
            aim = self._aim() if beginning == self.calls.call else ""
            guide.answer = history + failure + aim
            code = await self._code(beginning, _OTHERWISE if wasted else self.temperature)
            if guide.timings.predicted_tokens > _MAX_TOKENS:
                return
            wasted += 1
            # The same call of another object is another one.
            if code is None or (code in tried and not (self.calls.is_whole and code == self.calls.call)):
                continue
            tried.add(code)
            code, seen, is_kept = await trial.take_repaired(code)
            if trial.ended:
                return
            tried.add(code)
            done = aim + _typed(code) + (f"{seen.shown}\n" if seen.shown else "")
            if is_kept:
                kept.append(code)
                history, failure, wasted = history + done, "", 0
            else:
                failure = done

    def _beginning(self, kept: Sequence[str], wasted: int) -> str:
        """How the next line begins: with a call of the function, but for the lines that prepare one."""
        calls = self.calls
        if calls.maker and (not kept or (calls.is_whole and kept[-1] == calls.call)):
            return calls.maker
        # When it leads nowhere, the model may first prepare something.
        return "" if wasted % 3 == 2 and kept else calls.call

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
    """A piece of code without what stands behind its last statement."""
    body = ast.parse(code).body
    if not body:
        return ""
    last = body[-1]
    lines = code.splitlines()[: last.end_lineno]
    lines[-1] = lines[-1].encode()[: last.end_col_offset].decode()
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
