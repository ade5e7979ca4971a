"""``shardlight serve``: the language server."""

from __future__ import annotations

import argparse
import gc
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsp_server.settings import sources
from lsp_server.settings.schema import Settings

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

    from lsp_server.server.session import Backends
    from lsp_server.server.status import Status


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``serve``."""
    serve = subparsers.add_parser("serve", help="the language server; editors run this")
    serve.add_argument("--stdio", action="store_true", help="speak over standard input and output (the default)")
    serve.add_argument("--tcp", action="store_true", help="listen on 127.0.0.1 instead")
    serve.add_argument("--port", type=int, default=2087, help="port for --tcp; default 2087")
    serve.set_defaults(run=_run)


def _run(args: argparse.Namespace, _settings: Settings) -> int:
    from lsp_server.server.app import create_server
    from lsp_server.server.protocol import Protocol

    server = create_server(sources.load, _make_backends)
    # What is loaded now stays: collections need not look through it, for which everybody would wait.
    gc.collect()
    gc.freeze()
    if args.tcp:
        server.start_tcp("127.0.0.1", args.port)
    else:
        server.start_io()
    return 0 if isinstance(server.protocol, Protocol) and server.protocol.was_shut_down else 1


def _make_backends(server: LanguageServer, settings: Settings, show: Callable[[Status], None]) -> Backends:
    # Imported when the first document is open: the editor's start waits for `initialize`, not for an HTTP client.
    from lsp_server.server.engines import Engines

    return Engines(server, settings, show)
