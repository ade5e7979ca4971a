"""Plots draw what is in their rows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="the extra `bench` is not installed")

from benchmarks import plots, summary
from benchmarks.figures import FIGURES
from benchmarks.results import Result
from benchmarks.tables import tables


def _drawn(figure: object, folder: Path) -> str:
    svg, png = plots.save(figure, folder / "figure")  # type: ignore[arg-type]
    assert png.read_bytes().startswith(b"\x89PNG")
    return svg.read_text(encoding="utf-8")


def _texts(svg: str) -> list[str]:
    return [text.strip() for text in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def test_every_ratio_is_drawn_with_its_figure(tmp_path: Path) -> None:
    rows = [plots.Ratio("typing", 0.0054), plots.Ratio("waiting", 0.77, 0.7)]
    figure = plots.ratios("Costs", "llama-server", rows)
    texts = _texts(_drawn(figure, tmp_path))

    assert {"Costs", "typing", "waiting", "0.0054 ×", "0.77 ×"} <= set(texts)
    axes = figure.axes[0]
    assert [patch.get_width() for patch in axes.patches] == [0.0054, 0.77]
    assert [0.7, 0.7] in [list(line.get_xdata()) for line in axes.lines]


def test_every_rate_is_drawn_where_it_lies(tmp_path: Path) -> None:
    rows = [
        plots.Rate("One line", "Shardlight", 0.61, 0.45, 0.75, 0.42),
        plots.Rate("One line", "plain FIM", 0.28, 0.16, 0.44),
        plots.Rate("Blocks", "Shardlight", 0.58, 0.32, 0.81),
    ]
    figure = plots.rates("Holes", "tests pass", rows)
    texts = _texts(_drawn(figure, tmp_path))

    assert {"One line", "Blocks", "Shardlight", "plain FIM", "61%", "28%", "58%"} <= set(texts)
    assert sorted(patch.get_width() for patch in figure.axes[0].patches) == [0.28, 0.58, 0.61]
    lines = [list(line.get_xdata()) for line in figure.axes[0].lines]
    assert all([row.low, row.high] in lines for row in rows)
    assert [0.42, 0.42] in lines


def test_deviations_are_drawn_by_series(tmp_path: Path) -> None:
    rows = [plots.Deviation("a", "weights", 0.01), plots.Deviation("a", "kv", -0.2), plots.Deviation("b", "kv", 0.3)]
    figure = plots.deviations("Memory", "planned", rows, 0.15)
    texts = _texts(_drawn(figure, tmp_path))

    assert {"a", "b", "weights", "kv"} <= set(texts)
    dots = [list(line.get_xdata()) for line in figure.axes[0].lines if line.get_marker() == "o"]
    assert dots == [[0.01], [-0.2, 0.3]]


def test_seconds_and_courses_are_drawn(tmp_path: Path) -> None:
    faults = plots.seconds("Faults", [plots.Seconds("killed", 1.7, 2.0)])
    hours = plots.courses("Hours", "times", [plots.Course("engine, PSS", (0.9, 1.0, 1.02, 1.03))], ["a", "b", "c", "d"])

    assert {"killed", "1.7 s"} <= set(_texts(_drawn(faults, tmp_path)))
    assert {"engine, PSS", "a", "d"} <= set(_texts(_drawn(hours, tmp_path)))
    assert list(hours.axes[0].lines[1].get_ydata()) == [0.9, 1.0, 1.02, 1.03]


def test_the_same_rows_give_the_same_files(tmp_path: Path) -> None:
    rows = [plots.Seconds("killed", 1.7, 2.0)]
    one, other = (plots.save(plots.seconds("Faults", rows), tmp_path / name / "f") for name in ("a", "b"))

    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_text_is_readable_on_white_and_on_black(tmp_path: Path) -> None:
    svg = _drawn(plots.ratios("Costs", "x", [plots.Ratio("typing", 0.5)]), tmp_path)
    greys = {
        colour
        for style in re.findall(r"<text style=\"([^\"]*)\"", svg)
        for colour in re.findall(r"fill: (#\w+)", style)
    }

    assert greys == {"#7b838d"}
    assert all(_contrast(grey, ground) > 3 for grey in greys for ground in ("#ffffff", "#0d1117"))


def _contrast(one: str, other: str) -> float:
    """As WCAG 2.1 has it; 3 is asked of large text and of figures."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_plots_are_drawn_of_the_results_that_there_are(tmp_path: Path) -> None:
    lines = summary.draw(summary.found(), tmp_path)

    drawn = {path.stem for path in tmp_path.glob("*.svg")}
    assert {"typing", "completion", "memory", "speed", "faults"} <= drawn <= set(FIGURES)
    assert len([line for line in lines if line]) == len(drawn)
    assert summary.draw({}, tmp_path / "none") == []


def test_a_soak_is_drawn_by_quarters(tmp_path: Path) -> None:
    lines = [
        "| median of the minutes | 1st quarter | 2nd | 3rd | 4th | 4th ÷ 2nd |",
        "|---|--:|--:|--:|--:|--:|",
        "| engine, PSS in MB | 450 | 500 | 505 | 510 | 1.02 |",
        "| engine, threads | 4 | 4 | 4 | 4 | 1.00 |",
    ]
    figure = FIGURES["soak"][1]({"soak": Result("x", tuple(tables(lines)))})

    assert figure
    assert list(figure.axes[0].lines[1].get_ydata()) == [0.9, 1.0, 1.01, 1.02]
    assert len(figure.axes[0].lines) == 2
