"""A shell of the project's own Python, for trying a function out: code goes in, what came of it comes back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

# An import may take a while; what a test does may not.
_START_S, _STEP_S = 30.0, 3.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a piece of code.

    Attributes:
        shown: what an interactive shell would print.
        error: the name of the exception that ended it; empty if none did.
        on_purpose: that exception was raised by the project's own code, in a ``raise``.
        forms: what can be said of its value: expressions in which ``{}`` stands for the code, and what they are equal
            to, both as code. Empty if it has none, or none that a test could expect on another machine.
        changed: the same of objects that the code named, if it changed them.
        printed: what it printed, if a test could expect that.
        nothing: it was an expression, and its value is None.
        awaited: its value was a coroutine, which was run; what is told is what came of that.
        reached: the lines of the watched function that were run, 1-based.
        returned: the names of the types of what it returned; ``iterator`` for all that can be gone through only once.
    """

    shown: str = ""
    error: str = ""
    on_purpose: bool = False
    forms: tuple[tuple[str, str], ...] = ()
    changed: tuple[tuple[str, str], ...] = ()
    printed: str = ""
    nothing: bool = False
    awaited: bool = False
    reached: frozenset[int] = frozenset()
    returned: frozenset[str] = frozenset()


class PythonShell:
    """`shell_process` in a process of its own, which may end at any time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """A shell over a process that was started with pipes."""
        self._process = process

    async def forget(self) -> Seen | None:
        """Begin anew, with the module's names alone; what is seen is an error if it cannot be imported."""
        return await self._ask({}, _START_S)

    async def run(self, code: str) -> Seen | None:
        """Run a piece of code; None if the process has ended, which it does too when that takes long."""
        return await self._ask({"code": code}, _STEP_S)

    async def _ask(self, request: dict[str, str], timeout_s: float) -> Seen | None:
        requests, answers = self._process.stdin, self._process.stdout
        if requests is None or answers is None:
            raise RuntimeError("a shell's process is started with pipes")
        try:
            requests.write(json.dumps(request).encode() + b"\n")
            await requests.drain()
            line = await asyncio.wait_for(answers.readline(), timeout_s)
            return seen_in(json.loads(line))
        except (OSError, ValueError, asyncio.TimeoutError):
            # It is gone, or what it says is no answer any more.
            if self._process.returncode is None:
                self._process.kill()
            return None


def seen_in(answer: dict[str, Any]) -> Seen:
    """What the answer of a process says."""
    pairs = {name: tuple((form, said) for form, said in answer.get(name, ())) for name in ("forms", "changed")}
    return Seen(
        answer.get("shown", ""),
        answer.get("error", ""),
        answer.get("on_purpose", False),
        printed=answer.get("printed", ""),
        nothing=answer.get("nothing", False),
        awaited=answer.get("awaited", False),
        reached=frozenset(answer.get("reached", ())),
        returned=frozenset(answer.get("returned", ())),
        **pairs,
    )
