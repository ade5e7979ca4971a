"""What clients of one user say to an engine about sharing it: that they are there, and that it may go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from lsp_server.engine.http.answering import disconnected
from lsp_server.engine.leases import Leases


class Sharing:
    """The handlers of ``/lease`` and ``/drain``.

    Args:
        drain: called to have the engine finish what it does and leave.
    """

    def __init__(self, leases: Leases, drain: Callable[[], None]) -> None:
        self._leases = leases
        self._drain = drain

    async def lease(self, request: Request) -> Response:
        """Hold a lease of the process ``?pid=`` until the client closes the connection, or the engine ends."""
        pid = request.query_params.get("pid", "")
        await request.body()

        async def until_either_ends() -> AsyncIterator[bytes]:
            with self._leases.held(pid):
                yield b"\n"
                ends = [asyncio.ensure_future(end) for end in (disconnected(request), self._leases.closing.wait())]
                try:
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for end in ends:
                        end.cancel()

        return StreamingResponse(until_either_ends(), media_type="text/plain")

    async def drain(self, _request: Request) -> Response:
        """Take no more requests, and leave when those that run are answered."""
        self._drain()
        return JSONResponse({"status": "leaving"})
