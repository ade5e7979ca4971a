"""The engine as a program: bind, publish where it listens, load, serve, leave when nobody has asked for a while."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable

import psutil
import uvicorn
from setproctitle import setproctitle

from lsp_server import __version__
from lsp_server.engine import client_token, crashes, runtime
from lsp_server.engine.config import EngineConfig
from lsp_server.engine.http.app import create_app
from lsp_server.engine.leases import Leases
from lsp_server.engine.neighbours import Neighbours
from lsp_server.engine.patience import Patience
from lsp_server.engine.service import EngineService
from lsp_server.errors import EngineStartError
from lsp_server.models.catalog import FimLayout

logger = logging.getLogger(__name__)

# How often it is asked whether there is a reason to leave.
_LOOK_S = 1.0


def run(
    config: EngineConfig,
    layout_of: Callable[[str], FimLayout],
    *,
    port: int = 0,
    idle_minutes: int = 30,
    for_editors: bool = False,
) -> int:
    """Serve until stopped; returns the exit code.

    Args:
        layout_of: FIM order by GGUF architecture.
        port: on 127.0.0.1; 0 for any free one.
        idle_minutes: leave after that long without a request (see ``Patience``); 0 for never.
        for_editors: an editor starts it, for itself and others like it (see ``Leases``).

    Raises:
        EngineStartError: the port is taken, or such an engine runs already.
    """
    name = runtime.key(config.path, config.n_ctx, config.n_gpu_layers)
    if running := runtime.read(name):
        raise EngineStartError(
            f"An engine for {running.model_id} runs already (process {running.pid}, port {running.port}).",
            hint="Editors use that one. `shardlight engine stop` ends it.",
        )
    setproctitle(f"shardlight engine run --model {config.model_id}")
    listener = _bind(port)
    port = listener.getsockname()[1]
    token = secrets.token_urlsafe(32)
    neighbours = Neighbours(name, os.getpid(), str(config.path))
    service, leases = EngineService(config, layout_of, neighbours), Leases(for_editors=for_editors)

    def shut_down() -> None:
        server.should_exit = True

    def drain() -> None:
        # From here on nobody finds it; who has it already is told when they ask.
        runtime.remove(name, os.getpid())
        service.leaving = True

    app = create_app(service, token, leases, shut_down, drain, client_token.read)
    server = _Server(leases, uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=3))
    started, after_boot = runtime.creation(psutil.Process())
    record = runtime.EngineRecord(
        pid=os.getpid(),
        started=started,
        port=port,
        token=token,
        model_id=config.model_id,
        model_path=str(config.path),
        n_ctx=config.n_ctx,
        n_gpu_layers=config.n_gpu_layers,
        version=__version__,
        after_boot=after_boot,
        model_state=runtime.state_of(config.path),
    )
    runtime.write(name, record)
    # A crash in native code says in the log what it was, and is counted (see `crashes`).
    faulthandler.enable()
    crashes.begun(name)
    logger.info("Listening on %s, loading %s", record.url, config.path)
    # After its own shutdown uvicorn passes a signal on; the default would end the process before the record is gone.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    try:
        service.start()
        asyncio.run(_serve(server, listener, service, Patience(idle_minutes * 60, config.path, record.model_state)))
    finally:
        runtime.remove(name, record.pid)
        crashes.ended_well(name)
        service.close()
    return 1 if service.failure else 0


class _Server(uvicorn.Server):
    def __init__(self, leases: Leases, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.leases = leases

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # It waits for open connections, and nobody closes these but us.
        self.leases.closing.set()
        await super().shutdown(sockets)


async def _serve(server: _Server, listener: socket.socket, service: EngineService, patience: Patience) -> None:
    watch = asyncio.create_task(_leave_in_time(server, service, patience))
    await server.serve(sockets=[listener])
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch


async def _leave_in_time(server: _Server, service: EngineService, patience: Patience) -> None:
    while not server.should_exit:
        await asyncio.sleep(_LOOK_S)
        if reason := patience.reason_to_leave(service, server.leases):
            logger.info("%s; leaving.", reason)
            server.should_exit = True


def _bind(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if sys.platform != "win32":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        # From here on connections wait instead of being refused: the address is published before anything serves it.
        listener.listen()
    except OSError as error:
        listener.close()
        raise EngineStartError(
            f"Port {port} on 127.0.0.1 cannot be used: {error.strerror or error}.",
            hint="Set engine.port to another one, or to 0 for any free one.",
        ) from error
    return listener
