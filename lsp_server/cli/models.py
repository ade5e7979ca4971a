"""``shardlight models``: list, pull, inspect, verify, path, remove."""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table

from lsp_server.cli.heads import heads_of
from lsp_server.cli.model_card import print_card
from lsp_server.errors import ModelError
from lsp_server.models.card import model_card
from lsp_server.models.catalog import CatalogModel
from lsp_server.models.files import figures, human_size
from lsp_server.models.reference import CatalogRef, parse_ref
from lsp_server.models.store import InstalledModel, ModelStore, store_from
from lsp_server.models.transfer import Progress as ReportProgress
from lsp_server.models.transfer import Tally, Transfer
from lsp_server.settings.schema import Settings

EXIT_INTERRUPTED = 130
_VERBS = {"download": "Downloading", "verify": "Verifying"}
_STATES = {phase: verb.lower() for phase, verb in _VERBS.items()}


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``models`` and its subcommands; each sets ``run``, a function of (args, settings) that returns an exit code.

    A ``run`` raises ShardlightError for what the user should read; the caller prints it.
    """
    models = subparsers.add_parser("models", help="list, download, verify and remove models")
    commands = models.add_subparsers(metavar="COMMAND", required=True)

    listing = commands.add_parser("list", help="the models that Shardlight knows, and those that are here")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.set_defaults(run=_list)

    name_help = "a name of `models list`, hf:org/repo[:QUANT], hf:org/repo/file.gguf, or a path to a .gguf file"
    pull = commands.add_parser("pull", help="download a model, or go on with it")
    pull.add_argument("name", metavar="NAME", help=name_help)
    pull.add_argument(
        "--repair", action="store_true", help="hash the files that are here, fetch what is wrong or missing"
    )
    pull.add_argument("--json", action="store_true", help="say how far it is as JSON, an object a line")
    pull.set_defaults(run=_pull)

    inspect = commands.add_parser("inspect", help="what a model is: parameters, experts, quantization, context …")
    inspect.add_argument("name", metavar="NAME", help=f"{name_help}; of one that is not here only the heads are read")
    inspect.add_argument("--json", action="store_true", help="print JSON")
    inspect.set_defaults(run=_inspect)

    verify = commands.add_parser("verify", help="compare files with their checksums")
    verify.add_argument("name", metavar="NAME", nargs="?", help=f"{name_help}; without it, all that are here")
    verify.set_defaults(run=_verify)

    path = commands.add_parser("path", help="print where a model's (first) file is")
    path.add_argument("name", metavar="NAME", help=name_help)
    path.set_defaults(run=_path)

    remove = commands.add_parser("remove", help="delete a model's files")
    remove.add_argument("name", metavar="NAME", help=name_help)
    remove.set_defaults(run=_remove)


def _store(settings: Settings) -> ModelStore:
    return store_from(settings.models.directory, registry_mirror=settings.models.registry_mirror)


def _list(args: argparse.Namespace, settings: Settings) -> int:
    store = _store(settings)
    here = {model.ref_id: model for model in store.installed()}
    rows = [_row(model, here.pop(model.name, None)) for model in store.catalog]
    rows += [
        {"name": model.ref_id, "title": "", "roles": [], "size_bytes": model.size, "licence": None}
        | {"commercial_use": None, "fim": None, "installed": True, "path": str(model.path)}
        for model in here.values()
    ]
    if args.json:
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return 0
    console = Console()
    if console.is_terminal:
        console.print(_table(rows))
    else:
        sys.stdout.writelines("\t".join(_cells(row)) + "\n" for row in rows)
    return 0


def _row(model: CatalogModel, installed: InstalledModel | None) -> dict[str, Any]:
    return {
        "name": model.name,
        "title": model.title,
        "roles": list(model.roles),
        "size_bytes": model.size,
        "licence": model.licence,
        "commercial_use": model.commercial_use,
        "fim": model.fim,
        "installed": installed is not None,
        "path": str(installed.path) if installed else None,
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    licence = row["licence"] or "?"
    return (
        row["name"],
        ", ".join(row["roles"]) or "?",
        human_size(row["size_bytes"]) if row["size_bytes"] else "?",
        f"{licence} (non-commercial)" if row["commercial_use"] is False else licence,
        {True: "fim", False: "no fim", None: "?"}[row["fim"]],
        "installed" if row["installed"] else "not installed",
    )


def _table(rows: list[dict[str, Any]]) -> Table:
    table = Table(box=None, header_style="bold")
    for title in ("Model", "Roles", "Size", "Licence", "FIM", "State"):
        table.add_column(title, justify="right" if title == "Size" else "left", overflow="fold")
    for row in rows:
        name, roles, size, licence, fim, state = _cells(row)
        table.add_row(
            f"[bold]{name}[/]",
            roles,
            size,
            f"[yellow]{licence}[/]" if row["commercial_use"] is False else licence,
            {"fim": "yes", "no fim": "no"}.get(fim, fim),
            f"[green]{state}[/]" if row["installed"] else f"[dim]{state}[/]",
        )
    return table


def _pull(args: argparse.Namespace, settings: Settings) -> int:
    store = _store(settings)
    ref = parse_ref(args.name, store.catalog)
    if isinstance(ref, CatalogRef) and not ref.model.commercial_use:
        sys.stderr.write(f"{ref.id} is under the {ref.model.licence} licence: not for commercial use.\n")
    try:
        with nullcontext(_JsonProgress()) if args.json else _shown_progress() as progress:
            model = store.repair(ref, progress) if args.repair else store.pull(ref, progress)
    except KeyboardInterrupt:
        sys.stderr.write(
            f"\nInterrupted. What is complete is kept; `shardlight models pull {args.name}` goes on from there.\n"
        )
        return EXIT_INTERRUPTED
    if args.json:
        _say_json(state="ready", model=ref.id, path=str(model.path), size_bytes=model.size)
    else:
        sys.stdout.write(f"{ref.id} is ready: {model.path} ({human_size(model.size)})\n")
    return 0


def _verify(args: argparse.Namespace, settings: Settings) -> int:
    store = _store(settings)
    names = [args.name] if args.name else [model.ref_id for model in store.installed()]
    if not names:
        sys.stdout.write("No model is installed.\n")
    failed = False
    for name in names:
        try:
            with _shown_progress() as progress:
                known = store.verify(parse_ref(name, store.catalog), progress)
        except ModelError as error:
            if args.name:
                raise
            failed = True
            sys.stdout.write(f"{name}: FAILED. {error}\n")
        else:
            sys.stdout.write(f"{name}: {'ok' if known else 'a GGUF file; nobody has published its checksum'}\n")
    return 1 if failed else 0


def _path(args: argparse.Namespace, settings: Settings) -> int:
    store = _store(settings)
    sys.stdout.write(f"{store.locate(parse_ref(args.name, store.catalog)).path}\n")
    return 0


def _inspect(args: argparse.Namespace, settings: Settings) -> int:
    store = _store(settings)
    ref = parse_ref(args.name, store.catalog)
    # A glance is enough: hashing 61 GB to read 10 MB of heads would be rude.
    card = model_card(heads_of(ref, store))
    if args.json:
        sys.stdout.write(json.dumps({**asdict(card), "quantization": dict(card.quantization)}, indent=2) + "\n")
    else:
        print_card(Console(), card)
    return 0


def _remove(args: argparse.Namespace, settings: Settings) -> int:
    store = _store(settings)
    model = store.remove(parse_ref(args.name, store.catalog))
    sys.stdout.write(f"Removed {model.ref_id} ({human_size(model.size)}).\n")
    return 0


@contextmanager
def _shown_progress() -> Iterator[ReportProgress]:
    """A progress callback that draws bars on a terminal and prints a line for each tenth elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _PlainProgress()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bars:
        tasks: dict[tuple[str, str], TaskID] = {}

        def show(transfer: Transfer) -> None:
            key = (transfer.phase, transfer.file)
            if key not in tasks:
                tasks[key] = bars.add_task(f"{_VERBS[transfer.phase]} {transfer.file}", total=None)
            bars.update(tasks[key], completed=transfer.done_bytes, total=transfer.total_bytes)

        yield show


