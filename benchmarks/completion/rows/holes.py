"""Holes in code that has tests, filled by all systems with the same model in one run."""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.completion.answers import Answer, Answers
from benchmarks.completion.examples import write_examples
from benchmarks.completion.holes import KINDS, NAMES, Hole, Kind
from benchmarks.completion.making import Bench, make
from benchmarks.completion.projects import PROJECTS, named
from benchmarks.completion.scoring import difference, ratio
from benchmarks.completion.setup import Setup
from benchmarks.completion.systems import (
    ask_infill,
    ask_ours,
    ask_plain,
    engine_ended,
    first_line_only,
    recipes_server,
)
from benchmarks.completion.verdict import Verdict, column, mean, verdict
from benchmarks.engine.outcome import Bar, Outcome, table
from benchmarks.engine.peers import home
from lsp_server.testing.rates import wilson

_OURS, _PLAIN, _INFILL, _EMPTY = "Shardlight", "plain FIM", "/infill", "empty"
_FIRST_LINE = ", one line"
_ONE_LINE: tuple[Kind, ...] = ("line", "tail", "span")
_GROUPS: dict[str, tuple[Kind, ...]] = {"one line": _ONE_LINE, **{NAMES[kind]: (kind,) for kind in KINDS}}
_LINE_BAR, _BLOCK_BAR, _BROKEN_BAR = 1.5, 1.25, 0.01

Judged = Mapping[str, Sequence[Verdict]]


def run(setup: Setup) -> Outcome:
    """Ask all, then judge all: tests take the processor from whoever is asked."""
    bench = Bench(named(PROJECTS))
    holes = make(bench, setup.holes, setup.engine.seed)
    by_system = _ask(setup, bench, holes)
    given = {name: [answers[hole.id] for hole in holes] for name, answers in by_system.items()}
    for name in (_PLAIN, _INFILL):
        if name in given:
            pairs = zip(holes, given[name], strict=True)
            given[name + _FIRST_LINE] = [first_line_only(bench, hole, answer) for hole, answer in pairs]
    given[_EMPTY] = [Answer(hole.id, hole.start, hole.start, "", 0.0) for hole in holes]
    judged = _judge(bench, holes, given)
    written = write_examples(setup.folder / f"{setup.label}-holes.jsonl", bench, holes, judged)
    print(f"every example: {written}", file=sys.stderr)
    ids = [hole.id for hole in holes]
    kept = {name: n for name, answers in by_system.items() if (n := answers.kept(ids))}
    return Outcome(_report(setup, holes, judged, kept), _bars(judged))


def _ask(setup: Setup, bench: Bench, holes: Sequence[Hole]) -> dict[str, Answers]:
    found: dict[str, Answers] = {}
    with home():
        if setup.engine.llama_server:
            found[_PLAIN] = setup.answers("holes", "plain", ours=False)
            found[_INFILL] = setup.answers("holes", "infill", ours=False)
            if any(hole.id not in answers for answers in found.values() for hole in holes):
                with recipes_server(setup.engine) as server:
                    print(f"{_PLAIN} …", file=sys.stderr)
                    ask_plain(server, bench, holes, found[_PLAIN])
                    print(f"{_INFILL} …", file=sys.stderr)
                    ask_infill(server, bench, holes, found[_INFILL], setup.engine.seed)
        print(f"{_OURS} …", file=sys.stderr)
        found[_OURS] = setup.answers("holes", "ours", ours=True)
        with engine_ended(setup.engine.model):
            asyncio.run(ask_ours(bench, holes, found[_OURS], setup.engine.model))
    return found


def _judge(bench: Bench, holes: Sequence[Hole], given: Mapping[str, Sequence[Answer]]) -> dict[str, list[Verdict]]:
    print("judging …", file=sys.stderr)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return {
            name: list(pool.map(lambda pair: verdict(bench, *pair), zip(holes, answers, strict=True)))
            for name, answers in given.items()
        }


