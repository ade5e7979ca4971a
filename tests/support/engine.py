"""Real engine processes for tests."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from lsp_server.engine import runtime
from lsp_server.engine.runtime import EngineRecord
from lsp_server.inference.launcher import EngineSpec, attach

# How long a test waits for something that has to come; only a test that fails waits that long.
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class RunningEngine:
    """An engine process, and how to reach it."""

    spec: EngineSpec
    record: EngineRecord

    def client(self, *, authorized: bool = True) -> httpx.AsyncClient:
        """A plain HTTP client: what any other program would use."""
        headers = self.record.headers if authorized else {}
        return httpx.AsyncClient(base_url=self.record.url, headers=headers, timeout=PATIENCE_S, trust_env=False)

    @contextmanager
    def leased(self) -> Iterator[None]:
        """For the time of a ``with`` somebody has it at hand, so that it stays however long nobody asks."""
        with (
            httpx.Client(
                headers=self.record.headers, timeout=httpx.Timeout(None, connect=3.0), trust_env=False
            ) as client,
            client.stream("POST", f"{self.record.url}/lease", params={"pid": os.getpid()}),
        ):
            yield


def engine_spec(model: Path, *, n_ctx: int = 2048, port: int = 0) -> EngineSpec:
    """An engine on the CPU; another ``n_ctx`` makes it another engine. One that a broken run leaves goes by itself."""
    return EngineSpec("small", model, n_ctx, n_gpu_layers=0, n_threads=0, port=port, idle_minutes=30)


async def launch(spec: EngineSpec) -> RunningEngine:
    """Start the engine (or attach to it) and wait until its model is loaded."""
    await (await attach(spec)).aclose()
    return RunningEngine(spec, record_of(spec))


def record_of(spec: EngineSpec) -> EngineRecord:
    """The record of an engine that runs."""
    record = runtime.read(spec.name)
    assert record
    return record


async def shut_down(engine: RunningEngine) -> None:
    """Ask an engine to leave, and wait until it has."""
    process = psutil.Process(engine.record.pid)
    async with engine.client() as client:
        await client.post("/shutdown")
    await asyncio.to_thread(process.wait, PATIENCE_S)


async def stop(spec: EngineSpec) -> None:
    """What runs of an engine, if anything does, has left afterwards."""
    if record := runtime.read(spec.name):
        await shut_down(RunningEngine(spec, record))


async def events(response: httpx.Response) -> AsyncIterator[Any]:
    """The JSON messages of a stream of server-sent events, and the text ``[DONE]`` where it comes."""
    async for line in response.aiter_lines():
        if line:
            assert line.startswith("data: ")
            data = line.removeprefix("data: ")
            yield data if data == "[DONE]" else json.loads(data)
