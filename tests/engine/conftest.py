from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.engine import RunningEngine, engine_spec, launch, shut_down


@pytest.fixture
async def client(engine: RunningEngine) -> AsyncIterator[httpx.AsyncClient]:
    """A plain HTTP client of the shared engine, with its token."""
    async with engine.client() as client:
        yield client


@pytest.fixture(scope="module")
def tiny_engine(tiny_deepseek4: Path) -> Iterator[RunningEngine]:
    """An engine of the module's own with a tiny DeepSeek-V4."""
    running = asyncio.run(launch(engine_spec(tiny_deepseek4)))
    with running.leased():
        yield running
    asyncio.run(shut_down(running))
