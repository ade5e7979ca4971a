"""What HTTP costs: the time to the first token over it, and without it."""

from __future__ import annotations

import asyncio
import time

import httpx

from benchmarks.engine.in_process import InProcess
from benchmarks.engine.outcome import Bar, Outcome, Setup, median, percentile, table
from benchmarks.engine.peers import N_CTX, Server, ours
from benchmarks.engine.source import file_text

_BAR_MS = 4.0
_PREFIX_CHARS = 2000
_WARM = 3


def run(setup: Setup) -> Outcome:
    """The same prompts, a token longer each time, to an engine process and to an engine within this one."""
    with ours(setup.model) as server:
        over, within = asyncio.run(_measure(setup, server))
    added = median(one - other for one, other in zip(over, within, strict=True))
    rows = [[name, len(ms), median(ms), percentile(ms, 0.95)] for name, ms in (("HTTP", over), ("in-process", within))]
    lines = [
        "Milliseconds to the first token of a warm prompt that has one more.",
        "",
        *table(["", "requests", "median", "p95"], rows),
    ]
    bar = Bar("HTTP over in-process TTFT, median", f"≤ {_BAR_MS:.0f} ms", f"{added:+.1f} ms", added <= _BAR_MS)
    return Outcome(lines, [bar])


async def _measure(setup: Setup, server: Server) -> tuple[list[float], list[float]]:
    prefix = file_text()[:_PREFIX_CHARS] + "\nx = "
    over, within = [], []
    headers = {"Authorization": f"Bearer {server.address.token}"}
    # As the language server's: one client that keeps its connections.
    async with (
        httpx.AsyncClient(base_url=server.address.url, headers=headers, timeout=600, trust_env=False) as client,
        InProcess(setup.model, N_CTX) as engine,
    ):
        for i in range(_WARM + setup.count(60, 5)):
            longer = prefix + "1" * (i + 1)
            over.append(await _ttft(client, server.infill_body(longer, "\n", document="http", n_predict=2)))
            within.append(await engine.ttft_ms(longer, "\n"))
    return over[_WARM:], within[_WARM:]


async def _ttft(client: httpx.AsyncClient, body: dict[str, object]) -> float:
    begun = time.perf_counter()
    first = 0.0
    async with client.stream("POST", "/infill", json={**body, "stream": True}) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line and not first:
                first = time.perf_counter()
    return (first - begun) * 1000
