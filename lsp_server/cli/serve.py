"""``shardlight serve``: the language server."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import secrets
import sys
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lsp_server.cli.numbers import whole
from lsp_server.errors import RefusedError
from lsp_server.settings import sources
from lsp_server.settings.schema import Settings

if TYPE_CHECKING:
    from pygls.lsp.server import LanguageServer

    from lsp_server.server.session import Backends
    from lsp_server.server.status import Status

# The token of `--tcp`, for whoever starts the server and the client.
_VARIABLE = "SHARDLIGHT_TOKEN"


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``serve``."""
    serve = subparsers.add_parser("serve", help="the language server; editors run this")
    serve.add_argument("--stdio", action="store_true", help="speak over standard input and output (the default)")
    serve.add_argument("--tcp", action="store_true", help="listen on 127.0.0.1 instead, for one client with a token")
    serve.add_argument(
        "--port", type=whole("port", 0, 65535), default=2087, help="port for --tcp; default 2087, 0 for a free one"
    )
    serve.set_defaults(run=_run)


def _run(args: argparse.Namespace, _settings: Settings) -> int:
    from lsp_server.server import quiet_log, tcp
    from lsp_server.server.app import create_server
    from lsp_server.server.protocol import Protocol

    quiet_log.keep_texts_out()
    server = create_server(sources.load, _make_backends)
    # What is loaded now stays: collections need not look through it, for which everybody would wait.
    gc.collect()
    gc.freeze()
    if args.tcp:
        token = os.environ.get(_VARIABLE) or secrets.token_urlsafe(24)
        try:
            asyncio.run(tcp.serve(server, args.port, token, partial(_tell, token)))
        except OSError as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise RefusedError(
                f"Port {args.port} on 127.0.0.1 cannot be used: {why}.", hint="--port 0 takes a free one."
            ) from error
    else:
        server.start_io()
    return 0 if isinstance(server.protocol, Protocol) and server.protocol.was_shut_down else 1


def _tell(token: str, port: int) -> None:
    sys.stderr.write(f"Listening on 127.0.0.1:{port}. Clients send initializationOptions.token: {token}\n")
    sys.stderr.flush()


def _make_backends(server: LanguageServer, settings: Settings, show: Callable[[Status], None]) -> Backends:
    # Imported when the first document is open: the editor's start waits for `initialize`, not for an HTTP client.
    from lsp_server.server.engines import Engines

    return Engines(server, settings, show)
