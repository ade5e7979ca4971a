"""The engine as a program: bind, publish where it listens, load, serve, leave when nobody has asked for a while."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable

import psutil
import uvicorn
from setproctitle import setproctitle

from lsp_server import __version__
from lsp_server.engine import runtime
from lsp_server.engine.config import EngineConfig
from lsp_server.engine.http.app import create_app
from lsp_server.engine.service import EngineService, Phase
from lsp_server.errors import EngineStartError
from lsp_server.models.catalog import FimLayout

logger = logging.getLogger(__name__)


def run(
    config: EngineConfig,
    layout_of: Callable[[str], FimLayout],
    *,
    port: int = 0,
    idle_minutes: int = 30,
) -> int:
    """Serve until stopped; returns the exit code.

    Args:
        layout_of: FIM order by GGUF architecture.
        port: on 127.0.0.1; 0 for any free one.
        idle_minutes: leave after that long without a request; 0 for never.

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
    service = EngineService(config, layout_of)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(service, token, lambda: setattr(server, "should_exit", True)),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=3,
        )
    )
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
    )
    runtime.write(name, record)
    logger.info("Listening on %s, loading %s", record.url, config.path)
    # After its own shutdown uvicorn passes a signal on; the default would end the process before the record is gone.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    try:
        service.start()
        asyncio.run(_serve(server, listener, service, idle_minutes))
    finally:
        runtime.remove(name, record.pid)
        service.close()
    return 1 if service.failure else 0


async def _serve(server: uvicorn.Server, listener: socket.socket, service: EngineService, idle_minutes: int) -> None:
    watch = asyncio.create_task(_leave_when_idle(server, service, idle_minutes * 60))
    await server.serve(sockets=[listener])
    watch.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watch


# After a failed load the engine answers /health with the reason for this long, so that whoever started it can read it.
_LINGER_S = 20.0


async def _leave_when_idle(server: uvicorn.Server, service: EngineService, idle_s: float) -> None:
    while not server.should_exit:
        await asyncio.sleep(1.0)
        if service.phase is Phase.LOADING:
            continue
        failed = service.phase is Phase.FAILED
        limit = _LINGER_S if failed else idle_s
        if limit and not service.busy and time.monotonic() - service.last_used > limit:
            logger.info("The load failed; leaving." if failed else "Nobody has asked for a while; leaving.")
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