class _PlainProgress:
    """Progress for logs: a line at the start and at each further tenth, with the rate and the time left."""

    def __init__(self) -> None:
        self._tally = Tally()
        self._said: tuple[str, int] | None = None

    def __call__(self, transfer: Transfer) -> None:
        total = self._tally.add(transfer)
        if total.percent is None:
            return
        now = (total.phase, total.percent // 10)
        if now == self._said:
            return
        self._said = now
        what = total.files[0] if len(total.files) == 1 else f"{len(total.files)} files"
        sys.stderr.write(f"{_VERBS[total.phase]} {what}: {total.percent} %, {figures(total)}\n")
        sys.stderr.flush()


class _JsonProgress:
    """Progress for other programs: an object at each percent, and at least once a second while something comes."""

    def __init__(self) -> None:
        self._tally = Tally()
        # Several files are fetched at once, each by a thread of its own; lines are not to be mixed.
        self._lock = threading.Lock()
        self._said: tuple[str, int | None] | None = None
        self._when = 0.0

    def __call__(self, transfer: Transfer) -> None:
        total = self._tally.add(transfer)
        with self._lock:
            now, when = (total.phase, total.percent), time.monotonic()
            if now == self._said and when - self._when < 1:
                return
            self._said, self._when = now, when
            _say_json(
                state=_STATES[total.phase],
                percent=total.percent,
                done_bytes=total.done_bytes,
                total_bytes=total.total_bytes,
                message=figures(total),
            )


def _say_json(**said: Any) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()
