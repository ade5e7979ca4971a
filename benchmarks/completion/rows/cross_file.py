"""Holes that need a name from another file: with our context, with a ring of recent places alone, and without."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
from collections.abc import Mapping, Sequence

from benchmarks.completion.cross_file import Sources, candidates
from benchmarks.completion.examples import write_examples
from benchmarks.completion.holes import Hole
from benchmarks.completion.making import Bench
from benchmarks.completion.projects import CROSS_FILE, named
from benchmarks.completion.scoring import ratio
from benchmarks.completion.setup import Setup
from benchmarks.completion.systems import ask_ours, engine_ended
from benchmarks.completion.verdict import Verdict, column, mean, verdict
from benchmarks.engine.outcome import Bar, Outcome, table
from benchmarks.engine.peers import home
from lsp_server.testing.rates import wilson

_CONTEXTS = {"full": "full context", "recent": "recent places alone", "off": "no context"}
_BAR = 1.5


def run(setup: Setup) -> Outcome:
    """The same holes, and the same files opened before, for each setting of ``completion.context``."""
    bench = Bench(named(CROSS_FILE))
    sources = {name: Sources(project) for name, project in bench.projects.items()}
    found = itertools.islice(candidates(sources, setup.engine.seed), setup.holes)
    holes = sorted(found, key=lambda hole: (hole.project, hole.path, hole.start))
    imports = {(hole.project, hole.path): sources[hole.project].imports(hole.path) for hole in holes}

    def visited(hole: Hole) -> list[str]:
        return imports[hole.project, hole.path]

    judged: dict[str, list[Verdict]] = {}
    with home(), engine_ended(setup.engine.model):
        for context, name in _CONTEXTS.items():
            print(f"{name} …", file=sys.stderr)
            answers = setup.answers("cross-file", context, ours=True)
            asyncio.run(ask_ours(bench, holes, answers, setup.engine.model, visited, context=context))
            judged[name] = [verdict(bench, hole, answers[hole.id]) for hole in holes]
    written = write_examples(setup.folder / f"{setup.label}-cross-file.jsonl", bench, holes, judged)
    print(f"every example: {written}", file=sys.stderr)
    return Outcome(_report(holes, judged), _bars(judged))


def _report(holes: Sequence[Hole], judged: Mapping[str, Sequence[Verdict]]) -> list[str]:
    projects = ", ".join(sorted({hole.project for hole in holes}))
    told = (
        f"{len(holes)} line tails in {projects}, each from a name on that another file of the package defines (as jedi "
        "tells), and that stands nowhere else in the hole's own file but in an import. Before, the editor has opened "
        "the first four files that the hole's file imports. *Same names*: the identifiers of the truth, in their "
        "order. *First name*: the one that the other file defines."
    )
    rows: list[list[object]] = []
    for name, verdicts in judged.items():
        n = len(verdicts)
        rows.append(
            [
                name,
                wilson(sum(one.exact for one in verdicts), n).percent(),
                wilson(sum(one.first_name for one in verdicts), n).percent(),
                wilson(sum(one.same_names for one in verdicts), n).percent(),
                f"{mean(verdicts, lambda one: one.similarity):.2f}",
                wilson(sum(one.broken for one in verdicts), n).percent(),
                f"{mean(verdicts, lambda one: one.offered):.0%}",
                statistics.median(one.ms for one in verdicts),
            ]
        )
    head = ["", "exact", "first name", "same names", "edit similarity", "broken", "offered", "ms, median"]
    return [told, "", *table(head, rows)]


def _bars(judged: Mapping[str, Sequence[Verdict]]) -> list[Bar]:
    exact = {name: column(verdicts, lambda one: one.exact) for name, verdicts in judged.items()}
    full, recent, off = (exact[name] for name in _CONTEXTS.values())
    without, ring = ratio(full, off), ratio(full, recent)
    return [
        Bar("cross-file: exact, with context", f"≥ {_BAR} × without", without.times(), without.value >= _BAR),
        Bar("cross-file: exact, with context", "above recent places alone", ring.times(), ring.value > 1),
    ]
