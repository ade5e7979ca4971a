"""The pages that tell what was measured: ``python -m benchmarks.summary``.

docs/benchmarks.md gets every bar with what came of it, and the plots; README.md what was measured beside others. All of
it is made of the results that are there; nothing is measured. Of quick runs a summary goes where their results are.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from benchmarks.bars import Line, all_bars
from benchmarks.conditions import ROOT
from benchmarks.figures import FIGURES
from benchmarks.ratios import Comparison, comparisons
from benchmarks.results import FOLDER, Result, insert, read
from benchmarks.tables import markdown

COMMAND = "python -m benchmarks.summary"
PICTURES = ROOT / "docs" / "pictures" / "benchmarks"
_MET = {True: "yes", False: "**no**", None: "not compared"}


def found(where: Path = FOLDER) -> dict[str, Result]:
    """All results that are there, by name."""
    names = sorted(path.stem for path in where.glob("*.md") if path.stem != "summary")
    return {name: result for name in names if (result := read(name, where))}


def bars_table(lines: Iterable[Line], results: Mapping[str, Result], links: str) -> list[str]:
    """Every bar; ``links`` is the way from the page to the results."""
    head = ["measure", "bar", "measured", "met", "how"]
    return markdown(
        head,
        (
            [line.measure, line.bar, line.measured, _MET[line.met], _how(line.result, results[line.result], links)]
            for line in lines
        ),
    )


def peers_table(rows: Iterable[Comparison], links: str) -> list[str]:
    """What was measured beside others."""
    head = ["measured in one run, with the same model", "beside", "Shardlight : the other", "better is", "ahead"]
    body = ([row.measure, row.peer, f"[{row.said}]({links}{row.result}.md)", row.better, row.ahead] for row in rows)
    return markdown(head, body)


def _how(name: str, result: Result, links: str) -> str:
    command = result.command.removeprefix("python -m benchmarks.")
    return f"[`{command or name}`]({links}{name}.md)"


def counted(lines: Iterable[Line]) -> str:
    """How many bars are met, in a sentence."""
    every = list(lines)
    met, missed = (sum(line.met is one for line in every) for one in (True, False))
    rest = f", {len(every) - met - missed} not compared" if len(every) > met + missed else ""
    return f"Of {len(every)} bars {met} are met, {missed} are not{rest}."


def draw(results: Mapping[str, Result], into: Path) -> list[str]:
    """Write the plots of which there are results; lines of Markdown that show them. Nothing without matplotlib."""
    try:
        from benchmarks import plots
    except ImportError:
        print("Without plots: pip install -e '.[bench]' brings matplotlib.", file=sys.stderr)
        return []
    lines = []
    for name, (about, rows_of) in FIGURES.items():
        if figure := rows_of(results):
            written = plots.save(figure, into / name)
            lines += ["", f"![{about}]({{folder}}/{written[0].name})"]
    return lines


def write(*, quick: bool = False) -> Path:
    """Write the pages and plots; returns the page on which all of it is."""
    if quick:
        folder = FOLDER / "quick"
        results = found(folder)
        lines, plots = all_bars(results), draw(results, folder / "plots")
        body = ["# Quick runs, whose figures are worth little", "", counted(lines), ""]
        body += [*bars_table(lines, results, ""), "", *peers_table(comparisons(results), "")]
        body += [line.format(folder="plots") for line in plots]
        folder.mkdir(parents=True, exist_ok=True)
        page = folder / "summary.md"
        page.write_text("\n".join(body) + "\n", encoding="utf-8")
        return page
    results = found()
    lines = all_bars(results)
    table = [counted(lines), "", *bars_table(lines, results, "../benchmarks/results/")]
    insert("docs/benchmarks.md", "bars", COMMAND, table)
    if plots := draw(results, PICTURES):
        insert("docs/benchmarks.md", "plots", COMMAND, [line.format(folder="pictures/benchmarks") for line in plots])
    insert("README.md", "peers", COMMAND, peers_table(comparisons(results), "benchmarks/results/"))
    return ROOT / "docs" / "benchmarks.md"


def main() -> int:
    """Write them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.summary", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="of the quick runs' results")
    print(write(quick=parser.parse_args().quick).relative_to(ROOT).as_posix())
    return 0


if __name__ == "__main__":
    sys.exit(main())
