from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from lsp_server.engine.generation import Finished, Step, StopReason, Timings
from lsp_server.engine.scheduler import Event, Job, Lane, Priority, Scheduler
from lsp_server.errors import DecodeError, InvalidRequestError

PATIENCE_S = 10.0  # only ever waited for in full by a test that fails


class Probe:
    """A job whose steps the test lets through one by one, and whose events it can read."""

    def __init__(
        self,
        name: str,
        *,
        lane: Lane = Lane.COMPLETION,
        priority: Priority = Priority.ACTION,
        document: str = "",
        steps: int = 1,
        trace: list[str] | None = None,
        gate: threading.Semaphore | None = None,
        error: Exception | None = None,
    ) -> None:
        self.name = name
        self.events: queue.Queue[Event] = queue.Queue()
        self.trace = trace if trace is not None else []
        self.entered = threading.Event()
        self._gate = gate
        self._count = steps
        self._error = error
        self.job = Job(lane, priority, self._steps, self.events.put, document)

    def _steps(self, cancelled: Callable[[], bool]) -> Iterator[Step | Finished]:
        for _ in range(self._count):
            self.entered.set()
            if self._gate:
                assert self._gate.acquire(timeout=PATIENCE_S)
            if cancelled():
                yield Finished(StopReason.CANCELLED, "", Timings())
                return
            self.trace.append(self.name)
            yield Step(self.name)
        if self._error:
            raise self._error
        yield Finished(StopReason.EOS, "", Timings())

    def outcome(self) -> Finished | Exception:
        """The last event, after all steps."""
        while True:
            event = self.events.get(timeout=PATIENCE_S)
            if not isinstance(event, Step):
                return event

    def reason(self) -> StopReason:
        outcome = self.outcome()
        assert isinstance(outcome, Finished)
        return outcome.reason


@pytest.fixture
def gate() -> threading.Semaphore:
    """Closed: steps wait until the test releases them."""
    return threading.Semaphore(0)


@pytest.fixture
def scheduler(gate: threading.Semaphore) -> Iterator[Scheduler]:
    scheduler = Scheduler()
    yield scheduler
    gate.release(1000)
    scheduler.close()
    assert not scheduler._thread.is_alive()


def blocked(scheduler: Scheduler, gate: threading.Semaphore, lane: Lane = Lane.COMPLETION, steps: int = 1) -> Probe:
    """A job that holds the scheduler inside its first step."""
    probe = Probe("blocked", lane=lane, steps=steps, gate=gate)
    scheduler.submit(probe.job)
    assert probe.entered.wait(PATIENCE_S)
    return probe


def test_a_job_emits_its_steps_and_then_its_end(scheduler: Scheduler) -> None:
    probe = Probe("a", steps=2)
    scheduler.submit(probe.job)

    events = [probe.events.get(timeout=PATIENCE_S) for _ in range(3)]

    assert events == [Step("a"), Step("a"), Finished(StopReason.EOS, "", Timings())]
    assert scheduler.busy == 0


def test_waiting_jobs_of_a_lane_run_by_urgency_then_by_age(scheduler: Scheduler, gate: threading.Semaphore) -> None:
    blocked(scheduler, gate)
    trace: list[str] = []
    probes = [
        Probe("background", priority=Priority.BACKGROUND, trace=trace),
        Probe("action", priority=Priority.ACTION, trace=trace),
        Probe("inline", priority=Priority.INLINE, trace=trace),
        Probe("later inline", priority=Priority.INLINE, trace=trace),
    ]
    for probe in probes:
        scheduler.submit(probe.job)
    assert scheduler.busy == 5

    gate.release()

    assert [probe.reason() for probe in probes] == [StopReason.EOS] * 4
    assert trace == ["inline", "later inline", "action", "background"]


def test_between_two_steps_the_more_urgent_lane_goes_first(scheduler: Scheduler, gate: threading.Semaphore) -> None:
    trace: list[str] = []
    assistant = Probe("assistant", lane=Lane.ASSISTANT, steps=3, trace=trace, gate=gate)
    scheduler.submit(assistant.job)
    assert assistant.entered.wait(PATIENCE_S)
    inline = Probe("inline", priority=Priority.INLINE, steps=2, trace=trace)
    scheduler.submit(inline.job)

    gate.release(3)

    assert inline.reason() is StopReason.EOS
    assert assistant.reason() is StopReason.EOS
    assert trace == ["assistant", "inline", "inline", "assistant", "assistant"]


