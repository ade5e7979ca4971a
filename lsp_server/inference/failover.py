"""Several who can answer for a role: who is asked, and when one that has failed is tried again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from lsp_server.errors import BackendError, BackendRejectedError, BackendUnavailableError, ModelError, ShardlightError

T = TypeVar("T")

# One broken answer may be an old connection's; the second one in a row is the server's own fault.
_MOST_FAILURES = 2
# How long one that has failed is left alone, in seconds: first, and at most. It doubles with each trial that fails.
_FIRST_REST_S, _LONGEST_REST_S = 5.0, 60.0


class Breaker:
    """A circuit breaker: whether somebody is asked who may have failed.

    ``closed``: yes. ``open``: no, for a while. ``half-open``: that while is over, and how a trial ends decides.
    Source: Nygard, Release It! (2007), chapter 5.2.

    Args:
        clock: seconds that never go back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures = 0
        self._rest_s = 0.0
        self._until: float | None = None

    @property
    def state(self) -> Literal["closed", "open", "half-open"]:
        """Where it stands."""
        if self._until is None:
            return "closed"
        return "open" if self.rest_s > 0 else "half-open"

    @property
    def rest_s(self) -> float:
        """How long nobody should be asked yet, in seconds."""
        return 0.0 if self._until is None else max(self._until - self._clock(), 0.0)

    def succeeded(self) -> None:
        """An answer came."""
        self._failures, self._rest_s, self._until = 0, 0.0, None

    def failed(self, *, surely: bool = False) -> None:
        """No answer came.

        Args:
            surely: nobody is there, or a trial has failed: it need not happen twice.
        """
        self._failures += 1
        if surely or self._until is not None or self._failures >= _MOST_FAILURES:
            self._rest_s = min(self._rest_s * 2, _LONGEST_REST_S) or _FIRST_REST_S
            self._until = self._clock() + self._rest_s


@dataclass
class Candidate(Generic[T]):
    """Somebody who can answer.

    Attributes:
        attach: has it ready; raises ShardlightError.
        trouble: what was wrong with it last, for people.
    """

    attach: Callable[[], Awaitable[T]]
    breaker: Breaker
    trouble: str = field(default="", init=False)

    async def attached(self) -> T:
        """What ``attach`` gives; a failure puts it aside."""
        # One that can be attached need not answer: only an answer makes it a good one again.
        try:
            return await self.attach()
        except ShardlightError as error:
            self.failed(error, surely=True)
            raise

    def failed(self, error: ShardlightError, *, surely: bool = False) -> None:
        """It could not be attached, or did not answer."""
        self.trouble = error.message
        self.breaker.failed(surely=surely)


class Failover(Generic[T]):
    """Those who can answer, in the order in which they are preferred.

    Args:
        clock, sleep: of the same time, in seconds.
    """

    def __init__(
        self,
        attaches: Sequence[Callable[[], Awaitable[T]]],
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._candidates = [Candidate(attach, Breaker(clock)) for attach in attaches]
        self._sleep = sleep

    def __len__(self) -> int:
        return len(self._candidates)

    def prefers(self, candidate: Candidate[T]) -> bool:
        """Whether nobody is preferred to it."""
        return candidate is self._candidates[0]

    def trouble_before(self, candidate: Candidate[T]) -> str:
        """What is wrong with the preferred one, for people; empty if that is the one."""
        return "" if self.prefers(candidate) else self._candidates[0].trouble

    async def first(self) -> tuple[Candidate[T], T]:
        """The first that can be attached. Those that are put aside are only tried if there is nobody else.

        Raises:
            ShardlightError: none can; what is wrong with each is said.
        """
        errors = []
        for candidate in sorted(self._candidates, key=lambda one: one.breaker.state == "open"):
            try:
                return candidate, await candidate.attached()
            except ShardlightError as error:
                errors.append(error)
        raise _all_of(errors)

    async def better_than(self, answering: Candidate[T]) -> tuple[Candidate[T], T]:
        """Wait until one who is preferred can be attached again. There has to be one."""
        preferred = self._candidates[: self._candidates.index(answering)]
        while True:
            await self._sleep(min(one.breaker.rest_s for one in preferred))
            for candidate in preferred:
                if candidate.breaker.state != "open":
                    try:
                        return candidate, await candidate.attached()
                    except ShardlightError:
                        continue


def _all_of(errors: Sequence[ShardlightError]) -> ShardlightError:
    """One error for several. That no model is here to stand in for a server need not be said."""
    told = [error for error in errors if not isinstance(error, ModelError)] or errors
    if len(told) == 1:
        return told[0]
    passing = any(not isinstance(error, BackendRejectedError) for error in told)
    kind: type[BackendError] = BackendUnavailableError if passing else BackendRejectedError
    return kind(" ".join(error.message for error in told), hint=told[0].hint)
