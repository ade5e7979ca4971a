"""Whether a function still does what it did: the same calls before and after a change, and what comes of them."""

from __future__ import annotations

import ast
import re

from lsp_server.features.describing import described, owner_of
from lsp_server.features.trial.exploring import Explorer
from lsp_server.features.trial.noticing import Call, calls_of, compared, replayed
from lsp_server.features.types import Target, Tools
from lsp_server.inference.backend import Timings
from lsp_server.syntax.python_tree import called_name
from lsp_server.testing.shell import Seen
from lsp_server.text.titles import cut

# So many calls that show something are looked for; with other values they are many more.
_WANTED = 4
_LONGEST_SHOWN = 80
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Behaviour:
    """What calls of a function show before it is changed. They are made once there is something to compare with.

    Only in Python, in a workspace whose code may be run; none are left of a function that is another one each time.

    Attributes:
        calls: those that were made.
        timings: what making them took.
    """

    def __init__(self, target: Target, tools: Tools) -> None:
        """The behaviour of a function as it is in its document."""
        self.calls: list[Call] = []
        self.timings = Timings()
        self._target = target
        self._tools = tools
        # What waits, or is made inside another function, cannot be called just so.
        inner = bool(target.scope.indentation and not target.scope.class_name)
        self._bench = None if target.scope.is_async or inner else tools.bench
        self._was_tried = False

    async def try_out(self) -> None:
        """Make the calls, unless that was done."""
        target, tools, bench = self._target, self._tools, self._bench
        if bench is None or self._was_tried:
            return
        self._was_tried = True
        async with bench.shell({bench.site.source: target.snapshot.text}, target.lines) as shell:
            if shell is None:
                return
            owner = owner_of(target)
            opening = [f"from {bench.site.module} import {owner or target.name}"]
            messages = tools.prompts.render("try_out", target.language.id, **described(target))
            explorer = Explorer(target, owner, opening, messages, tools, f"Trying {target.name} out")
            trial = await explorer.explore(shell, _WANTED)
        self.calls, self.timings = await calls_of(trial, target, bench), explorer.timings

    async def difference(self, changed: str, *, awaited: bool = False) -> str:
        """What is otherwise with the changed text of the document, a sentence; empty if nothing is.

        Args:
            awaited: the function is asynchronous by now.
        """
        await self.try_out()
        if self._bench is None or not self.calls:
            return ""
        async with self._bench.shell({self._bench.site.source: changed}, self._target.lines) as shell:
            if shell is None:
                return ""
            for call in self.calls:
                *before, last = call.codes
                if awaited and not _is_call(last, self._target.name):
                    continue
                steps = await replayed(shell, [*before, f"__import__('asyncio').run({last})" if awaited else last])
                seen = steps[-1].seen if steps else None
                if awaited and seen and "'await' expression" in seen.shown:
                    continue  # What the call brings along has to become async as well.
                if seen is None:
                    return f"`{_said(call)}` would not come to an end."
                if compared(seen) != compared(call.seen):
                    return _otherwise(call, seen)
                if not awaited and seen.returned != call.seen.returned:
                    was, now = (", ".join(sorted(one.returned)) or "nothing" for one in (call.seen, seen))
                    return f"In `{_said(call)}` it returns {was}, and would return {now}."
        return ""

    @property
    def note(self) -> str:
        """What to say of a change that makes no difference; empty where nothing was tried."""
        if not self.calls:
            return ""
        count = len(self.calls)
        tried = f"the {count} calls that were tried" if count > 1 else "the one call that was tried"
        return f"It does the same in {tried}, such as `{_said(self.calls[0])}`."


def _is_call(code: str, name: str) -> bool:
    """Whether code is nothing but a call of a function, and can be awaited as a whole."""
    body = ast.parse(code).body
    value = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    return isinstance(value, ast.Call) and called_name(value.func) == name


def _otherwise(call: Call, seen: Seen) -> str:
    """How something else comes of a call by now, a sentence."""
    was, now = (_cut(_ADDRESS.sub("", one.shown) or "nothing") for one in (call.seen, seen))
    if was == now:
        return f"`{_said(call)}` would come to something else."
    return f"`{_said(call)}` gives {was}, and would give {now}."


def _said(call: Call) -> str:
    return _cut("; ".join(call.codes))


def _cut(text: str) -> str:
    return cut(" ".join(text.split()), _LONGEST_SHOWN)
