"""What a row hands back: tables for people, bars that are met or not, and numbers to look into."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Setup:
    """What the rows are run with.

    Attributes:
        model: the GGUF that people type with.
        llama_server: the program, None to go without it.
        llama_server_args: more options for it.
        node_llama_cpp: a folder in which npm has installed that package, None to go without it.
        quick: a few of everything, to see whether it runs; the figures are worth nothing.
        seed: of the replay.
    """

    model: Path
    llama_server: Path | None = None
    llama_server_args: tuple[str, ...] = ()
    node_llama_cpp: Path | None = None
    quick: bool = False
    seed: int = 1

    def count(self, full: int, quick: int) -> int:
        """How many of something."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of the summary; ``met`` is None where nothing was there to compare with."""

    measure: str
    bar: str
    measured: str
    met: bool | None


@dataclass(slots=True)
class Outcome:
    """What a row measured.

    Attributes:
        lines: Markdown.
        raw: numbers a request each, in JSON's types.
    """

    lines: list[str]
    bars: list[Bar]
    raw: list[dict[str, Any]] = field(default_factory=list)


def median(values: Iterable[float]) -> float:
    """The median; NaN of nothing."""
    found = list(values)
    return float(statistics.median(found)) if found else math.nan


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least this share of the values do not exceed; NaN of nothing."""
    found = sorted(values)
    return found[max(0, math.ceil(share * len(found)) - 1)] if found else math.nan


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [f"| {' | '.join(head)} |", f"|---|{'--:|' * (len(head) - 1)}"]
    return lines + [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]


def _cell(value: object) -> str:
    if not isinstance(value, float):
        return str(value)
    if math.isnan(value):
        return "–"
    if value.is_integer():
        return f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def summary(bars: Iterable[Bar]) -> list[str]:
    """All bars in one table."""
    words = {True: "yes", False: "**no**", None: "not compared"}
    lines = ["| measure | bar | measured | met |", "|---|---|---|---|"]
    return lines + [f"| {bar.measure} | {bar.bar} | {bar.measured} | {words[bar.met]} |" for bar in bars]
