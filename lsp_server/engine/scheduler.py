"""Whose step comes next: one thread that advances the running generations, the most urgent first.

There are two lanes, completion and assistant, each with a context of its own, so that a suggestion never throws out
a long answer's cache. In each lane as many jobs run as its context has sequences. Between any two steps the more urgent
jobs go first; of equally urgent ones in a lane, those that write their answers share one step.
"""

from __future__ import annotations

import functools
import itertools
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lsp_server.engine.evaluation import Evaluation, evaluate
from lsp_server.engine.generation import Steps
from lsp_server.engine.generation_types import Event as GenerationEvent
from lsp_server.engine.generation_types import Finished, StopReason, Timings
from lsp_server.engine.heartbeat import Heartbeat
from lsp_server.engine.lanes import Lane, Priority
from lsp_server.errors import DecodeAbortedError, DecodeError, ShardlightError

logger = logging.getLogger(__name__)


Event = GenerationEvent | ShardlightError


@dataclass(slots=True, eq=False)
class Job:
    """One generation that waits or runs.

    Attributes:
        begin: makes the generation; called in the scheduler's thread when the job's turn comes.
        emit: receives each event, called in the scheduler's thread; ``Finished`` or an error comes last, once.
        document: a suggestion, or what is read ahead for one, is superseded by the next of its document and lane.
    """

    lane: Lane
    priority: Priority
    begin: Callable[[Callable[[], bool]], Steps]
    emit: Callable[[Event], None]
    document: str = ""
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _wake: Callable[[], None] = lambda: None
    _steps: Steps | None = None
    _wanted: Evaluation | None = None
    _number: int = 0
    _last_step: int = 0

    def cancel(self) -> None:
        """Stop before the next step, or within one that can be broken off. Safe from any thread, more than once."""
        self._cancelled.set()
        self._wake()

    @property
    def order(self) -> tuple[int, int]:
        """Sort key of what waits: urgency, then age; of completions the newest, for that is where somebody types."""
        return (int(self.priority), -self._number if self.priority is Priority.INLINE else self._number)

    @property
    def turn(self) -> tuple[bool, int, int, int]:
        """Sort key of what runs: urgency, then who waited longest.

        What was cancelled goes first: it takes no time, and its successor wants its sequence.
        """
        return (not self._cancelled.is_set(), int(self.priority), self._last_step, self.order[1])

    def supersedes(self, other: Job) -> bool:
        """Whether another job is of no use once this one is asked for."""
        same = bool(self.document) and (self.document, self.lane) == (other.document, other.lane)
        return same and self.priority <= other.priority and Priority.ACTION not in (self.priority, other.priority)


@dataclass(frozen=True, slots=True)
class BackgroundRule:
    """What work that nobody waits for may take.

    Attributes:
        share: of the time, more than 0, at most 1.
        allowed: whether it may run now at all (asked at each step); where not, it ends as if cancelled.
    """

    share: float = 1.0
    allowed: Callable[[], bool] = lambda: True


