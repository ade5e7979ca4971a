from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.engine import RunningEngine


@pytest.fixture
async def client(engine: RunningEngine) -> AsyncIterator[httpx.AsyncClient]:
    """A plain HTTP client of the shared engine, with its token."""
    async with engine.client() as client:
        yield client
