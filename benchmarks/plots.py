"""Drawing what was measured: rows → figure. Pure; no row is left out and none is added.

Colours and greys are of a middle lightness and the ground is transparent, so that a figure can be read on a white page
and on a dark one. Needs the extra ``bench`` (matplotlib).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

_TEXT, _FAINT = "#7b838d", "#8a929c"
_COLOURS = ("#3b82c4", "#d9822b", "#3a9d5d", "#a06cc0", "#b0912c")
_BAR = "#d1495b"
_STYLE: dict[Any, Any] = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "text.color": _TEXT,
    "axes.labelcolor": _TEXT,
    "axes.edgecolor": _FAINT,
    "xtick.color": _TEXT,
    "ytick.color": _TEXT,
    "svg.fonttype": "none",
    "svg.hashsalt": "shardlight",
}


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure as a multiple of a peer's in the same run, and the bar that it was to stay below."""

    name: str
    value: float
    bar: float | None = None


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of a system in a group, 0 to 1, and where it lies with 95 % confidence.

    Attributes:
        bar: that it was to reach, itself a share; None if there was none.
    """

    group: str
    system: str
    value: float
    low: float
    high: float
    bar: float | None = None


@dataclass(frozen=True, slots=True)
class Deviation:
    """By what share something planned differs from what was measured: 0.02 is 2 % more."""

    name: str
    series: str
    share: float


@dataclass(frozen=True, slots=True)
class Seconds:
    """How long something took, at the median and at its longest."""

    name: str
    median: float
    longest: float


@dataclass(frozen=True, slots=True)
class Course:
    """A figure at equal distances in time."""

    name: str
    values: tuple[float, ...]


def ratios(title: str, peer: str, rows: Sequence[Ratio]) -> Figure:
    """Bars of multiples, less being better."""
    figure, axes = _figure(title, len(rows))
    places = range(len(rows))
    axes.barh(places, [row.value for row in rows], height=0.55, color=_COLOURS[0])
    right = max(1.0, *(row.value for row in rows)) * 1.15
    for place, row in zip(places, rows, strict=True):
        axes.text(row.value + right * 0.01, place, f"{row.value:.2g} ×", va="center", ha="left", color=_TEXT)
        if row.bar is not None:
            axes.plot([row.bar, row.bar], [place - 0.4, place + 0.4], color=_BAR, linewidth=2)
    axes.axvline(1.0, color=_FAINT, linewidth=1, linestyle="--")
    _names(axes, [row.name for row in rows])
    axes.set_xlim(0, right)
    _below(figure, f"as a multiple of {peer}, which is 1; less is better. Red: the bar, to be left of it")
    return figure


def rates(title: str, what: str, rows: Sequence[Rate]) -> Figure:
    """Bars of shares by group and system, more being better."""
    groups, systems = _unique(row.group for row in rows), _unique(row.system for row in rows)
    figure, axes = _figure(title, len(rows) * 0.55, legend=True)
    height = 0.8 / len(systems)
    for row in rows:
        number = systems.index(row.system)
        place = groups.index(row.group) + (number - (len(systems) - 1) / 2) * height
        axes.barh(place, row.value, height=height * 0.9, color=_COLOURS[number % len(_COLOURS)])
        axes.plot([row.low, row.high], [place, place], color=_FAINT, linewidth=1)
        axes.text(row.high + 0.01, place, f"{row.value:.0%}", va="center", ha="left", fontsize=8, color=_TEXT)
        if row.bar is not None:
            axes.plot([row.bar, row.bar], [place - height / 2, place + height / 2], color=_BAR, linewidth=2)
    _names(axes, groups)
    axes.set_xlim(0, 1.08)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    _below(figure, f"{what}, with 95 % intervals; more is better. Red: the bar, to be right of it")
    _legend(figure, systems)
    return figure


def deviations(title: str, what: str, rows: Sequence[Deviation], allowed: float | None = None) -> Figure:
    """Dots of deviations by name and series; ``allowed`` is a share to both sides."""
    names, every = _unique(row.name for row in rows), _unique(row.series for row in rows)
    figure, axes = _figure(title, len(names) * 0.75, legend=True)
    if allowed:
        axes.axvspan(-allowed, allowed, color=_COLOURS[2], alpha=0.12)
    axes.axvline(0.0, color=_FAINT, linewidth=1)
    for number, series in enumerate(every):
        of = [row for row in rows if row.series == series]
        places = [names.index(row.name) + (number - (len(every) - 1) / 2) * 0.22 for row in of]
        colour = _COLOURS[number % len(_COLOURS)]
        axes.plot([row.share for row in of], places, linestyle="", marker="o", markersize=5, color=colour)
    _names(axes, names)
    axes.xaxis.set_major_formatter(lambda share, _: f"{share:+.0%}" if abs(share) >= 0.005 else "0")
    _below(figure, what)
    _legend(figure, every)
    return figure


def seconds(title: str, rows: Sequence[Seconds]) -> Figure:
    """Bars of medians, with a line to the longest."""
    figure, axes = _figure(title, len(rows))
    right = max(row.longest for row in rows) * 1.15
    for place, row in enumerate(rows):
        axes.barh(place, row.median, height=0.55, color=_COLOURS[0])
        axes.plot([row.median, row.longest], [place, place], color=_FAINT, linewidth=1, marker="|")
        axes.text(row.longest + right * 0.01, place, f"{row.median:.1f} s", va="center", ha="left", color=_TEXT)
    _names(axes, [row.name for row in rows])
    axes.set_xlim(0, right)
    _below(figure, "seconds until the next request was answered: median, and a line to the longest")
    return figure


def courses(title: str, what: str, rows: Sequence[Course], steps: Sequence[str]) -> Figure:
    """Lines of figures over time."""
    figure, axes = _figure(title, 7, legend=True)
    axes.axhline(1.0, color=_FAINT, linewidth=1, linestyle="--")
    for number, row in enumerate(rows):
        axes.plot(range(len(steps)), row.values, marker="o", color=_COLOURS[number % len(_COLOURS)])
    axes.set_xticks(range(len(steps)), steps)
    axes.set_ylim(0, max(1.2, *(value for row in rows for value in row.values)) * 1.05)
    axes.set_ylabel(what)
    _legend(figure, [row.name for row in rows])
    return figure


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write ``stem.svg``, whose text stays text, and ``stem.png``; the same figure gives the same files."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    written = [stem.with_suffix(".svg"), stem.with_suffix(".png")]
    with mpl.rc_context(_STYLE):
        figure.savefig(written[0], transparent=True, metadata={"Date": None})
        figure.savefig(written[1], transparent=True, dpi=120, metadata={"Software": None})
    return written


def _figure(title: str, rows: float, *, legend: bool = False) -> tuple[Figure, Axes]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(9, 1.2 + 0.42 * rows + (0.4 if legend else 0)), layout="constrained")
        axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _names(axes: Axes, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _below(figure: Figure, text: str) -> None:
    # Below all of it, not below the axes alone, beside which the names take a good part of the width.
    figure.supxlabel(text, x=0.01, ha="left", fontsize=9, color=_TEXT)


def _legend(figure: Figure, names: Sequence[str]) -> None:
    patches = [Patch(color=_COLOURS[i % len(_COLOURS)], label=name) for i, name in enumerate(names)]
    columns = min(len(names), 5)
    figure.legend(handles=patches, loc="outside upper left", ncols=columns, frameon=False, fontsize=9, labelcolor=_TEXT)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
