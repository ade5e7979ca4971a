"""What the plots show: results → rows. A plot whose results are not there yet is left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from benchmarks.results import Result
from benchmarks.tables import number, numbers, times, with_columns

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Results = Mapping[str, Result]

_SYSTEMS = ("Shardlight", "plain FIM, one line", "plain FIM", "/infill, one line", "/infill")


def against_llama_server(results: Results) -> Figure | None:
    """What typing costs, as multiples of llama-server."""
    from benchmarks import plots

    bars = [bar for name in ("engine", "completion-wait") for bar in stated(results.get(name))]
    rows = []
    for measure, bar, measured in bars:
        if "llama-server" in bar or "llama.vim" in bar:
            name = f"{measure} (llama.vim)" if "llama.vim" in bar else measure
            rows += [plots.Ratio(name, value, number(bar)) for value in times(measured)[-1:]]
    if result := results.get("engine"):
        for name, ours, theirs in evaluated(result):
            rows.insert(0, plots.Ratio(name, ours / theirs))
    title = "What typing costs, against llama-server with the same model"
    return plots.ratios(title, "llama-server", rows) if rows else None


def stated(result: Result | None) -> list[tuple[str, str, str]]:
    """Measures with bars, as benchmarks state them: what, the bar, what was measured."""
    found = with_columns(result.tables, "measure", "bar", "measured", "met") if result else []
    return [(row["measure"], row["bar"], row["measured"]) for table in found for row in table.records()]


def evaluated(result: Result) -> Iterator[tuple[str, float, float]]:
    """Prompt tokens that a keystroke costs at the median: of what, ours, llama-server's."""
    found = [t for t in with_columns(result.tables, "evaluated, median", "TTFT ms, median") if t.title == "Typing"]
    for table in found[:1]:
        rows = {row[""]: number(row["evaluated, median"]) for row in table.records()}
        ours = rows.get("ours: all but jumps")
        theirs = [value for name, value in rows.items() if name.startswith("llama-server") and "all but jumps" in name]
        if ours is not None and theirs:
            yield "typing: tokens evaluated, median", ours, theirs[0]


def passing(results: Results) -> Figure | None:
    """Whose completions pass the tests."""
    from benchmarks import plots

    result = results.get("completion-holes")
    rows = []
    for table in result.tables if result else ():
        if "tests pass" not in table.head or not table.head[0].startswith("n ="):
            continue
        shares = {row[0]: [one / 100 for one in numbers(row[1])] for row in table.rows}
        bar = _bar(table.title, stated(result), shares)
        for system in _SYSTEMS:
            if system in shares:
                wanted = bar if system == "Shardlight" else None
                value, low, high = shares[system]
                rows.append(plots.Rate(table.title, system, value, low, high, wanted))
    title = "Holes in real code, judged by its tests; the same model for all"
    return plots.rates(title, "tests pass", rows) if rows else None


def _bar(title: str, bars: list[tuple[str, str, str]], shares: Mapping[str, list[float]]) -> float | None:
    """What a group was to reach: a multiple of the plain variant that does better."""
    plain = max((share[0] for name, share in shares.items() if name.startswith("plain FIM")), default=None)
    times = {"One line": "holes: tests pass, one line", "Blocks": "holes: tests pass, blocks"}.get(title)
    wanted = [number(bar) for measure, bar, _ in bars if measure == times]
    return wanted[0] * plain if wanted and plain is not None else None


def memory(results: Results) -> Figure | None:
    """Planned against measured memory."""
    from benchmarks import plots

    rows, name = [], ""
    for table in with_columns(results["memory"].tables, "real, MiB", "formulas") if "memory" in results else ():
        kind, off = table.head.index(""), table.head.index("off")
        for row in table.rows:
            name = f"{row[0]}: {row[1]} tokens, {row[2]} seq., {row[3]}, step {row[4]}" if row[0] else name
            rows.append(plots.Deviation(name, row[kind], number(row[off]) / 100))
    what = "planned by formulas, against what was allocated. Allowed: 2 % of weights and cache (kv), 15 % of the rest"
    return plots.deviations("Planned against measured memory", what, rows, 0.15) if rows else None


def speed(results: Results) -> Figure | None:
    """Predicted against measured speed."""
    from benchmarks import plots

    rows: list[plots.Deviation] = []

    def add(name: str, row: tuple[str, ...], prefill: int, decode: int) -> None:
        for series, at in (("decode", decode), ("prefill", prefill)):
            measured, predicted = number(row[at]), number(row[at + 1])
            if not math.isnan(measured + predicted):
                rows.append(plots.Deviation(name, series, predicted / measured - 1))

    for table in results["speed"].tables if "speed" in results else ():
        for row in table.rows:
            add(f"{row[0]}, this machine", row, 1, 4)
    for name, shown in (("gpu", "DeepSeek-V4-Flash"), ("gpu-qwen2.5-coder-7b", "Qwen2.5-Coder 7B")):
        for table in results[name].tables if name in results else ():
            for row in table.rows:
                add(f"{shown}, H200, {row[0]}", row, 2, 4)
    for table in results["published"].tables if "published" in results else ():
        for row in table.rows if table.title == "Validation" else ():
            add(f"{row[1]}, {row[0].split(',')[0]} (published)", row, 5, 2)
    what = "predicted, against what was measured: 0 is right. Shaded: 30 %"
    return plots.deviations("Predicted against measured speed", what, rows, 0.30) if rows else None


def faults(results: Results) -> Figure | None:
    """How soon the next request is answered after a fault."""
    from benchmarks import plots

    rows = []
    for name in ("faults", "faults-harm"):
        for table in with_columns(results[name].tables, "fault", "the next one works") if name in results else ():
            for row in table.records():
                found = numbers(row["the next one works"])
                if len(found) == 4:
                    how = row["how"].split(" ")[0].strip("`,")
                    shown = row["fault"] + (f" ({how})" if how.startswith("SIG") else "")
                    rows.append(plots.Seconds(shown, found[2], found[3]))
    return plots.seconds("After a fault: the next request", rows) if rows else None


def soak(results: Results) -> Figure | None:
    """What grows over hours of use."""
    from benchmarks import plots

    rows = []
    for table in results["soak"].tables if "soak" in results else ():
        if table.head[0] == "median of the minutes":
            for row in table.rows:
                values = [number(cell) for cell in row[1:5]]
                if ("PSS" in row[0] or "descriptors" in row[0]) and values[1]:
                    rows.append(plots.Course(row[0], tuple(value / values[1] for value in values)))
    steps = [f"{nth} quarter" for nth in ("1st", "2nd", "3rd", "4th")]
    return plots.courses("Hours of use", "as a multiple of the 2nd quarter", rows, steps) if rows else None


FIGURES: Mapping[str, tuple[str, Callable[[Results], Figure | None]]] = {
    "typing": ("What typing costs, as multiples of llama-server", against_llama_server),
    "completion": ("Completions that pass the tests, against plain fill-in-the-middle and /infill", passing),
    "memory": ("Planned against measured memory", memory),
    "speed": ("Predicted against measured speed", speed),
    "faults": ("Seconds until the next request is answered, after a fault", faults),
    "soak": ("Memory and descriptors over hours of use, by quarter", soak),
}
"""Name of the file -> what it shows, and who draws it."""
