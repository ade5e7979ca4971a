"""Requests to a server on loopback, with the time at which each event of the answer arrives.

Blocking sockets: nothing of an event loop is between an event and its time, and closing one is closing it at once.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Json = dict[str, Any]
_PATIENCE_S = 600.0


class RefusedRequestError(Exception):
    """The server answered with an error; its words."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, and the bearer token it wants."""

    url: str
    token: str = ""

    def get(self, path: str) -> Any:
        """A JSON document."""
        return json.loads(_opened(self, "GET", path, None).read())

    def post(self, path: str, body: Mapping[str, Any]) -> Json:
        """The whole answer to a JSON body."""
        return json.loads(_opened(self, "POST", path, body).read())  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event, and the seconds from sending the request to it."""

    seconds: float
    message: Json


class Stream:
    """A streamed answer. ``close`` may be called from another thread, before anything has arrived too."""

    def __init__(self, address: Address, path: str, body: Mapping[str, Any]) -> None:
        self._connection = _connection(address)
        self._connection.connect()
        self._socket: socket.socket = self._connection.sock
        self.begun = time.perf_counter()
        _send(self._connection, address, "POST", path, {**body, "stream": True})

    def __iter__(self) -> Iterator[Arrival]:
        """The events, until the last or the end of the connection.

        Raises:
            RefusedRequestError: the server refused, or failed on the way.
        """
        response = self._connection.getresponse()
        if response.status != 200:
            raise RefusedRequestError(response.read().decode("utf-8", "replace"))
        for line in response:
            name, _, data = line.decode("utf-8").partition(":")
            if name != "data" or data.strip() == "[DONE]":
                continue
            message = json.loads(data)
            if "error" in message:
                raise RefusedRequestError(str(message["error"]))
            yield Arrival(time.perf_counter() - self.begun, message)

    def close(self) -> None:
        """Hang up, as an editor does that wants the answer no more."""
        # Closing alone would leave the connection open as long as the response holds the socket.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._connection.close()


def _connection(address: Address) -> http.client.HTTPConnection:
    parts = urlsplit(address.url)
    return http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=_PATIENCE_S)


def _send(
    connection: http.client.HTTPConnection, address: Address, method: str, path: str, body: Mapping[str, Any] | None
) -> None:
    headers = {"Content-Type": "application/json"}
    if address.token:
        headers["Authorization"] = f"Bearer {address.token}"
    connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)


def _opened(address: Address, method: str, path: str, body: Mapping[str, Any] | None) -> http.client.HTTPResponse:
    connection = _connection(address)
    _send(connection, address, method, path, body)
    response = connection.getresponse()
    if response.status != 200:
        raise RefusedRequestError(f"{path}: {response.read().decode('utf-8', 'replace')}")
    return response
