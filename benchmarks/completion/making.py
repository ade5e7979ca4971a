"""The holes of a run: the same seed makes the same ones, and longer runs begin with those of shorter ones."""

from __future__ import annotations

import hashlib
import itertools
import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from benchmarks.completion.answers import Verdicts
from benchmarks.completion.holes import KINDS, Hole, Kind, Spot, dangerous, spots
from benchmarks.completion.judge import Judge, Seen
from benchmarks.completion.projects import Project, cache
from benchmarks.completion.scoring import parses

_AT_A_TIME = 8


class Bench:
    """Projects, and a judge that remembers."""

    def __init__(self, projects: Mapping[str, Project]) -> None:
        self.projects = projects
        self._judge = Judge()
        self._verdicts = Verdicts(cache() / "verdicts.jsonl")
        self._texts: dict[tuple[str, str], str] = {}

    def text(self, hole: Hole) -> str:
        """The hole's file as it was."""
        key = hole.project, hole.path
        if key not in self._texts:
            self._texts[key] = self.projects[hole.project].read(hole.path)
        return self._texts[key]

    def left(self, hole: Hole) -> str:
        """The hole's file with the hole."""
        text = self.text(hole)
        return text[: hole.start] + text[hole.end :]

    def passes(self, hole: Hole, filled: str) -> bool:
        """Whether the hole's tests pass with that text in its file."""
        key = hashlib.sha256("\0".join((hole.id, filled, *hole.tests)).encode()).hexdigest()[:32]
        known = self._verdicts.get(key)
        if known is None:
            # Whatever cannot be compiled fails in every test that comes by.
            known = parses(filled) and self._judge.passes(self.projects[hole.project], hole.path, filled, hole.tests)
            self._verdicts.add(key, known)
        return known

    def seen(self, project: Project) -> Seen:
        """See ``Judge.seen``."""
        return self._judge.seen(project)


def make(bench: Bench, per_kind: int, seed: int) -> list[Hole]:
    """So many holes of each kind, sorted by file and place.

    Used is a hole whose tests pass as long as the truth stands there, and do not where nothing does.
    """
    candidates = _candidates(bench, seed)
    found: list[Hole] = []
    for kind in KINDS:
        print(f"{per_kind} holes of kind {kind} …", file=sys.stderr)
        found += _first_good(bench, candidates[kind], per_kind)
    return sorted(found, key=lambda hole: (hole.project, hole.path, hole.start))


def _first_good(bench: Bench, candidates: Iterator[Hole], n: int) -> list[Hole]:
    def good(hole: Hole) -> bool:
        return not bench.passes(hole, bench.left(hole)) and bench.passes(hole, bench.text(hole))

    found: list[Hole] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while len(found) < n and (some := list(itertools.islice(candidates, _AT_A_TIME))):
            found += [hole for hole, fits in zip(some, pool.map(good, some), strict=True) if fits]
    return found[:n]


def _candidates(bench: Bench, seed: int) -> dict[Kind, Iterator[Hole]]:
    """All of each kind, the projects by turns; of each function one of a kind."""
    by_kind: dict[Kind, list[list[Hole]]] = {kind: [] for kind in KINDS}
    for project in bench.projects.values():
        rng = random.Random(f"{seed} {project.root.name}")
        seen = bench.seen(project)
        for kind, holes in _in_project(project, seen, rng).items():
            by_kind[kind].append(holes)
    return {kind: _by_turns(lists) for kind, lists in by_kind.items()}


def _in_project(project: Project, seen: Seen, rng: random.Random) -> dict[Kind, list[Hole]]:
    found: list[tuple[Hole, Spot]] = []
    for path in project.files():
        text = project.read(path)
        if dangerous(text) or "\r" in text:
            continue
        for spot in spots(text, rng):
            hole = Hole(project.name, path, spot.kind, spot.start, spot.end, text[spot.start : spot.end])
            found.append((hole, spot))
    rng.shuffle(found)
    kept: dict[Kind, list[Hole]] = {kind: [] for kind in KINDS}
    functions: set[tuple[str, int, Kind]] = set()
    for hole, spot in found:
        place = (hole.path, spot.function, spot.kind)
        if place in functions or not (tests := seen.tests(hole.path, spot.first, spot.first)):
            continue
        functions.add(place)
        kept[spot.kind].append(replace(hole, tests=tests))
    return kept


def _by_turns(lists: Sequence[Sequence[Hole]]) -> Iterator[Hole]:
    for row in itertools.zip_longest(*lists):
        yield from (hole for hole in row if hole is not None)