class Scheduler:
    """Runs jobs on one thread until closed.

    Args:
        n_sequences: how many jobs of a lane can run at a time.

    Attributes:
        heartbeat: of its steps; what they wait for in between is none.
    """

    def __init__(self, n_sequences: Callable[[Lane], int], background: BackgroundRule | None = None) -> None:
        self.heartbeat = Heartbeat()
        self._n_sequences = n_sequences
        self._background = background or BackgroundRule()
        self._background_from = 0.0
        self._waiting: list[Job] = []
        self._active: list[Job] = []
        self._numbers = itertools.count(1)
        self._n_steps = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job; it cancels those that it supersedes."""
        with self._changed:
            if self._closed:
                job.emit(Finished(StopReason.CANCELLED, "", Timings()))
                return
            for other in [*self._waiting, *self._active]:
                if job.supersedes(other):
                    other.cancel()
            job._number = next(self._numbers)
            job._wake = self._notify
            self._waiting.append(job)
            self._changed.notify()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify()

    def close(self) -> bool:
        """Cancel everything and end the thread; whether it has ended, which a step may take its time to."""
        with self._changed:
            self._closed = True
            for job in [*self._waiting, *self._active]:
                job.cancel()
            self._changed.notify()
        self._thread.join(timeout=10)
        return not self._thread.is_alive()

    @property
    def running(self) -> int:
        """Generations that have a sequence."""
        with self._changed:
            return len(self._active)

    @property
    def waiting(self) -> int:
        """Generations that wait for one."""
        with self._changed:
            return len(self._waiting)

    def _run(self) -> None:
        while True:
            try:
                while jobs := self._next():
                    self.heartbeat.begin()
                    self._step(jobs)
                    self.heartbeat.end()
                return
            except Exception as unexpected:
                self.heartbeat.end()
                # Whatever it was: who waits for this thread would wait for ever.
                self._give_up(_failure(unexpected))

    def _give_up(self, error: DecodeError) -> None:
        """End all jobs with an error."""
        with self._changed:
            jobs, self._active, self._waiting = [*self._active, *self._waiting], [], []
        for job in jobs:
            if job._steps is not None:
                job._steps.close()
            job.emit(error)

    def _next(self) -> list[Job]:
        """Who makes the next step together; waits while there is nobody. Empty when closed and done."""
        with self._changed:
            while True:
                self._drop_cancelled()
                self._admit()
                pause = None
                if self._active:
                    first = min(self._active, key=lambda job: job.turn)
                    pause = self._background_pause(first)
                    if not pause:
                        return [first, *self._companions(first)]
                elif self._closed:
                    return []
                self._changed.wait(pause)

    def _drop_cancelled(self) -> None:
        """Answer waiting jobs that were cancelled; they must not touch a cache, nor wait for their turn."""
        for job in [j for j in self._waiting if j._cancelled.is_set()]:
            self._waiting.remove(job)
            job.emit(Finished(StopReason.CANCELLED, "", Timings()))

    def _admit(self) -> None:
        for job in sorted(self._waiting, key=lambda j: j.order):
            n, running = self._n_sequences(job.lane), sum(j.lane is job.lane for j in self._active)
            reserved = 1 if n > 1 and job.priority > job.lane.priority else 0
            if running < n - reserved:
                self._waiting.remove(job)
                self._active.append(job)
                continue
            # Somebody waits for this one, and nobody for those.
            for other in self._active:
                if other.lane is job.lane and job.priority < other.priority is Priority.BACKGROUND:
                    other.cancel()

    def _companions(self, first: Job) -> list[Job]:
        """Others that can share the next step of a job: as urgent, in the same context, each with a single token."""
        if not _is_single(first):
            return []
        alike = (j for j in self._active if (j.lane, j.priority) == (first.lane, first.priority))
        return [job for job in alike if job is not first and _is_single(job)]

    def _background_pause(self, job: Job) -> float | None:
        """Seconds that a job has to wait because nobody waits for it; None for none."""
        if job.priority is not Priority.BACKGROUND or job._cancelled.is_set():
            return None
        if not self._background.allowed():
            job.cancel()
            return None
        pause = self._background_from - time.monotonic()
        return pause if pause > 0 else None

    def _step(self, jobs: Sequence[Job]) -> None:
        """Do what they want, then let each go on until it wants something again."""
        self._n_steps += 1
        began = time.monotonic()
        error: ShardlightError | None = None
        try:
            if jobs[0]._cancelled.is_set():
                jobs = jobs[:1]
                raise DecodeAbortedError("The generation was cancelled.")
            if wanted := [job._wanted for job in jobs if job._wanted]:
                if wanted[0].cancelled:
                    wanted[0].cancelled = functools.partial(self._in_the_way, jobs[0])
                evaluate(wanted)
        except ShardlightError as raised:
            error = raised
        except Exception as unexpected:
            error = _failure(unexpected)
        for job in jobs:
            # To begin is no turn: the newest completion's first step does not wait for an older one's.
            if job._wanted:
                job._last_step = self._n_steps
            self._go_on(job, error)
        if jobs[0].priority is Priority.BACKGROUND:
            now = time.monotonic()
            self._background_from = now + (now - began) * (1 / self._background.share - 1)

    def _in_the_way(self, job: Job) -> bool:
        """Whether a cancelled job's step is for nobody, or keeps somebody waiting who will not go on from there.

        The next keystroke will: were each one's step broken off by the next, a long prompt would get nowhere until the
        typing stops. And where nobody waits, what is finished may be of use to it. What is of no document, such as an
        action, has no next keystroke: whoever cancels it wants a machine that rests.
        """
        self.heartbeat.beat()
        if self._closed or not job._cancelled.is_set():
            return self._closed
        if not job.document:
            return True
        others = (other for other in (*self._waiting, *self._active) if other is not job)
        return any(other.document != job.document for other in others)

    def _go_on(self, job: Job, error: ShardlightError | None) -> None:
        last: Event | None = None
        try:
            event: Evaluation | GenerationEvent = Finished(StopReason.CANCELLED, "", Timings())
            if job._steps is not None:
                event = job._steps.throw(error) if error else next(job._steps)
            elif not job._cancelled.is_set():
                job._steps = job.begin(job._cancelled.is_set)
                event = next(job._steps)
            while job._steps and not isinstance(event, Evaluation | Finished):
                job.emit(event)
                event = next(job._steps)
            if isinstance(event, Evaluation):
                job._wanted = event
                return
            last = event
        except ShardlightError as raised:
            last = raised
        except Exception as unexpected:
            last = _failure(unexpected)
        # Its end gives the sequence back, before the next job may look for one.
        if job._steps is not None:
            job._steps.close()
        with self._changed:
            self._active.remove(job)
        job.emit(last)


def _is_single(job: Job) -> bool:
    return job._wanted is not None and job._wanted.is_single and not job._cancelled.is_set()


def _failure(error: Exception) -> DecodeError:
    logger.error("A generation failed unexpectedly", exc_info=error)
    return DecodeError(f"The engine failed: {error}", hint="Its log has the details.")
