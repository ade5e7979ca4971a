from __future__ import annotations

from lsp_server.server.inline.rhythm import Rhythm


def typing(gap: float, keys: int = 30) -> Rhythm:
    rhythm = Rhythm()
    for key in range(keys):
        rhythm.key(key * gap)
    return rhythm


def test_at_first_only_the_least_is_waited_for() -> None:
    assert Rhythm().pause(0.02) == 0.02
    assert typing(0.2).pause(0.02) == 0.02


def test_a_fast_model_is_asked_soon() -> None:
    rhythm = typing(0.2)
    rhythm.answered(0.08)
    assert rhythm.pause(0.0) == 0.02


def test_for_a_slow_model_half_a_gap_is_waited_for() -> None:
    rhythm = typing(0.2)
    rhythm.answered(2.0)
    assert 0.099 < rhythm.pause(0.0) < 0.101


def test_nobody_waits_long() -> None:
    rhythm = typing(0.9)
    rhythm.answered(20.0)
    assert rhythm.pause(0.0) == 0.15
    assert rhythm.pause(0.3) == 0.3


def test_a_pause_for_thought_is_no_rhythm() -> None:
    rhythm = typing(0.1)
    rhythm.answered(2.0)
    before = rhythm.pause(0.0)
    rhythm.key(1000.0)
    assert rhythm.pause(0.0) == before


def test_it_follows_the_typist() -> None:
    rhythm = typing(0.2)
    rhythm.answered(2.0)
    slow = rhythm.pause(0.0)
    for key in range(30):
        rhythm.key(100 + key * 0.05)
    assert rhythm.pause(0.0) < slow / 2
