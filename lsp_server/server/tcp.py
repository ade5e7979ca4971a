"""The language server over TCP, for one client that knows the token.

Whatever runs on this machine, a page in a browser too, can send bytes to a port of the loopback address. So nothing is
done for a connection before it has said ``initialize`` with the token, and nothing for any other one afterwards.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import threading
from collections.abc import Callable
from typing import Any

from lsprotocol import types as lsp
from pygls.io_ import run_async
from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)
HOST = "127.0.0.1"


async def serve(server: LanguageServer, port: int, token: str, listening: Callable[[int], None]) -> None:
    """Serve one client, and return when it has gone.

    Args:
        port: 0 for one that is free.
        token: what the client has to send as ``initializationOptions.token``.
        listening: called with the port once it can be connected to.

    Raises:
        OSError: the port is taken.
    """
    entrance = _Entrance(server, token)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        gate = _Gate(entrance, writer)
        try:
            await run_async(gate.closed, reader, gate, logger, server.report_server_error)  # type: ignore[arg-type]
        except (OSError, asyncio.IncompleteReadError) as error:
            logger.info("A connection broke off: %s", error)
        finally:
            writer.close()
            if gate.passed:
                entrance.left.set()

    async with await asyncio.start_server(connected, HOST, port) as listener:
        listening(listener.sockets[0].getsockname()[1])
        await entrance.left.wait()


class _Entrance:
    """What all connections share: the server, and whether somebody is in."""

    def __init__(self, server: LanguageServer, token: str) -> None:
        self.server = server
        self.left = asyncio.Event()
        self._token = token.encode()
        self._taken = False

    def admits(self, message: Any) -> bool:
        """Whether a message is the first of the client that is waited for; True once."""
        if self._taken or getattr(message, "method", None) != lsp.INITIALIZE:
            return False
        options = message.params.initialization_options
        shown = options.get("token") if isinstance(options, dict) else getattr(options, "token", None)
        self._taken = isinstance(shown, str) and hmac.compare_digest(shown.encode("utf-8", "replace"), self._token)
        return self._taken


class _Gate:
    """Stands between one connection and the protocol."""

    def __init__(self, entrance: _Entrance, writer: asyncio.StreamWriter) -> None:
        self.closed = threading.Event()
        self.passed = False
        self._entrance = entrance
        self._writer = writer

    def structure_message(self, data: dict[str, Any]) -> Any:
        """What a message says."""
        return self._entrance.server.protocol.structure_message(data)

    def handle_message(self, message: Any) -> None:
        """Hand a message on to the protocol; a stranger's first one ends the connection."""
        protocol = self._entrance.server.protocol
        if not self.passed and self._entrance.admits(message):
            self.passed = True
            protocol.set_writer(self._writer)
        if self.passed:
            protocol.handle_message(message)
        else:
            logger.warning("A connection without the token is closed.")
            self.closed.set()