def _of(kinds: Sequence[Kind], verdicts: Sequence[Verdict]) -> list[Verdict]:
    return [one for one in verdicts if one.hole.kind in kinds]


def _passes(verdicts: Sequence[Verdict]) -> list[float]:
    return column(verdicts, lambda one: one.passes)


def _report(setup: Setup, holes: Sequence[Hole], judged: Judged, kept: Mapping[str, int]) -> list[str]:
    projects = sorted({hole.project for hole in holes})
    told = (
        f"{len(holes)} holes in {', '.join(projects)}, {setup.holes} of each kind where there are so many, none of "
        "them filled by writing nothing; a pass is that the tests pass that run the hole's line. Shardlight is asked "
        "through the LSP, automatically as while typing. The others are llama-server with llama.vim's window (256 "
        "lines before, 64 after), its end by indentation and its rules for what is not shown: *plain FIM* greedily "
        "through `/completion`, */infill* with its request (drawn, with a fixed seed); *one line* is the same with "
        r"its option to stop at `\n`. *Broken*: something was offered, and the file with it is no Python."
    )
    lines = [told]
    lines += [
        f"{name}: {n} of {len(holes)} answers are from an earlier run on this machine." for name, n in kept.items()
    ]
    for group, kinds in _GROUPS.items():
        lines += ["", f"### {group.capitalize()}", "", *_group_table(kinds, judged)]
    return [*lines, "", "### Against the others", "", *_paired_table(judged)]


def _group_table(kinds: Sequence[Kind], judged: Judged) -> list[str]:
    rows: list[list[object]] = []
    for name, all_verdicts in judged.items():
        verdicts = _of(kinds, all_verdicts)
        n = len(verdicts)
        rows.append(
            [
                name,
                wilson(int(sum(_passes(verdicts))), n).percent(),
                wilson(sum(one.exact for one in verdicts), n).percent(),
                f"{mean(verdicts, lambda one: one.similarity):.2f}",
                wilson(sum(one.broken for one in verdicts), n).percent(),
                sum(one.broken and one.parsed_before for one in verdicts),
                f"{mean(verdicts, lambda one: one.offered):.0%}",
                statistics.median(one.ms for one in verdicts),
            ]
        )
    head = ["", "tests pass", "exact", "edit similarity", "broken", "of files that parsed", "offered", "ms, median"]
    return table([f"n = {len(_of(kinds, judged[_OURS]))}", *head[1:]], rows)


def _paired_table(judged: Judged) -> list[str]:
    rows: list[list[object]] = []
    for group, kinds in _GROUPS.items():
        ours = _passes(_of(kinds, judged[_OURS]))
        for name in judged:
            if name not in (_OURS, _EMPTY):
                theirs = _passes(_of(kinds, judged[name]))
                rows.append([f"{group}: {name}", difference(ours, theirs).points(), ratio(ours, theirs).times()])
    return table(["tests pass, paired by hole", "difference, points", "ratio"], rows)


def _bars(judged: Judged) -> list[Bar]:
    ours = judged[_OURS]
    bars = []
    # Of the plain baseline the variant that does better counts.
    plain = [name for name in judged if name.startswith(_PLAIN)]
    for title, kinds, bar in (("one line", _ONE_LINE, _LINE_BAR), ("blocks", ("block",), _BLOCK_BAR)):
        measured, met = "not compared", None
        if plain:
            best = max(plain, key=lambda name: sum(_passes(_of(kinds, judged[name]))))
            found = ratio(_passes(_of(kinds, ours)), _passes(_of(kinds, judged[best])))
            measured, met = f"{found.times()} of {best}", found.value >= bar
        bars.append(Bar(f"holes: tests pass, {title}", f"≥ {bar} × plain FIM", measured, met))
    broken = wilson(sum(one.broken for one in ours), len(ours))
    bars.append(Bar("holes: broken files", f"≤ {_BROKEN_BAR:.0%}", broken.percent(), broken.value <= _BROKEN_BAR))
    return bars
