"""Whose step comes next: one thread that advances the running generations, the most urgent first.

There are two lanes, completion and assistant, each with a context of its own, so that a suggestion never throws out
a long answer's cache. In each lane one job runs at a time; between any two steps the more urgent lane goes first.
"""

from __future__ import annotations

import enum
import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lsp_server.engine.generation import Finished, Step, StopReason, Timings
from lsp_server.errors import DecodeError, ShardlightError

logger = logging.getLogger(__name__)


class Lane(str, enum.Enum):
    """Which context a job runs in."""

    COMPLETION = "completion"
    ASSISTANT = "assistant"


class Priority(enum.IntEnum):
    """Urgency; lower goes first."""

    INLINE = 0
    ACTION = 1
    BACKGROUND = 2


Event = Step | Finished | ShardlightError


@dataclass(slots=True)
class Job:
    """One generation that waits or runs.

    Attributes:
        steps: makes the generation's iterator; called in the scheduler's thread when the job's turn comes.
        emit: receives each event, called in the scheduler's thread; ``Finished`` or an error comes last, once.
        document: jobs of the same document and lane supersede each other when inline.
    """

    lane: Lane
    priority: Priority
    steps: Callable[[Callable[[], bool]], Iterator[Step | Finished]]
    emit: Callable[[Event], None]
    document: str = ""
    _cancelled: threading.Event = field(default_factory=threading.Event)
    _running: Iterator[Step | Finished] | None = None
    _number: int = 0

    def cancel(self) -> None:
        """Stop before the next step, or within one that can be broken off. Safe from any thread, more than once."""
        self._cancelled.set()

    @property
    def order(self) -> tuple[int, int]:
        """Sort key: urgency, then age."""
        return (int(self.priority), self._number)


class Scheduler:
    """Runs jobs on one thread until closed."""

    def __init__(self) -> None:
        self._waiting: list[Job] = []
        self._active: dict[Lane, Job] = {}
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job; an inline one supersedes older inline ones of the same document."""
        with self._changed:
            if job.priority is Priority.INLINE and job.document:
                for other in [*self._waiting, *self._active.values()]:
                    if (other.lane, other.priority, other.document) == (job.lane, job.priority, job.document):
                        other.cancel()
            job._number = next(self._numbers)
            self._waiting.append(job)
            self._changed.notify()

    def close(self) -> None:
        """Cancel everything and end the thread."""
        with self._changed:
            self._closed = True
            for job in [*self._waiting, *self._active.values()]:
                job.cancel()
            self._changed.notify()
        self._thread.join(timeout=10)

    @property
    def busy(self) -> int:
        """Jobs that run or wait."""
        with self._changed:
            return len(self._waiting) + len(self._active)

    def _run(self) -> None:
        while (job := self._next()) is not None:
            self._advance(job)

    def _next(self) -> Job | None:
        """The most urgent active job, after filling free lanes; waits if there is none. None when closed and empty."""
        with self._changed:
            while True:
                self._drop_cancelled()
                for job in sorted(self._waiting, key=lambda j: j.order):
                    if job.lane not in self._active:
                        self._active[job.lane] = job
                        self._waiting.remove(job)
                if self._active:
                    return min(self._active.values(), key=lambda j: j.order)
                if self._closed:
                    return None
                self._changed.wait()

    def _drop_cancelled(self) -> None:
        """Answer waiting jobs that were cancelled; they must not touch a cache, nor wait for their turn."""
        for job in [j for j in self._waiting if j._cancelled.is_set()]:
            self._waiting.remove(job)
            job.emit(Finished(StopReason.CANCELLED, "", Timings()))

    def _advance(self, job: Job) -> None:
        event: Event
        try:
            if job._running is None:
                job._running = job.steps(job._cancelled.is_set)
            event = next(job._running)
        except ShardlightError as error:
            event = error
        except Exception as error:
            logger.exception("A generation failed unexpectedly")
            event = DecodeError(f"The engine failed: {error}", hint="Its log has the details.")
        if not isinstance(event, Step):
            with self._changed:
                del self._active[job.lane]
        job.emit(event)
