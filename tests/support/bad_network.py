"""A network that fails: a TCP proxy on a real socket between a client and a server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_PIECE = 65536


@dataclass
class Network:
    """What the network does to what the server says; may be changed at any time.

    Attributes:
        port: where clients find it.
        latency_s: each piece is held back for so long.
        drip: so many bytes at a time, a hundredth of a second apart; 0: as they come.
        bytes_left: so many come through yet, then each connection is reset; None: no end.
        may_reset: cleared, that waits. What a client has not read when its connection is reset is lost to it.
    """

    port: int = 0
    latency_s: float = 0.0
    drip: int = 0
    bytes_left: int | None = None
    may_reset: asyncio.Event = field(default_factory=asyncio.Event)
    _is_well: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self._is_well.set()
        self.may_reset.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def swallows(self) -> bool:
        """Whether nothing comes through any more, in either direction, and nobody is told (half-open)."""
        return not self._is_well.is_set()

    @swallows.setter
    def swallows(self, swallows: bool) -> None:
        if swallows:
            self._is_well.clear()
        else:
            self._is_well.set()

    async def _carry_there(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_PIECE):
            if not self.swallows:
                writer.write(piece)
                await writer.drain()

    async def _carry_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(self.drip or _PIECE):
            await asyncio.sleep(0.01 if self.drip else self.latency_s)
            if self.swallows:
                continue
            passed = piece[: self.bytes_left]
            if self.bytes_left is not None:
                self.bytes_left -= len(passed)
            writer.write(passed)
            await writer.drain()
            if passed != piece:
                await self.may_reset.wait()
                _reset(writer)
                return


@asynccontextmanager
async def bad_network(server_port: int) -> AsyncIterator[Network]:
    """A network that leads to a port of this machine, and is a good one until it is told otherwise."""
    network = Network()
    connections: set[asyncio.Task[None]] = set()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            there, back = await asyncio.open_connection("127.0.0.1", server_port)
        except OSError:
            _reset(writer)
            return
        ways = {
            asyncio.create_task(network._carry_there(reader, back)),
            asyncio.create_task(network._carry_back(there, writer)),
        }
        try:
            # One side that leaves ends it for the other, unless that is never to know.
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            await network._is_well.wait()
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for end in (writer, back):
                end.close()

    listening = await asyncio.start_server(connect, "127.0.0.1", 0)
    network.port = listening.sockets[0].getsockname()[1]
    try:
        yield network
    finally:
        listening.close()
        for connection in connections:
            connection.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*connections, return_exceptions=True)


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection as a crash does: with RST, and without what is still on its way."""
    connected: socket.socket = writer.get_extra_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
