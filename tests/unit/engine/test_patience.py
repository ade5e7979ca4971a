from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lsp_server.engine import runtime
from lsp_server.engine.patience import Patience
from lsp_server.engine.service import Phase

HOUR_S = 3600.0


@dataclass
class Engine:
    """An engine whose model is in use, or was a while ago."""

    path: Path
    idle_s: float = HOUR_S
    phase: Phase = Phase.READY
    busy: int = 0
    unused_s: float = 0.0
    leaving: bool = False
    alone_s: float | None = None

    @property
    def reason(self) -> str:
        """Why it leaves now."""
        now = time.monotonic()
        service = SimpleNamespace(phase=self.phase, busy=self.busy, last_used=now - self.unused_s, leaving=self.leaving)
        leases = SimpleNamespace(ended_at=None if self.alone_s is None else now - self.alone_s)
        patience = Patience(self.idle_s, self.path, STATE)
        return patience.reason_to_leave(cast(Any, service), cast(Any, leases))


STATE = "5:1"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """One whose file is gone, which is no reason."""
    return Engine(tmp_path / "model.gguf")


@pytest.mark.parametrize(
    "state",
    [
        {"unused_s": 0.5 * HOUR_S},
        {"unused_s": 2 * HOUR_S, "busy": 1},
        {"unused_s": 2 * HOUR_S, "idle_s": 0.0},
        {"unused_s": 2 * HOUR_S, "phase": Phase.LOADING},
        {"unused_s": HOUR_S / 60, "alone_s": 10.0},
        {"unused_s": 10.0, "alone_s": HOUR_S / 2},
        {"unused_s": HOUR_S / 2, "alone_s": HOUR_S / 2, "idle_s": 0.0},
        {"leaving": True, "busy": 1},
        {"unused_s": 1.0, "phase": Phase.FAILED},
    ],
    ids=str,
)
def test_it_stays(engine: Engine, state: dict[str, Any]) -> None:
    vars(engine).update(state)
    assert engine.reason == ""


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"unused_s": 2 * HOUR_S}, "Nobody has asked for a while"),
        ({"unused_s": HOUR_S / 2, "alone_s": HOUR_S / 2}, "The last editor is gone"),
        ({"leaving": True}, "Asked to make room"),
        ({"leaving": True, "phase": Phase.LOADING}, "Asked to make room"),
        ({"unused_s": HOUR_S, "phase": Phase.FAILED, "idle_s": 0.0}, "The load failed"),
    ],
    ids=str,
)
def test_it_leaves(engine: Engine, state: dict[str, Any], reason: str) -> None:
    vars(engine).update(state)
    assert engine.reason == reason


def test_a_model_that_is_replaced_is_not_served_any_longer(engine: Engine) -> None:
    engine.path.write_bytes(b"new")
    assert engine.reason == "The model's file was replaced"
    engine.busy = 1
    assert engine.reason == ""


def test_one_that_is_as_it_was_is(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"same")
    service = SimpleNamespace(phase=Phase.READY, busy=0, last_used=time.monotonic(), leaving=False)
    patience = Patience(0.0, path, runtime.state_of(path))
    assert patience.reason_to_leave(cast(Any, service), cast(Any, SimpleNamespace(ended_at=None))) == ""
