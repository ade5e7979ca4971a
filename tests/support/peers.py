"""Other people's servers with the small real model, as processes of a test's own."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.ports import free_port
from tools import peers

KEY = "sesame-7Gq2"
_START_S = 120.0


@dataclass(slots=True)
class Peer:
    """A server that runs."""

    name: str
    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    async def idle(self) -> None:
        """Wait until it works on nothing; llama-server tells."""
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as client:
            while any(slot["is_processing"] for slot in (await client.get(f"{self.url}/slots")).json()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@contextmanager
def llama_server(folder: Path, model: Path, port: int = 0) -> Iterator[Peer]:
    """A llama-server on the CPU. Raises NotHereError where it cannot be had."""
    program = peers.llama_server(folder)
    port = port or free_port()
    command = [str(program), "--model", str(model), "--device", "none", "-ngl", "0", "--offline", "--parallel", "1"]
    command += ["--ctx-size", "8192", "--threads", "2", "--host", "127.0.0.1", "--port", str(port), "--api-key", KEY]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(program.parent)}
    with _running(Peer("llama-server", port, _start(command, environment))) as peer:
        yield peer


@contextmanager
def llama_cpp_server(folder: Path, model: Path) -> Iterator[Peer]:
    """llama-cpp-python's own server. Raises NotHereError where what it takes cannot be had."""
    extras = peers.llama_cpp_server(folder)
    port = free_port()
    command = [sys.executable, "-m", "llama_cpp.server", "--model", str(model), "--n_ctx", "4096", "--n_threads", "2"]
    command += ["--n_gpu_layers", "0", "--host", "127.0.0.1", "--port", str(port), "--api_key", KEY]
    environment = {**os.environ, "PYTHONPATH": str(extras)}
    with _running(Peer("llama_cpp.server", port, _start(command, environment))) as peer:
        yield peer


def _start(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=environment, stdin=quiet, stdout=quiet, stderr=quiet)


@contextmanager
def _running(peer: Peer) -> Iterator[Peer]:
    try:
        deadline = time.monotonic() + _START_S
        with httpx.Client(headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as client:
            while not _answers(client, peer.url):
                assert peer.process.poll() is None, f"{peer.name} ended with {peer.process.returncode}"
                assert time.monotonic() < deadline, f"{peer.name} did not come up in {_START_S:.0f} s"
                time.sleep(0.1)
        yield peer
    finally:
        peer.kill()


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(f"{url}/v1/models").status_code == 200
    except httpx.HTTPError:
        return False
