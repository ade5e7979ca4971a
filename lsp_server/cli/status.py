"""``shardlight status``: what the engines are doing, as it happens."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from rich.console import Console
from rich.live import Live

from lsp_server.cli.keys import keys
from lsp_server.cli.status_view import frame
from lsp_server.engine import runtime
from lsp_server.errors import ShardlightError
from lsp_server.inference.watching import EngineFacts, Look, facts, look
from lsp_server.settings.schema import Settings
from lsp_server.statistics.recorder import Statistics, default_path
from lsp_server.statistics.report import Report

_DAYS = 7
_EVERY_S = 1.0
_HINT = "q leaves"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``status``."""
    status = subparsers.add_parser("status", help="what the engines are doing, as it happens")
    status.add_argument("--once", action="store_true", help="print it once; the default where no terminal is")
    status.add_argument("--json", action="store_true", help="print JSON, once")
    status.set_defaults(run=run)


def run(args: argparse.Namespace, _settings: Settings) -> int:
    """Show the status once, or until a key is pressed."""
    console = Console()
    engines = _Engines()
    if args.json:
        report = _suggestions()
        told = {"engines": [engine.as_json() for engine in engines()]}
        sys.stdout.write(json.dumps({**told, "suggestions": report.as_json() if report else None}, indent=2) + "\n")
    elif args.once or not console.is_terminal:
        console.print(frame(engines(), _suggestions()))
    else:
        with keys() as key, Live(console=console, screen=True, auto_refresh=False) as live:
            _watch(engines, live, key)
    return 0


def _watch(engines: Callable[[], list[EngineFacts]], live: Live, key: Callable[[float], str]) -> None:
    """Draw until q or Ctrl-C."""
    try:
        while True:
            live.update(frame(engines(), _suggestions(), _HINT), refresh=True)
            if key(_EVERY_S) in ("q", "Q"):
                return
    except KeyboardInterrupt:
        return


class _Engines:
    """The engines that run, with rates since they were asked last."""

    def __init__(self) -> None:
        self._looks: dict[int, Look] = {}

    def __call__(self) -> list[EngineFacts]:
        records = runtime.all_running()
        looks = {record.pid: look(record) for record in records}
        told = [facts(record, looks[record.pid], self._looks.get(record.pid)) for record in records]
        self._looks = looks
        return told


def _suggestions() -> Report | None:
    try:
        return Statistics(default_path()).report(_DAYS)
    except ShardlightError:
        # `shardlight stats` says what is wrong with them; the engines are not less interesting for it.
        return None
