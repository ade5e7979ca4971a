"""The language server as a whole: which methods it has, and what they share."""

from __future__ import annotations

import logging
from collections.abc import Callable

from lsprotocol.converters import get_converter
from pygls.lsp.server import LanguageServer

from lsp_server import __version__
from lsp_server.server.handlers import (
    code_action,
    commands,
    completion,
    documents,
    hints,
    inline_completion,
    lifecycle,
    notebooks,
    workspace,
)
from lsp_server.server.notebooks import SYNC
from lsp_server.server.protocol import Protocol
from lsp_server.server.session import Backends, Session
from lsp_server.server.status import Status
from lsp_server.settings.resolve import Options, Resolution
from lsp_server.settings.schema import Settings

logger = logging.getLogger(__name__)


class Server(LanguageServer):
    """pygls' server, which keeps to the log what nobody waits for."""

    def report_server_error(self, error: Exception, source: object) -> None:
        """Say in the log what went wrong outside of a request: the user cannot mend what a client sends."""
        logger.error("%s", error, exc_info=error)


def create_server(
    load_settings: Callable[[Options | None], Resolution],
    make_backends: Callable[[LanguageServer, Settings, Callable[[Status], None]], Backends],
) -> LanguageServer:
    """A server that is ready for ``start_io`` or ``start_tcp``.

    Args:
        load_settings: the editor's options (None before they are known) → settings.
        make_backends: the models for settings; called at first use and again when the settings change. They tell
            their states by the function that they are given.
    """
    server = Server(
        "shardlight",
        __version__,
        protocol_cls=Protocol,
        converter_factory=get_converter,
        notebook_document_sync=SYNC,
    )
    session = Session(server, load_settings, make_backends)
    handlers = (lifecycle, documents, notebooks, workspace, inline_completion, completion, code_action, hints, commands)
    for module in handlers:
        module.register(server, session)
    return server
