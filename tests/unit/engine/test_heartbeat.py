from __future__ import annotations

import pytest

from lsp_server.engine.heartbeat import Heartbeat


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heart(clock: Clock) -> Heartbeat:
    return Heartbeat(clock)


def test_who_does_nothing_is_not_stuck(heart: Heartbeat, clock: Clock) -> None:
    clock.now += 1e6
    assert heart.stuck_s == 0
    heart.begin()
    heart.end()
    clock.now += 1e6
    assert heart.stuck_s == 0


def test_work_without_a_sign_of_life_has_stopped_after_two_minutes(heart: Heartbeat, clock: Clock) -> None:
    heart.begin()
    clock.now += 119
    assert heart.stuck_s == 0
    clock.now += 2
    assert heart.stuck_s == 121


def test_work_that_takes_an_hour_and_gives_signs_of_life_goes_on(heart: Heartbeat, clock: Clock) -> None:
    heart.begin()
    for _ in range(60):
        clock.now += 60
        assert heart.stuck_s == 0
        heart.beat()


def test_who_was_slow_before_has_longer(heart: Heartbeat, clock: Clock) -> None:
    heart.begin()
    clock.now += 100
    heart.end()
    heart.begin()
    clock.now += 999
    assert heart.stuck_s == 0
    clock.now += 2
    assert heart.stuck_s == 1001


def test_a_machine_that_slept_for_a_night_is_not_waited_for_for_days(heart: Heartbeat, clock: Clock) -> None:
    heart.begin()
    clock.now += 8 * 3600
    heart.end()
    assert heart.bound_s == 1800
    heart.begin()
    clock.now += 1801
    assert heart.stuck_s == 1801
