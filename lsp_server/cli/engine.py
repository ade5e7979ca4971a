"""``shardlight engine``: run, status, token, stop."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import replace

import httpx
from rich.console import Console

from lsp_server.cli import status
from lsp_server.cli.numbers import whole
from lsp_server.engine import client_token, process, runtime
from lsp_server.engine.config import EngineConfig
from lsp_server.errors import BackendError
from lsp_server.inference.ending import end
from lsp_server.inference.sources import wanted_model
from lsp_server.models.catalog import Catalog
from lsp_server.models.store import store_from
from lsp_server.settings.schema import Settings


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``engine`` and its subcommands."""
    engine = subparsers.add_parser("engine", help="run, look at and stop the process that holds the model")
    commands = engine.add_subparsers(metavar="COMMAND", required=True)

    percent = whole("percentage", 1, 100)
    run = commands.add_parser("run", help="run an engine in the foreground (editors start it by themselves)")
    run.add_argument("--model", metavar="NAME", default="auto", help="as in `shardlight models pull`; default auto")
    run.add_argument("--name", help="what clients are told the model is called; default: its name")
    run.add_argument("--n-ctx", type=whole("number of tokens", 1), help="context length in tokens")
    run.add_argument(
        "--n-gpu-layers", type=whole("number of layers", -1), help="layers on the GPU; -1 to have it planned"
    )
    run.add_argument("--n-threads", type=whole("number of threads", 0, 512), help="threads; 0 to have it planned")
    run.add_argument("--role", choices=["completion", "assistant"], default="completion", help="what it is planned for")
    run.add_argument("--memory-percent", type=percent, help="share of the available RAM that it may use")
    run.add_argument("--checkpoint-mb", type=whole("number of MB", 0), help="memory for saved states of each context")
    run.add_argument("--background-percent", type=percent, help="share of the time for work that nobody waits for")
    run.add_argument("--port", type=whole("port", 0, 65535), help="on 127.0.0.1; 0 for any free one")
    run.add_argument(
        "--idle-minutes",
        type=whole("number of minutes", 0),
        help="leave after that long without a request; 0 for never",
    )
    run.add_argument("--for-editors", action="store_true", help="leave soon after the last editor (editors say so)")
    run.set_defaults(run=_run)

    short = commands.add_parser("status", help="the engines that run: `shardlight status --once`")
    short.set_defaults(run=status.run, once=True, json=False)

    token = commands.add_parser("token", help="the token for other clients (llama.vim, curl …); made at the first call")
    token.add_argument("--new", action="store_true", help="make another one; the one before opens nothing any more")
    token.add_argument("--header", action="store_true", help="as a header, for `… | curl -H @-`")
    token.set_defaults(run=_token)

    stop = commands.add_parser("stop", help="stop all engines that run")
    stop.set_defaults(run=_stop)


def _run(args: argparse.Namespace, settings: Settings) -> int:
    def given(name: str) -> int:
        value = getattr(args, name)
        return int(getattr(settings.engine, name) if value is None else value)

    logging.getLogger().setLevel(min(logging.getLogger().level, logging.INFO))
    store = store_from(settings.models.directory, registry_mirror=settings.models.registry_mirror)
    models = replace(settings.models, completion=args.model)
    ref = wanted_model(replace(settings, models=models), store, "completion")
    config = EngineConfig(
        model_id=args.name or ref.id,
        path=store.locate(ref).path,
        n_ctx=given("n_ctx"),
        n_gpu_layers=given("n_gpu_layers"),
        n_threads=given("n_threads"),
        memory_share=given("memory_percent") / 100,
        role=args.role,
        checkpoint_bytes=given("checkpoint_mb") * 1_000_000,
        background_share=given("background_percent") / 100,
    )
    layout_of = Catalog.load().fim_layout
    idle = given("idle_minutes")
    return process.run(config, layout_of, port=given("port"), idle_minutes=idle, for_editors=args.for_editors)


def _token(args: argparse.Namespace, _settings: Settings) -> int:
    try:
        token = client_token.made(anew=args.new)
    except OSError as error:
        raise BackendError(
            f"The token cannot be kept in {client_token.path()}: {error.strerror or error}.",
            hint="Make room there, or see to its rights.",
        ) from error
    # Nothing else: it is meant for `$(shardlight engine token)`. On a command line other users could read it.
    sys.stdout.write(f"Authorization: Bearer {token}\n" if args.header else f"{token}\n")
    return 0


def _stop(_args: argparse.Namespace, _settings: Settings) -> int:
    console = Console()
    running = runtime.all_running()
    if not running:
        console.print("No engine runs.")
    for record in running:
        try:
            httpx.post(f"{record.url}/shutdown", headers=record.headers, timeout=5.0, trust_env=False)
            console.print(f"Stopping {record.model_id} (pid {record.pid}).")
        except httpx.HTTPError:
            end(record)
            console.print(f"{record.model_id} did not answer; its process {record.pid} was ended.")
    return 0
