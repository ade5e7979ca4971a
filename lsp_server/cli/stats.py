"""``shardlight stats``: what became of the suggestions, as counted on this machine."""

from __future__ import annotations

import argparse
import json
import sys

from rich.console import Console
from rich.table import Table

from lsp_server.cli.numbers import whole
from lsp_server.settings.schema import Settings
from lsp_server.statistics.recorder import Statistics, default_path
from lsp_server.statistics.report import Figures, Report

_DAYS = 30


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``stats``."""
    stats = subparsers.add_parser("stats", help="what became of the suggestions, as counted on this machine")
    stats.add_argument(
        "--days", type=whole("number of days", 1), default=_DAYS, metavar="N", help=f"the last N days; default {_DAYS}"
    )
    stats.add_argument("--json", action="store_true", help="print JSON")
    stats.add_argument("--reset", action="store_true", help="forget all counts")
    stats.set_defaults(run=_run)


def _run(args: argparse.Namespace, _settings: Settings) -> int:
    statistics = Statistics(default_path())
    console = Console(soft_wrap=True)
    if args.reset:
        statistics.reset()
        console.print(f"The counts in {statistics.path} are forgotten.", highlight=False)
        return 0
    report = statistics.report(args.days)
    if args.json:
        sys.stdout.write(json.dumps({"path": str(statistics.path), **report.as_json()}, indent=2) + "\n")
        return 0
    _show(console, report)
    console.print(f"\nKept in {statistics.path}; nothing of it leaves this machine.", highlight=False, style="dim")
    return 0


def _show(console: Console, report: Report) -> None:
    total = report.total
    since = f"since {report.since:%Y-%m-%d}"
    if report.shown_per_day is None:
        console.print(f"No suggestions were shown {since}.", highlight=False)
        return
    days = "1 day" if report.active_days == 1 else f"{report.active_days} days"
    console.print(
        f"{total.shown:,} suggestions on {days} {since}, {report.shown_per_day:,.0f} a day. "
        f"{total.saved_characters:,} characters were accepted.\n",
        highlight=False,
    )
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("language", no_wrap=True)
    for column in ("shown", "accepted", "partly", "rejected", "rate", "chars", "cached", "p50", "p95"):
        table.add_column(column, justify="right", no_wrap=True)
    for language, figures in report.languages.items():
        table.add_row(language or "unnamed", *_cells(figures))
    if len(report.languages) > 1:
        table.add_row("all", *_cells(total), style="bold")
    console.print(table)
    console.print(
        "\nrate: accepted, wholly or partly, of those that there was time to see. chars: accepted instead of typed.\n"
        "cached: without asking a model. p50, p95: milliseconds from request to answer.",
        highlight=False,
        style="dim",
    )


def _cells(figures: Figures) -> list[str]:
    counts = (figures.shown, figures.accepted, figures.partly, figures.rejected)
    return [
        *(f"{count:,}" for count in counts),
        _percent(figures.acceptance),
        f"{figures.saved_characters:,}",
        _percent(figures.without_model),
        _number(figures.latency_p50_ms),
        _number(figures.latency_p95_ms),
    ]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share:.0%}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
