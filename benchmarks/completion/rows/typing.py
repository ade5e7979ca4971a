"""A replay of typing through the LSP: what reaches the model, how soon something is shown, how still it stands."""

from __future__ import annotations

import asyncio
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from benchmarks.completion.projects import PROJECTS, Project, named
from benchmarks.completion.setup import Setup
from benchmarks.completion.systems import engine_ended, our_engine, window
from benchmarks.completion.typed import Stroke, Typing
from benchmarks.completion.typist import Edit, accepts, after_accepting, edits, keys
from benchmarks.engine.outcome import Outcome, percentile, table
from benchmarks.engine.peers import home

_EDITS, _QUICK_EDITS = 6, 1
_AT_ONCE_MS = 50.0
"""Sooner than any model could have been asked: the server waits longer for a pause in typing."""
_COUNTED = re.compile(r'^shardlight:requests_total\{lane="completion",reason="\w+"\} ([\d.e+]+)$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Session:
    """What was typed in one place.

    Attributes:
        accepted: characters that were not typed.
        requests: that reached the engine, looking ahead included.
    """

    edit: Edit
    strokes: Sequence[Stroke]
    accepted: int
    requests: int


def run(setup: Setup) -> Outcome:
    """Each edit in a window of its own, all on one engine."""
    projects = named(PROJECTS)
    wanted = edits(projects, setup.engine.count(_EDITS, _QUICK_EDITS), setup.engine.seed)
    sessions = []
    with home(), engine_ended(setup.engine.model):
        for number, edit in enumerate(wanted):
            print(f"typing in {edit.project}/{edit.path} …", file=sys.stderr)
            sessions.append(asyncio.run(_type(projects[edit.project], edit, setup, setup.engine.seed + number)))
    return Outcome(_report(sessions), [])


async def _type(project: Project, edit: Edit, setup: Setup, seed: int) -> Session:
    text = project.read(edit.path)
    whole = text[edit.start : edit.end]
    async with window(project, setup.engine.model) as (opened, root):
        before = await asyncio.to_thread(_counted, setup)
        typing = Typing(opened, opened.open(root / edit.path, edit.left(text)), edit.start)
        left, accepted = keys(whole, seed), 0
        while left:
            key = left.pop(0)
            typing.type(key.text)
            await asyncio.sleep(key.then_s)
            to_come = whole[typing.at - edit.start :]
            if key.pause and accepts(typing.shown, to_come):
                length = len(typing.shown)
                if await typing.accept():
                    accepted += length
                    left = after_accepting(left, length)
        await typing.stop()
        after = await asyncio.to_thread(_counted, setup)
    return Session(edit, typing.strokes, accepted, after - before)


def _counted(setup: Setup) -> int:
    """Requests that the engine has ended so far."""
    address = our_engine(setup.engine.model)
    page = httpx.get(f"{address.url}/metrics", headers={"Authorization": f"Bearer {address.token}"})
    return sum(int(float(number)) for number in _COUNTED.findall(page.raise_for_status().text))


def _report(sessions: Sequence[Session]) -> list[str]:
    told = (
        f"{len(sessions)} bodies of real functions, typed again letter by letter with a person's rhythm; a request at "
        "each keystroke, which cancels the one before. At the beginning of a line, and now and then inside one, the "
        "person pauses, and takes a suggestion of 8 characters or more that is all what they are about to write. *At "
        f"once*: a suggestion within {_AT_ONCE_MS:.0f} ms, which is before any model is asked. *Requests* are the "
        "engine's count, with those made ahead. *First* suggestions are those that come where none was shown. "
        "*Flicker*: the letter typed agreed with the suggestion, and the next one is not its rest, or is not there; of "
        "the keystrokes that agreed and were answered before the next."
    )
    rows = [_row(f"{one.edit.project}/{one.edit.path}", [one]) for one in sessions]
    head = ["", "keystrokes", "accepted, characters", "suggestion before the next key", "at once"]
    head += ["requests to the model", "ms to a first suggestion, p50", "p95", "flicker"]
    return [told, "", *table(head, [_row("all", sessions), *rows])]


def _row(name: str, sessions: Sequence[Session]) -> list[object]:
    strokes = [stroke for one in sessions for stroke in one.strokes]
    waits = [stroke.ms for stroke in strokes if stroke.ms is not None and stroke.text]
    first = [stroke.ms for stroke in strokes if stroke.ms is not None and stroke.text and not stroke.expected]
    agreed = [stroke for stroke in strokes if stroke.expected and stroke.ms is not None]
    return [
        name,
        len(strokes),
        sum(one.accepted for one in sessions),
        f"{len(waits) / len(strokes):.0%}",
        f"{sum(ms < _AT_ONCE_MS for ms in waits) / len(strokes):.0%}",
        sum(one.requests for one in sessions),
        percentile(first, 0.5),
        percentile(first, 0.95),
        f"{sum(stroke.flickers for stroke in agreed)} of {len(agreed)}",
    ]