def test_a_newer_inline_job_supersedes_the_running_one_of_its_document(
    scheduler: Scheduler, gate: threading.Semaphore
) -> None:
    older = Probe("older", priority=Priority.INLINE, document="a.py", steps=5, gate=gate)
    scheduler.submit(older.job)
    assert older.entered.wait(PATIENCE_S)
    newer = Probe("newer", priority=Priority.INLINE, document="a.py")
    scheduler.submit(newer.job)

    gate.release()

    assert older.reason() is StopReason.CANCELLED
    assert newer.reason() is StopReason.EOS
    assert older.trace == []


def test_a_newer_inline_job_supersedes_waiting_ones_of_its_document_only(
    scheduler: Scheduler, gate: threading.Semaphore
) -> None:
    blocked(scheduler, gate)
    older = Probe("older", priority=Priority.INLINE, document="a.py")
    other_document = Probe("other", priority=Priority.INLINE, document="b.py")
    no_document = Probe("none", priority=Priority.INLINE)
    action = Probe("action", priority=Priority.ACTION, document="a.py")
    newer = Probe("newer", priority=Priority.INLINE, document="a.py")
    spared = (other_document, no_document, action, newer)
    for probe in (older, *spared, extra := Probe("extra", priority=Priority.INLINE)):
        scheduler.submit(probe.job)

    gate.release()

    assert older.reason() is StopReason.CANCELLED
    assert not older.entered.is_set()
    assert {probe.reason() for probe in (*spared, extra)} == {StopReason.EOS}


def test_a_job_cancelled_while_it_waits_is_answered_and_never_starts(
    scheduler: Scheduler, gate: threading.Semaphore
) -> None:
    blocked(scheduler, gate, steps=2)
    waiting = Probe("waiting")
    scheduler.submit(waiting.job)
    waiting.job.cancel()
    waiting.job.cancel()

    gate.release()  # one step of the running job; the cancelled one is not left waiting for all of it

    assert waiting.reason() is StopReason.CANCELLED
    assert not waiting.entered.is_set()
    assert scheduler.busy == 1


def test_a_running_job_is_told_to_stop(scheduler: Scheduler, gate: threading.Semaphore) -> None:
    running = blocked(scheduler, gate, steps=5)

    running.job.cancel()
    gate.release()

    assert running.reason() is StopReason.CANCELLED
    assert running.trace == []


def test_an_error_of_ours_is_emitted_as_it_is(scheduler: Scheduler) -> None:
    error = InvalidRequestError("The prompt is empty.")
    probe = Probe("a", error=error)
    scheduler.submit(probe.job)

    assert probe.outcome() is error


def test_an_unexpected_error_ends_the_job_and_not_the_thread(scheduler: Scheduler) -> None:
    failing = Probe("failing", error=ZeroDivisionError("by zero"))
    scheduler.submit(failing.job)

    outcome = failing.outcome()
    assert isinstance(outcome, DecodeError)
    assert "by zero" in outcome.message

    after = Probe("after")
    scheduler.submit(after.job)
    assert after.reason() is StopReason.EOS
    assert scheduler.busy == 0


def test_an_error_while_a_job_is_being_made_ends_that_job_only(scheduler: Scheduler) -> None:
    events: queue.Queue[Event] = queue.Queue()

    def no_steps(_cancelled: Callable[[], bool]) -> Iterator[Step | Finished]:
        raise InvalidRequestError("The grammar is not valid.")

    scheduler.submit(Job(Lane.COMPLETION, Priority.ACTION, no_steps, events.put))

    assert isinstance(events.get(timeout=PATIENCE_S), InvalidRequestError)
    after = Probe("after")
    scheduler.submit(after.job)
    assert after.reason() is StopReason.EOS


def test_closing_cancels_what_runs_and_what_waits(gate: threading.Semaphore) -> None:
    scheduler = Scheduler()
    running = blocked(scheduler, gate, steps=5)
    waiting = Probe("waiting")
    scheduler.submit(waiting.job)
    closing = threading.Thread(target=scheduler.close)
    closing.start()

    assert running.job._cancelled.wait(PATIENCE_S)
    gate.release()
    closing.join(PATIENCE_S)

    assert not closing.is_alive()
    assert not scheduler._thread.is_alive()
    assert running.reason() is StopReason.CANCELLED
    assert waiting.reason() is StopReason.CANCELLED
    assert not waiting.entered.is_set()


def test_a_scheduler_with_nothing_to_do_closes_at_once() -> None:
    scheduler = Scheduler()

    scheduler.close()

    assert not scheduler._thread.is_alive()
