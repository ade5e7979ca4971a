"""Results as data: the tables of a Markdown text, and the figures in their cells. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")
_TIMES = re.compile(rf"({_NUMBER.pattern}) ×")
_RULE = re.compile(r"\|(?:\s*:?-+:?\s*\|)+")


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the heading above it, cells as text.

    Attributes:
        title: empty where no heading comes before it.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def records(self) -> Iterator[dict[str, str]]:
        """Rows by the names of columns; of two columns of one name the first counts."""
        for row in self.rows:
            yield dict(zip(reversed(self.head), reversed(row), strict=True))


def tables(lines: Iterable[str]) -> list[Table]:
    """All tables of a text. A row with more or fewer cells than the head is no row."""
    found: list[Table] = []
    title, head, rows = "", (), []  # type: str, tuple[str, ...], list[tuple[str, ...]]
    before: tuple[str, ...] = ()

    def end() -> None:
        nonlocal head, rows
        if head:
            found.append(Table(title, head, tuple(rows)))
        head, rows = (), []

    for line in "\n".join(lines).splitlines():
        if not line.startswith("|"):
            end()
            if line.startswith("#"):
                title = line.lstrip("# ")
            before = ()
        elif _RULE.fullmatch(line.strip()) and not head:
            head = before
        elif head:
            cells = split(line)
            rows += [cells] if len(cells) == len(head) else []
        else:
            before = split(line)
    end()
    return found


def split(line: str) -> tuple[str, ...]:
    """The cells of a row."""
    return tuple(cell.strip() for cell in line.strip().removeprefix("|").removesuffix("|").split("|"))


def with_columns(found: Iterable[Table], *names: str) -> list[Table]:
    """Those that have all these columns."""
    return [table for table in found if set(names) <= set(table.head)]


def numbers(text: str) -> list[float]:
    """The figures in a cell, in order: ``1.71 × (1.00 to 4.00)`` has three, ``1,099 tokens`` one, ``61%`` 61."""
    return [float(one.replace(",", "")) for one in _NUMBER.findall(text)]


def number(text: str) -> float:
    """The first figure; NaN if there is none."""
    found = numbers(text)
    return found[0] if found else math.nan


def times(text: str) -> list[float]:
    """The figures right before a multiplication sign: of ``605 ms, 0.39 ×`` 0.39; ``nan ×`` has none."""
    return [number(one) for one in _TIMES.findall(text)]


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], *, figures: bool = False) -> list[str]:
    """A table in Markdown; the columns after the first are ``figures``, or text."""
    rule = "--:|" if figures else "---|"
    lines = [f"| {' | '.join(head)} |", f"|---|{rule * (len(head) - 1)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]
