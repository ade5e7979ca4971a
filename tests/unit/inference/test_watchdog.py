from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from lsp_server.errors import BackendGoneError, BackendStuckError
from lsp_server.inference import watchdog as module
from lsp_server.inference.watchdog import Watchdog
from tests.support.engine import PATIENCE_S

STUCK = BackendStuckError("The engine does not answer.")


class Engine:
    """Says how it is, in order; then always the last thing again."""

    def __init__(self, *health: Exception | None) -> None:
        self.health = list(health)
        self.asked = 0
        self.was_ended = asyncio.Event()
        self.on_asked: Callable[[], None] = lambda: None
        self.watchdog = Watchdog(self._answer, self.was_ended.set)

    async def _answer(self) -> tuple[bool, float]:
        self.asked += 1
        self.on_asked()
        said = self.health.pop(0) if len(self.health) > 1 else self.health[0]
        if said:
            raise said
        return True, 1.0

    async def watched(self) -> None:
        """Until the watchdog has nothing to do any more."""
        assert self.watchdog._watch
        await asyncio.wait_for(asyncio.shield(self.watchdog._watch), PATIENCE_S)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.001)


async def test_one_that_does_not_answer_is_ended_though_nobody_waits_any_more() -> None:
    engine = Engine(STUCK)
    for _ in range(3):
        # As somebody types: each request is given up for the next one.
        with engine.watchdog.waits():
            await asyncio.sleep(0)
    await engine.watched()
    assert engine.was_ended.is_set()
    assert engine.watchdog.ended
    assert engine.asked == module.MOST_MISSES


async def test_one_that_is_well_is_asked_only_as_long_as_somebody_waits() -> None:
    engine = Engine(None)
    asked = asyncio.Event()
    engine.on_asked = lambda: asked.set() if engine.asked == 20 else None
    with engine.watchdog.waits():
        await asyncio.wait_for(asked.wait(), PATIENCE_S)
    await engine.watched()
    assert not engine.was_ended.is_set()


async def test_one_that_only_was_slow_to_answer_lives() -> None:
    slow = [STUCK] * (module.MOST_MISSES - 1)
    engine = Engine(*slow, None, *slow, None)
    with engine.watchdog.waits():
        pass
    await engine.watched()
    assert engine.asked == module.MOST_MISSES
    assert not engine.was_ended.is_set()


async def test_one_that_speaks_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 1000.0))
    engine = Engine(STUCK)
    with engine.watchdog.waits():
        engine.watchdog.hears()
        await asyncio.sleep(0.05)
    await engine.watched()
    assert engine.asked == 0
    assert not engine.was_ended.is_set()


async def test_one_that_is_gone_is_not_ended() -> None:
    engine = Engine(BackendGoneError("Nobody listens."))
    with engine.watchdog.waits():
        await engine.watched()
    assert not engine.was_ended.is_set()


async def test_a_backend_that_is_closed_looks_after_nobody() -> None:
    engine = Engine(STUCK)
    with engine.watchdog.waits():
        pass
    await engine.watchdog.aclose()
    assert not engine.was_ended.is_set()
    await Engine(None).watchdog.aclose()
