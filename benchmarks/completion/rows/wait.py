"""The wait at a pause in typing until something is suggested: ours through the LSP, and llama.vim's recipe."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Protocol

from benchmarks.completion.projects import PROJECTS, Project, named
from benchmarks.completion.scoring import difference
from benchmarks.completion.setup import Setup
from benchmarks.completion.systems import engine_ended, recipes_server, window
from benchmarks.completion.typed import Typing
from benchmarks.completion.typed_vim import VimTyping
from benchmarks.completion.typist import Edit, edits, keys
from benchmarks.engine.outcome import Bar, Outcome, median, percentile, table
from benchmarks.engine.peers import Server, home, in_turn

_EDITS, _QUICK_EDITS = 6, 1
_PATIENCE_S = 10.0
_BAR = 0.5
Waits = list[float | None]


class _Types(Protocol):
    def type(self, text: str) -> None: ...
    async def answered(self, patience_s: float) -> float | None: ...
    async def stop(self) -> None: ...


def run(setup: Setup) -> Outcome:
    """The same keystrokes to both, edit by edit in turn; while one is typed in, the other rests."""
    projects = named(PROJECTS)
    wanted = edits(projects, setup.engine.count(_EDITS, _QUICK_EDITS), setup.engine.seed)
    ours: Waits = []
    theirs: Waits = []
    with home(), engine_ended(setup.engine.model), recipes_server(setup.engine) as server:
        for number, edit in enumerate(wanted):
            seed = setup.engine.seed + number
            project = projects[edit.project]
            for who in in_turn(number):
                print(f"{who}: {edit.project}/{edit.path} …", file=sys.stderr)
                if who == "ours":
                    ours += asyncio.run(_ours(project, edit, setup, seed))
                else:
                    theirs += asyncio.run(_theirs(server, project, edit, seed))
    return _outcome(len(wanted), ours, theirs)


async def _ours(project: Project, edit: Edit, setup: Setup, seed: int) -> Waits:
    text = project.read(edit.path)
    async with window(project, setup.engine.model) as (opened, root):
        uri = opened.open(root / edit.path, edit.left(text))
        return await _typed(Typing(opened, uri, edit.start), text[edit.start : edit.end], seed)


async def _theirs(server: Server, project: Project, edit: Edit, seed: int) -> Waits:
    text = project.read(edit.path)
    typing = VimTyping(server.address, edit.left(text), edit.start, seed)
    return await _typed(typing, text[edit.start : edit.end], seed)


async def _typed(typing: _Types, text: str, seed: int) -> Waits:
    """Milliseconds from each key before a pause to a suggestion; None if none came. A pause ends with it."""
    waits: Waits = []
    for key in keys(text, seed):
        typing.type(key.text)
        if key.pause:
            waits.append(await typing.answered(_PATIENCE_S))
        await asyncio.sleep(key.then_s)
    await typing.stop()
    return waits


def _outcome(number: int, ours: Waits, theirs: Waits) -> Outcome:
    both = [(a, b) for a, b in zip(ours, theirs, strict=True) if a is not None and b is not None]
    mine, others = [a for a, _ in both], [b for _, b in both]
    found = median(mine) / median(others) if both else float("nan")
    told = (
        f"{number} bodies of real functions typed again, {len(ours)} pauses; from the last keystroke before a pause to "
        f"a suggestion, at most {_PATIENCE_S:.0f} s. llama.vim: its requests, its times, its lookup of what was typed "
        "through and its requests ahead, without its ring of other places, against llama-server with the options that "
        "it advises. Nothing is accepted, so that both see the same text."
    )
    rows = [_row("Shardlight", ours, mine), _row("llama.vim", theirs, others)]
    head = ["", "suggestions at pauses", "ms, median", "p95", "ms where both have one, median", "p95"]
    lines = [told, "", *table(head, rows), ""]
    if both:
        apart = difference(mine, others)
        lines.append(
            f"Where both have one ({len(both)}), ours is {-apart.value:.0f} ms sooner on average "
            f"(95 %: {-apart.high:.0f} to {-apart.low:.0f})."
        )
    bar = Bar("wait: median at a pause", f"≤ {_BAR} × llama.vim", f"{found:.2f} ×", found <= _BAR)
    return Outcome(lines, [bar], [{"ours_ms": _rounded(ours), "theirs_ms": _rounded(theirs)}])


def _row(name: str, waits: Waits, in_both: Sequence[float]) -> list[object]:
    had = [ms for ms in waits if ms is not None]
    share = f"{len(had)} of {len(waits)}"
    return [name, share, median(had), percentile(had, 0.95), median(in_both), percentile(in_both, 0.95)]


def _rounded(waits: Waits) -> list[int | None]:
    return [None if ms is None else round(ms) for ms in waits]
