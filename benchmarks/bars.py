"""Every bar that was set, and what was measured last: results → rows. Pure.

Benchmarks say their bars in their tables; here they are only found, and what is said in figures is compared.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.results import Result
from benchmarks.tables import Table, number, numbers, with_columns

Results = Mapping[str, Result]


@dataclass(frozen=True, slots=True)
class Line:
    """A bar and what came of it.

    Attributes:
        result: the name of the results that say so.
        met: None where nothing was there to compare with.
    """

    result: str
    measure: str
    bar: str
    measured: str
    met: bool | None


def all_bars(results: Results) -> list[Line]:
    """Those of all results, by their names."""
    return [line for name in sorted(results) for line in _of(name, results[name])]


def _of(name: str, result: Result) -> Iterator[Line]:
    for table in with_columns(result.tables, "measure", "bar", "measured", "met"):
        for row in table.records():
            met = {"yes": True, "**no**": False}.get(row["met"])
            yield Line(name, row["measure"], row["bar"], row["measured"], met)
    for table in result.tables:
        if table.head[-1] == "bar":
            yield from _beside(name, table)
    for table in with_columns(result.tables, "fault", "the next one works"):
        yield from _faults(name, table)
    if name == "memory":
        yield from _memory(result)
    if name in ("speed", "published"):
        yield from _speed(name, result)
    if name == "actions-docstrings":
        yield from _docstrings(result)


def _beside(name: str, table: Table) -> Iterator[Line]:
    """Bars that stand in a column of their own: not more than that."""
    for row in table.rows:
        bar, unit = number(row[-1]), row[-1].removeprefix(f"{number(row[-1]):g}").strip().split(" ")[0]
        if math.isnan(bar):
            continue
        measured = row[table.head.index("p95")] if "p95" in table.head else row[1]
        figures = _in_unit(measured.partition(" of ")[0], unit)
        shown = f"p95 {measured}" if "p95" in table.head else measured
        yield Line(name, f"{name}: {row[0]}", f"≤ {row[-1]}", shown, max(figures) <= bar)


def _in_unit(text: str, unit: str) -> list[float]:
    """The figures that have this unit; all of them, if it stands in none."""
    words = text.replace("(", " ").replace(",", " ").split()
    found = [number(word) for word, after in itertools.pairwise(words) if after == unit and numbers(word)]
    return found or numbers(text)


def _faults(name: str, table: Table) -> Iterator[Line]:
    worked = [numbers(row["the next one works"]) for row in table.records()]
    counted = [found for found in worked if len(found) == 4]
    good, of = (int(sum(found[i] for found in counted)) for i in (0, 1))
    if counted:
        yield Line(name, f"{name}: the next request works", "each time", f"{good} of {of}", good == of)


def _memory(result: Result) -> Iterator[Line]:
    kept: list[bool] = []
    for table in with_columns(result.tables, "real, MiB", "formulas", "simulated"):
        kind = table.head.index("")
        offs = [i for i, head in enumerate(table.head) if head == "off"]
        for row in table.rows:
            allowed = 15 if row[kind] == "compute" else 2
            fits = all(abs(number(row[i])) <= allowed for i in offs)
            if row[0]:
                kept.append(fits)
            elif kept:
                kept[-1] &= fits
    if kept:
        bar = "within 2 % (weights, cache), 15 % (compute buffers)"
        yield Line("memory", "planned memory", bar, f"{sum(kept)} of {len(kept)} settings", all(kept))


def _speed(name: str, result: Result) -> Iterator[Line]:
    """Predictions: each on the machine of the benchmarks, and those for machines that others have measured."""
    for table in result.tables:
        columns = [i for i, head in enumerate(table.head) if head == "off"]
        if name == "speed":
            offs = [number(row[i]) for row in table.rows for i in columns]
            bar, what = 25, "predicted speed, this machine"
        elif table.title == "Validation":
            # The first of the two columns is of answering.
            offs = [number(row[columns[0]]) for row in table.rows]
            bar, what = 30, "predicted answering, others' machines"
        else:
            continue
        close = sum(abs(off) <= bar for off in offs)
        yield Line(name, what, f"each within {bar} %", f"{close} of {len(offs)}", close == len(offs))


def _docstrings(result: Result) -> Iterator[Line]:
    for table in with_columns(result.tables, "functions", "broken", "else as it was"):
        for row in table.records():
            if row["language"] == "all":
                broken, (same, of) = number(row["broken"]), numbers(row["else as it was"])
                measured = f"{broken:.0f} broken, {row['else as it was']} as it was"
                met = broken == 0 and same == of
                yield Line("actions-docstrings", "documentation: files broken, code changed", "none", measured, met)
