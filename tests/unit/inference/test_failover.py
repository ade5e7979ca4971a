"""Who is asked, and when one that has failed is tried again, by a clock that stands still."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lsp_server.errors import (
    BackendGoneError,
    BackendKeyError,
    BackendRejectedError,
    BackendUnavailableError,
    ModelNotInstalledError,
    ShardlightError,
)
from lsp_server.inference.failover import Breaker, Failover
from tests.support.engine import PATIENCE_S
from tests.support.time import Time, until


class TestBreaker:
    @pytest.fixture
    def time(self) -> Time:
        return Time()

    @pytest.fixture
    def breaker(self, time: Time) -> Breaker:
        return Breaker(time.clock)

    def test_one_failure_is_forgiven_and_the_second_is_not(self, breaker: Breaker) -> None:
        breaker.failed()
        assert breaker.state == "closed"
        breaker.failed()
        assert (breaker.state, breaker.rest_s) == ("open", 5.0)

    def test_an_answer_between_two_failures_forgives_the_first(self, breaker: Breaker) -> None:
        breaker.failed()
        breaker.succeeded()
        breaker.failed()
        assert breaker.state == "closed"

    def test_nobody_there_is_not_asked_twice(self, breaker: Breaker) -> None:
        breaker.failed(surely=True)
        assert breaker.state == "open"

    def test_a_trial_that_fails_makes_the_rest_longer_to_a_limit(self, breaker: Breaker, time: Time) -> None:
        rests = []
        for _ in range(6):
            breaker.failed(surely=True)
            rests.append(breaker.rest_s)
            time.pass_by(breaker.rest_s)
            assert breaker.state == "half-open"
        assert rests == [5, 10, 20, 40, 60, 60]

    def test_a_trial_that_succeeds_closes_it_as_if_nothing_had_been(self, breaker: Breaker, time: Time) -> None:
        for _ in range(3):
            breaker.failed(surely=True)
        time.pass_by(60)
        breaker.succeeded()
        assert breaker.state == "closed"
        breaker.failed(surely=True)
        assert breaker.rest_s == 5

    def test_one_failure_in_half_open_is_enough(self, breaker: Breaker, time: Time) -> None:
        breaker.failed(surely=True)
        time.pass_by(5)
        breaker.failed()
        assert (breaker.state, breaker.rest_s) == ("open", 10)


class Line:
    """Those who can be attached, by name; what is in ``trouble`` cannot."""

    def __init__(self, *names: str) -> None:
        self.time = Time()
        self.trouble: dict[str, ShardlightError] = {}
        self.tried: list[str] = []
        attaches = [self._attach(name) for name in names]
        self.failover = Failover(attaches, clock=self.time.clock, sleep=self.time.sleep)

    def _attach(self, name: str) -> Callable[[], Awaitable[str]]:
        async def attach() -> str:
            self.tried.append(name)
            if name in self.trouble:
                raise self.trouble[name]
            return name

        return attach


GONE = BackendGoneError("http://a cannot be reached.", hint="Is it running?")


async def test_the_first_that_can_is_taken_and_who_cannot_is_put_aside() -> None:
    line = Line("a", "b", "c")
    line.trouble["a"] = GONE

    found, name = await line.failover.first()
    assert name == "b"
    assert line.failover.trouble_before(found) == "http://a cannot be reached."
    await line.failover.first()

    assert line.tried == ["a", "b", "b"]


async def test_those_that_are_aside_are_tried_before_nobody_is() -> None:
    line = Line("a", "b")
    line.trouble = {"a": GONE, "b": BackendUnavailableError("http://b failed (500).")}
    with pytest.raises(BackendUnavailableError) as failed:
        await line.failover.first()
    assert failed.value.message == "http://a cannot be reached. http://b failed (500)."
    assert failed.value.hint == "Is it running?"

    del line.trouble["a"]
    assert (await line.failover.first())[1] == "a"


@pytest.mark.parametrize(
    ("others", "kind", "words"),
    [
        ([ModelNotInstalledError("The model is not installed.")], BackendGoneError, "http://a cannot be reached."),
        ([BackendRejectedError("b: no.")], BackendUnavailableError, "http://a cannot be reached. b: no."),
    ],
)
async def test_what_is_said_where_nobody_can(
    others: list[ShardlightError], kind: type[ShardlightError], words: str
) -> None:
    line = Line("a", "b")
    line.trouble = {"a": GONE, "b": others[0]}
    with pytest.raises(kind) as failed:
        await line.failover.first()
    assert failed.value.message == words


async def test_servers_that_all_refuse_are_no_passing_trouble() -> None:
    line = Line("a", "b")
    line.trouble = {"a": BackendRejectedError("a: no."), "b": BackendRejectedError("b: no.")}
    with pytest.raises(BackendRejectedError, match=r"a: no\. b: no\."):
        await line.failover.first()


async def test_a_wrong_key_stays_one() -> None:
    line = Line("a")
    line.trouble["a"] = BackendKeyError("http://a refuses the key (401).")
    with pytest.raises(BackendKeyError):
        await line.failover.first()


async def test_the_preferred_one_is_tried_again_until_it_can() -> None:
    line = Line("a", "b")
    line.trouble["a"] = GONE
    standing_in, _ = await line.failover.first()
    better = asyncio.create_task(line.failover.better_than(standing_in))

    await asyncio.wait_for(line.time.somebody_sleeps(), PATIENCE_S)
    line.time.pass_by(4.9)
    await asyncio.sleep(0)
    assert line.tried == ["a", "b"], "not yet"
    line.time.pass_by(0.1)
    await until(lambda: line.tried == ["a", "b", "a"])
    await asyncio.wait_for(line.time.somebody_sleeps(), PATIENCE_S)
    del line.trouble["a"]
    line.time.pass_by(10)

    found, name = await asyncio.wait_for(better, PATIENCE_S)
    assert name == "a"
    assert line.failover.prefers(found)
    assert found.breaker.state == "half-open", "that it can be attached is no answer yet"


async def test_of_several_that_are_preferred_the_first_that_can_comes_back() -> None:
    line = Line("a", "b", "engine")
    line.trouble = {"a": GONE, "b": GONE}
    standing_in, name = await line.failover.first()
    assert name == "engine"
    better = asyncio.create_task(line.failover.better_than(standing_in))
    await asyncio.wait_for(line.time.somebody_sleeps(), PATIENCE_S)
    del line.trouble["b"]
    line.time.pass_by(5)

    assert (await asyncio.wait_for(better, PATIENCE_S))[1] == "b"
    assert line.tried == ["a", "b", "engine", "a", "b"]
