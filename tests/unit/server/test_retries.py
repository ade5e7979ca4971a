from __future__ import annotations

import time

import pytest

from lsp_server.errors import BackendKeyError, BackendUnavailableError, EngineStartError, UnknownModelError
from lsp_server.server.retries import MOST_TRIES, Retries

CRASHED = EngineStartError("It crashes.", hint="It rests for 30 minutes.")


class Clock:
    now = 1000.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def test_it_rests_longer_each_time_and_then_for_ever(clock: Clock) -> None:
    retries, rests = Retries(), []
    while retries.failed("completion", CRASHED):
        began = clock.now
        while retries.rests("completion"):
            clock.now += 1
        rests.append(clock.now - began)
    assert rests == [30, 60, 90]
    assert not retries.rests("assistant")


def test_another_reason_is_news_and_begins_anew(clock: Clock) -> None:
    retries = Retries()
    assert retries.is_news("completion", CRASHED)
    assert retries.failed("completion", CRASHED)
    assert not retries.is_news("completion", EngineStartError("It crashes.", hint="It rests for 29 minutes."))
    retries.failed("completion", CRASHED)
    other = EngineStartError("The disk is full.")
    assert retries.is_news("completion", other)
    retries.failed("completion", other)
    clock.now += 30
    assert not retries.rests("completion")


@pytest.mark.parametrize(
    ("error", "is_given_up"),
    [
        (BackendUnavailableError("http://gpu.example cannot be reached."), False),
        (BackendKeyError("http://gpu.example refuses the key."), True),
        (CRASHED, True),
    ],
)
def test_what_is_given_up(error: BackendUnavailableError, is_given_up: bool) -> None:
    retries = Retries()
    again = [retries.failed("completion", error) for _ in range(2 * MOST_TRIES)]
    assert again == [True] * (MOST_TRIES - 1) + [not is_given_up] * (MOST_TRIES + 1)


def test_what_no_time_mends_is_not_tried_again() -> None:
    retries = Retries()
    assert not retries.failed("completion", UnknownModelError("There is no model x."))
    assert not retries.rests("completion")


def test_success_and_other_settings_end_a_rest() -> None:
    retries = Retries()
    for end in (lambda: retries.succeeded("completion"), retries.clear):
        retries.failed("completion", CRASHED)
        assert retries.rests("completion")
        end()
        assert not retries.rests("completion")
