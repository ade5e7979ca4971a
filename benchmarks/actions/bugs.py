"""Bug hints on pairs of functions of public packages, as they are and with a small bug, against asking plainly."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from benchmarks.actions.mutants import mutants
from benchmarks.actions.sources import Function, sample
from benchmarks.completion.projects import cache
from benchmarks.results import write_markdown
from lsp_server.errors import ShardlightError
from lsp_server.features.bug_hints import LEAST_GAIN, suspicions
from lsp_server.features.guided import Guide
from lsp_server.features.types import Target, Tools, find_target
from lsp_server.inference.backend import Message
from lsp_server.inference.roles import RoleBackend
from lsp_server.inference.sources import engine_spec
from lsp_server.models.store import store_from
from lsp_server.prompting.catalog import PromptCatalog, shipped_directory
from lsp_server.settings.schema import Settings
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing.rates import wilson

_GAINS = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 15.0)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one pair.

    Attributes:
        kind: of bug, or empty for the function as it is.
        line: of the bug, from 0 in the document; -1 for the function as it is.
        gain, at: of the best suspicion, and its line; None without any.
        plain: the line that the model named when it was asked plainly; None for none.
        said: what is there, what would be expected.
    """

    where: str
    language: str
    kind: str
    line: int
    gain: float | None
    at: int | None
    plain: int | None
    seconds: float
    plain_seconds: float
    said: str = ""

    def hint(self, least: float) -> bool:
        """Whether a hint is shown at a threshold."""
        return self.gain is not None and self.gain >= least


async def run(model: str, count: int, seed: int, *, resume: bool) -> list[Outcome]:
    """So many pairs of each language; each outcome is kept as soon as it is there."""
    kept = cache() / "answers" / model.replace("/", "_") / f"bugs-{seed}.jsonl"
    kept.parent.mkdir(parents=True, exist_ok=True)
    known: dict[tuple[str, str], Outcome] = {}
    if resume and kept.is_file():
        lines = (Outcome(**json.loads(line)) for line in kept.read_text().splitlines())
        known = {(one.where, one.kind): one for one in lines}
    settings = Settings()
    settings = replace(settings, models=replace(settings.models, completion=model, assistant=model))
    store = store_from(settings.models.directory, registry_mirror=False)
    backend = RoleBackend(lambda: engine_spec(settings, store, "assistant"), lambda _fraction: None)
    tools = Tools(backend, PromptCatalog(shipped_directory()))
    outcomes: list[Outcome] = []
    choice = random.Random(seed)
    try:
        for function in sample(count, seed):
            for snapshot, kind, line in _pair(function, choice):
                outcome = known.get((function.where, kind)) or await _asked(function, snapshot, kind, line, tools)
                outcomes.append(outcome)
                if (function.where, kind) not in known:
                    with kept.open("a", encoding="utf-8") as file:
                        file.write(json.dumps(asdict(outcome)) + "\n")
    finally:
        await backend.aclose()
    return outcomes


def _pair(function: Function, choice: random.Random) -> list[tuple[Snapshot, str, int]]:
    """The document as it is and with one bug; nothing if none of ours fits the function."""
    snapshot = Snapshot.open(function.path.read_bytes().decode("utf-8"), function.language)
    found = mutants(snapshot, function.scope, choice)
    if not found:
        return []
    bug = found[0]
    return [(snapshot, "", -1), (snapshot.edited([bug.edit], 1), bug.kind, bug.line)]


async def _asked(function: Function, snapshot: Snapshot, kind: str, line: int, tools: Tools) -> Outcome:
    path = PurePosixPath(function.path.relative_to(function.root).as_posix())
    target = find_target(snapshot, function.scope.start + 1, path)
    found, timings = await suspicions(target, tools)
    best = max(found, key=lambda one: one.gain, default=None)
    plain, seconds = await _plainly(target, tools)
    return Outcome(
        function.where,
        function.language,
        kind,
        line,
        best.gain if best else None,
        snapshot.lines.line_of(best.start) if best else None,
        plain,
        timings.total_ms / 1000,
        seconds,
        f"{snapshot.text[best.start : best.end]} -> {best.meant}" if best else "",
    )


async def _plainly(target: Target, tools: Tools) -> tuple[int | None, float]:
    """The line that a model names when it is simply asked."""
    first = target.snapshot.lines.line_of(target.scope.start)
    code = target.snapshot.text[target.scope.start : target.scope.end]
    numbered = "\n".join(f"{number}: {line}" for number, line in enumerate(code.splitlines(), 1))
    question = (
        f"Is there a bug in this {target.language.name} function?\n\n```\n{numbered}\n```\n\n"
        "If there is none, answer `none`. If there is one, answer with the number of its line and a short reason, "
        "like `4: the index is one too high`."
    )
    guide = Guide(tools, (Message("user", question),), phase="")
    try:
        answer = await guide.fill(stop=("\n\n",), max_tokens=60)
    except ShardlightError:
        return None, 0.0
    number = re.search(r"\d+", answer)
    nothing = re.match(r"\W*(?:none|no)\b", answer, re.IGNORECASE)
    return None if nothing or number is None else first + int(number[0]) - 1, guide.timings.total_ms / 1000


def report(outcomes: Sequence[Outcome], command: str) -> None:
    """Write the table for each threshold, and for asking plainly."""
    buggy = [one for one in outcomes if one.kind]
    lines = [
        f"{len(buggy)} functions of public packages (`benchmarks/actions/sources.py`), as they are and with one small",
        "bug (`benchmarks/actions/mutants.py`). Right is a hint on the bug's line; wrong is one on another line, or on",
        "the function as it is.",
        "",
        "| | hints | right | wrong, with the bug | wrong, as it is | precision | recall |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for least in _GAINS:
        name = f"a gain of {least:g} or more"
        name = f"**{name}: what is shown**" if least == LEAST_GAIN else name
        shown = [(one, one.at) for one in outcomes if one.hint(least)]
        lines.append(_row(name, shown, len(buggy)))
    plain = [(one, one.plain) for one in outcomes if one.plain is not None]
    lines.append(_row("asked plainly", plain, len(buggy)))
    seconds = sorted(one.seconds for one in outcomes)
    plain_seconds = sorted(one.plain_seconds for one in outcomes)
    medians = seconds[len(seconds) // 2], plain_seconds[len(plain_seconds) // 2]
    lines += [
        "",
        f"Seconds a function, median: {medians[0]:.1f}, asked plainly {medians[1]:.1f}.",
        "",
        "| kind of bug | pairs | right |",
        "|---|--:|--:|",
    ]
    for kind in sorted({one.kind for one in buggy}):
        group = [one for one in buggy if one.kind == kind]
        right = sum(one.hint(LEAST_GAIN) and one.at == one.line for one in group)
        lines.append(f"| {kind} | {len(group)} | {right} |")
    write_markdown("actions-bugs", command, lines)


def _row(name: str, shown: Sequence[tuple[Outcome, Any]], pairs: int) -> str:
    right = sum(bool(one.kind) and at == one.line for one, at in shown)
    other = sum(bool(one.kind) and at != one.line for one, at in shown)
    clean = len(shown) - right - other
    precision, recall = wilson(right, len(shown)), wilson(right, pairs)
    cells = (len(shown), right, other, clean, _share(precision), _share(recall))
    return f"| {name} | {' | '.join(map(str, cells))} |"


def _share(interval: Any) -> str:
    return (
        f"{interval.value:.0%} ({interval.low:.0%} to {interval.high:.0%})" if not math.isnan(interval.value) else "-"
    )
