"""Where results go: ``results/NAME.md`` for people and ``results/NAME.json`` as data, with the conditions in both.

Quick runs write into ``results/quick/``, which git ignores, and touch no page of the documentation.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.conditions import Conditions, conditions
from benchmarks.tables import Table, tables

FOLDER = Path(__file__).parent / "results"
QUICK = "BENCH_QUICK"
"""The variable that makes every benchmark a quick run, if it is set."""
BARS_MISSED = 3
"""The exit code of a benchmark that measured everything, and found that a bar is not met."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark wrote.

    Attributes:
        command: how it was run; empty if that is not known.
        tables: its figures as people read them.
        numbers: those behind them, where it keeps them.
        conditions: under which; empty in results from before these were kept.
    """

    command: str
    tables: tuple[Table, ...]
    numbers: Any = None
    conditions: Mapping[str, Any] = field(default_factory=dict)


def folder(*, quick: bool = False) -> Path:
    """Where results go now."""
    return FOLDER / "quick" if quick or os.environ.get(QUICK) else FOLDER


def write_markdown(
    name: str,
    command: str,
    lines: Iterable[str],
    *,
    numbers: Any = None,
    peers: Mapping[str, str] | None = None,
    quick: bool = False,
) -> Path:
    """Print lines, and write them to a file of ours, and as data beside it; returns the first's path.

    Args:
        name: of the files.
        command: that makes them, without this machine's paths.
        lines: Markdown.
        numbers: what the lines were made of, in JSON's types.
        peers: versions of other people's programs that took part.
        quick: whether the figures are worth little; they go where no others are.
    """
    here, body = conditions(peers), list(lines)
    head = [f"<!-- Written by `{command}`; not edited. -->", "", here.line(command), ""]
    sys.stdout.write("\n".join(body) + "\n")
    path = folder(quick=quick) / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*head, *body]) + "\n", encoding="utf-8")
    write_raw(path.with_suffix(".json"), command, here, body, numbers)
    return path


def write_raw(path: Path, command: str, here: Conditions, lines: Iterable[str], numbers: Any = None) -> None:
    """Write a result as data: command, conditions, tables, and the numbers behind them."""
    data = {
        "command": command,
        "conditions": asdict(here),
        "tables": [asdict(table) for table in tables(lines)],
        "numbers": numbers,
    }
    # A line each: thousands of numbers would be as many lines.
    parts = (f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in data.items())
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")


def read(name: str, where: Path = FOLDER) -> Result | None:
    """What a benchmark wrote, as data, or as text if it is from before there was data; None if it wrote nothing."""
    raw, text = where / f"{name}.json", where / f"{name}.md"
    if raw.is_file() and isinstance(data := json.loads(raw.read_text(encoding="utf-8")), dict):
        found = tuple(
            Table(one["title"], tuple(one["head"]), tuple(tuple(row) for row in one["rows"])) for one in data["tables"]
        )
        return Result(data["command"], found, data["numbers"], data["conditions"])
    if not text.is_file():
        return None
    lines = text.read_text(encoding="utf-8").splitlines()
    return Result(lines[0].partition("`")[2].partition("`")[0], tuple(tables(lines)))


def insert(document: str, name: str, command: str, lines: Iterable[str]) -> None:
    """Put lines between a page's ``<!-- begin NAME -->`` and ``<!-- end NAME -->``; not in a quick run.

    Raises:
        ValueError: the page has no such place.
    """
    if os.environ.get(QUICK):
        return
    path = FOLDER.parent.parent / document
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(f"<!-- begin {name} -->\n")
    _, end, after = rest.partition(f"<!-- end {name} -->")
    if not begin or not end:
        raise ValueError(f"{document} has no place for {name}.")
    body = "\n".join([f"Made by `{command}`.", "", *lines, ""])
    path.write_text(f"{before}{begin}{body}{end}{after}", encoding="utf-8")
