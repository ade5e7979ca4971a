from __future__ import annotations

import pytest

from lsp_server.inference.backend import Timings
from lsp_server.server.inline.pace import Pace


def test_before_anything_was_seen_all_is_allowed() -> None:
    assert Pace().effort(96).max_tokens == 96
    assert Pace().reading is None


def test_a_slow_writer_writes_less() -> None:
    pace = Pace()
    pace.seen(Timings(predicted_tokens=20, predicted_per_second=10.0))
    assert pace.effort(96).max_tokens == 30
    assert pace.effort(8).max_tokens == 8


def test_but_a_line_is_always_allowed() -> None:
    pace = Pace()
    pace.seen(Timings(predicted_tokens=20, predicted_per_second=0.5))
    assert pace.effort(96).max_tokens == 24


def test_how_fast_it_reads() -> None:
    pace = Pace()
    pace.seen(Timings(prompt_tokens=1500, reused_tokens=500, prompt_ms=4000.0))
    assert pace.reading == pytest.approx(250.0)
    pace.seen(Timings(prompt_tokens=1500, reused_tokens=500, prompt_ms=2000.0))
    assert pace.reading == pytest.approx(325.0)


def test_a_few_tokens_say_nothing() -> None:
    pace = Pace()
    pace.seen(
        Timings(prompt_tokens=1500, reused_tokens=1499, prompt_ms=30.0, predicted_tokens=1, predicted_per_second=3)
    )
    assert pace.reading is None
    assert pace.writing is None
