from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsp_server.engine import scheduler as module
from lsp_server.engine.evaluation import Evaluation
from lsp_server.engine.generation import Steps
from lsp_server.engine.generation_types import Finished, Step, StopReason, Timings
from lsp_server.engine.lanes import Lane, Priority
from lsp_server.engine.native.context import Part
from lsp_server.engine.pool import SequencePool
from lsp_server.engine.scheduler import BackgroundRule, Event, Job, Scheduler
from lsp_server.engine.sequence import CachedSequence
from lsp_server.errors import DecodeAbortedError, DecodeError, InvalidRequestError
from tests.support.memory import FakeMemory, failing

PATIENCE_S = 10.0  # only ever waited for in full by a test that fails


class GatedMemory(FakeMemory):
    """Writes down who shared each step, and waits in it until the test lets it through."""

    def __init__(self, engine: Engine, n_sequences: int) -> None:
        super().__init__(n_sequences=n_sequences)
        self._engine = engine

    def decode(self, parts: Sequence[Part], *, cancelled: Callable[[], bool] | None = None) -> list[int]:
        engine = self._engine
        engine.entered.release()
        assert engine.gate.acquire(timeout=PATIENCE_S), "somebody has to let this step through"
        engine.clock += engine.seconds_a_step
        rows = super().decode(parts, cancelled=cancelled)
        engine.trace.append("+".join(engine.names[part.tokens[0]] for part in parts))
        return rows


class Engine:
    """A scheduler with a context for each lane, and a gate that its steps pass one by one."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)
        self.trace: list[str] = []
        self.names: list[str] = []
        self.clock = 0.0
        self.seconds_a_step = 0.0
        self.pools: dict[Lane, SequencePool[FakeMemory]] = {}
        self.scheduler: Scheduler

    def start(self, n: int = 1, background: BackgroundRule | None = None) -> Scheduler:
        """The scheduler, with so many sequences in each lane."""
        for lane in Lane:
            self.pools[lane] = SequencePool(GatedMemory(self, n), n, cast(Any, None))
        self.scheduler = Scheduler(lambda lane: len(self.pools[lane].sequences), background)
        return self.scheduler

    def open(self) -> None:
        """Let everything through from now on."""
        self.gate.release(100_000)

    def let(self, n: int) -> None:
        """Let so many steps through, and wait until the next one stands before the gate."""
        for _ in range(n):
            self.gate.release()
            assert self.entered.acquire(timeout=PATIENCE_S)

    def idle(self) -> bool:
        return self.scheduler.running == self.scheduler.waiting == 0


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    engine = Engine()
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: engine.clock))
    yield engine
    engine.open()
    engine.scheduler.close()
    assert not engine.scheduler._thread.is_alive()
    for lane, pool in engine.pools.items():
        assert pool.n_free == len(pool.sequences), f"all of {lane} is given back"
        for sequence in pool.sequences:
            assert sequence.tokens == pool.memory.cells_of(sequence.number)


class Probe:
    """A job that evaluates a prompt in some steps, then writes some tokens; the test can read its events."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        *,
        lane: Lane = Lane.COMPLETION,
        priority: Priority = Priority.ACTION,
        document: str = "",
        prompt: int = 1,
        answer: int = 0,
        error: Exception | None = None,
    ) -> None:
        self.name = name
        self.events: queue.Queue[Event] = queue.Queue()
        self.begun = threading.Event()
        self.threads: set[int] = set()
        self.sequence: CachedSequence[FakeMemory] | None = None
        self._engine = engine
        self._token = len(engine.names)
        engine.names.append(name)
        self._prompt, self._answer, self._error = prompt, answer, error
        self.job = Job(lane, priority, self._steps, self._emit, document)

    def submit(self) -> Probe:
        self._engine.scheduler.submit(self.job)
        return self

    def _emit(self, event: Event) -> None:
        self.threads.add(threading.get_ident())
        self.events.put(event)

    def _steps(self, cancelled: Callable[[], bool]) -> Steps:
        self.begun.set()
        self.threads.add(threading.get_ident())
        pool = self._engine.pools[self.job.lane]
        sequence = self.sequence = pool.take([self._token])
        try:
            sequence.forget()
            yield from self._work(cast(Any, sequence), cancelled)
        finally:
            pool.give_back(sequence)

    def _work(self, sequence: Any, cancelled: Callable[[], bool]) -> Steps:
        end = Finished(StopReason.CANCELLED, "", Timings())
        for _ in range(self._prompt):
            if cancelled():
                yield end
                return
            try:
                yield Evaluation(sequence, [self._token] * 3, 0, cancelled)
            except DecodeAbortedError:
                yield end
                return
            yield Step("prompt")
        for _ in range(self._answer):
            if cancelled():
                yield end
                return
            yield Evaluation(sequence, [self._token], 1)
            yield Step("answer")
        if self._error:
            raise self._error
        yield Finished(StopReason.EOS, "", Timings())

    def outcome(self) -> Finished | Exception:
        """The last event, after all steps."""
        while True:
            event = self.events.get(timeout=PATIENCE_S)
            if not isinstance(event, Step):
                assert self.events.empty()
                return event

    def reason(self) -> StopReason:
        outcome = self.outcome()
        assert isinstance(outcome, Finished), outcome
        return outcome.reason

    def n_evaluated(self) -> int:
        """Tokens of it that were evaluated, each time counted."""
        return sum(
            part.tokens.count(self._token)
            for pool in self._engine.pools.values()
            for parts in pool.memory.decoded
            for part in parts
        )


def blocked(engine: Engine, **more: Any) -> Probe:
    """A job that stands in its first step."""
    probe = Probe(engine, "blocked", **more).submit()
    assert engine.entered.acquire(timeout=PATIENCE_S)
    return probe


def test_a_job_emits_its_steps_and_then_its_end(engine: Engine) -> None:
    engine.start()
    engine.open()
    probe = Probe(engine, "a", prompt=1, answer=1).submit()

    events = [probe.events.get(timeout=PATIENCE_S) for _ in range(3)]

    assert events == [Step("prompt"), Step("answer"), Finished(StopReason.EOS, "", Timings())]
    assert engine.idle()


def test_everything_happens_in_one_thread(engine: Engine) -> None:
    scheduler = engine.start(2)
    engine.open()
    probes = [Probe(engine, name, lane=lane).submit() for name in "ab" for lane in Lane]
    for probe in probes:
        probe.outcome()
    assert {thread for probe in probes for thread in probe.threads} == {scheduler._thread.ident}


class TestOrder:
    def test_inline_before_action_before_background(self, engine: Engine) -> None:
        engine.start()
        blocked(engine)
        order = [Priority.BACKGROUND, Priority.ACTION, Priority.INLINE]
        probes = [Probe(engine, p.name, priority=p).submit() for p in order]
        assert (engine.scheduler.running, engine.scheduler.waiting) == (1, 3)

        engine.open()

        assert [probe.reason() for probe in probes] == [StopReason.EOS] * 3
        assert engine.trace == ["blocked", "INLINE", "ACTION", "BACKGROUND"]

    def test_of_inline_jobs_the_newest_of_others_the_oldest(self, engine: Engine) -> None:
        engine.start()
        blocked(engine)
        probes = [Probe(engine, f"action {i}").submit() for i in (1, 2)]
        probes += [Probe(engine, f"inline {i}", priority=Priority.INLINE).submit() for i in (1, 2, 3)]

        engine.open()

        assert [probe.reason() for probe in probes] == [StopReason.EOS] * 5
        assert engine.trace == ["blocked", "inline 3", "inline 2", "inline 1", "action 1", "action 2"]

    def test_a_long_action_is_interrupted_between_two_steps_and_loses_nothing(self, engine: Engine) -> None:
        engine.start()
        action = blocked(engine, lane=Lane.ASSISTANT, prompt=3, answer=2)
        engine.let(1)
        inline = Probe(engine, "inline", priority=Priority.INLINE, prompt=2, answer=2).submit()

        engine.open()

        assert (inline.reason(), action.reason()) == (StopReason.EOS, StopReason.EOS)
        # The step that stood before the gate already is done first, and none besides.
        assert engine.trace == [*["blocked"] * 2, *["inline"] * 4, *["blocked"] * 3]
        assert action.n_evaluated() == 3 * 3 + 2

    def test_it_is_interrupted_in_its_own_lane_too(self, engine: Engine) -> None:
        engine.start(2)
        action = blocked(engine, prompt=3)
        inline = Probe(engine, "inline", priority=Priority.INLINE, prompt=1, answer=1).submit()

        engine.open()

        assert (inline.reason(), action.reason()) == (StopReason.EOS, StopReason.EOS)
        assert engine.trace == ["blocked", "inline", "inline", "blocked", "blocked"]
        assert action.n_evaluated() == 9

    def test_prompts_take_turns(self, engine: Engine) -> None:
        engine.start(3)
        blocked(engine, lane=Lane.ASSISTANT, prompt=4)
        probes = [Probe(engine, name, lane=Lane.ASSISTANT, prompt=2).submit() for name in "ab"]

        engine.open()

        assert [probe.reason() for probe in probes] == [StopReason.EOS] * 2
        assert engine.trace[:6] == ["blocked", "a", "b", "blocked", "a", "b"]

    def test_a_new_completion_does_not_wait_for_an_older_ones_next_step(self, engine: Engine) -> None:
        engine.start(3)
        older = blocked(engine, priority=Priority.INLINE, document="a.py", prompt=3)
        newer = Probe(engine, "newer", priority=Priority.INLINE, document="b.py", prompt=1).submit()

        engine.open()

        assert (older.reason(), newer.reason()) == (StopReason.EOS, StopReason.EOS)
        assert engine.trace == ["blocked", "newer", "blocked", "blocked"]

    def test_the_lanes_take_turns_as_well(self, engine: Engine) -> None:
        engine.start(1)
        one = blocked(engine, prompt=3)
        other = Probe(engine, "other", lane=Lane.ASSISTANT, prompt=3).submit()

        engine.open()

        assert (one.reason(), other.reason()) == (StopReason.EOS, StopReason.EOS)
        assert engine.trace == ["blocked", "other"] * 3


class TestSharedSteps:
    def test_equally_urgent_answers_in_a_lane_share_each_step(self, engine: Engine) -> None:
        engine.start(3)
        one = blocked(engine, prompt=1, answer=3)
        other = Probe(engine, "other", prompt=1, answer=3).submit()

        engine.open()

        assert (one.reason(), other.reason()) == (StopReason.EOS, StopReason.EOS)
        # The other is heard of after the first step; from then on there are both in each.
        assert engine.trace[0] == "blocked"
        shared = [step for step in engine.trace if "+" in step]
        assert len(shared) >= 2
        memory = engine.pools[Lane.COMPLETION].memory
        assert [len(parts) for parts in memory.decoded].count(2) == len(shared)
        assert one.n_evaluated() == other.n_evaluated() == 3 + 3

    def test_a_prompt_shares_none(self, engine: Engine) -> None:
        engine.start(3)
        one = blocked(engine, prompt=3)
        other = Probe(engine, "other", prompt=1, answer=4).submit()
        engine.open()
        assert (one.reason(), other.reason()) == (StopReason.EOS, StopReason.EOS)
        assert not any("+" in step for step in engine.trace)

    def test_nor_does_what_is_less_urgent(self, engine: Engine) -> None:
        engine.start(3)
        one = blocked(engine, answer=3)
        other = Probe(engine, "other", priority=Priority.INLINE, answer=3).submit()
        engine.open()
        assert (one.reason(), other.reason()) == (StopReason.EOS, StopReason.EOS)
        assert engine.trace == ["blocked", *["other"] * 4, *["blocked"] * 3]

    def test_nor_another_lane(self, engine: Engine) -> None:
        engine.start(3)
        one = blocked(engine, answer=3)
        other = Probe(engine, "other", lane=Lane.ASSISTANT, answer=3).submit()
        engine.open()
        assert (one.reason(), other.reason()) == (StopReason.EOS, StopReason.EOS)
        assert not any("+" in step for step in engine.trace)

    def test_what_was_cancelled_is_not_taken_along(self, engine: Engine) -> None:
        engine.start(3)
        one = blocked(engine, answer=3)
        other = Probe(engine, "other", answer=3).submit()
        engine.let(2)
        other.job.cancel()

        engine.open()

        assert (one.reason(), other.reason()) == (StopReason.EOS, StopReason.CANCELLED)
        assert len([step for step in engine.trace if "+" in step]) <= 1

    def test_an_error_ends_all_that_took_part_and_nobody_else(self, engine: Engine) -> None:
        engine.start(4)
        one = blocked(engine, answer=9)
        other = Probe(engine, "other", answer=9).submit()
        spared = Probe(engine, "spared", prompt=9).submit()
        elsewhere = Probe(engine, "elsewhere", lane=Lane.ASSISTANT, answer=9).submit()
        memory = cast(GatedMemory, engine.pools[Lane.COMPLETION].memory)
        while not engine.trace or "+" not in engine.trace[-1]:
            engine.let(1)
        # Whatever stands before the gate now: the next step that is shared fails.
        decode = memory.decode

        def fail_shared(parts: Sequence[Part], *, cancelled: Callable[[], bool] | None = None) -> list[int]:
            memory.failure = failing() if len(parts) == 2 else None
            return decode(parts, cancelled=cancelled)

        cast(Any, memory).decode = fail_shared
        engine.open()

        outcomes = [one.outcome(), other.outcome()]
        assert all(isinstance(outcome, DecodeError) for outcome in outcomes)
        assert (spared.reason(), elsewhere.reason()) == (StopReason.EOS, StopReason.EOS)
        assert spared.n_evaluated() == 27

    @settings(max_examples=30)
    @given(
        st.integers(1, 4),
        st.lists(
            st.tuples(
                st.sampled_from(Lane), st.sampled_from(Priority), st.integers(0, 4), st.integers(0, 4), st.booleans()
            ),
            min_size=1,
            max_size=8,
        ),
    )
    def test_every_token_is_evaluated_exactly_once(
        self, n: int, jobs: list[tuple[Lane, Priority, int, int, bool]]
    ) -> None:
        engine = Engine()
        scheduler = engine.start(n)
        engine.open()
        probes = [
            Probe(engine, str(i), lane=lane, priority=priority, prompt=prompt, answer=answer)
            for i, (lane, priority, prompt, answer, _) in enumerate(jobs)
        ]
        for probe, (*_, cancel) in zip(probes, jobs, strict=True):
            probe.submit()
            if cancel:
                probe.job.cancel()
        for probe, (_, _, prompt, answer, cancel) in zip(probes, jobs, strict=True):
            reason = probe.reason()
            assert cancel or reason is StopReason.EOS
            if reason is StopReason.EOS:
                assert probe.n_evaluated() == 3 * prompt + answer
        scheduler.close()
        assert not scheduler._thread.is_alive()


class TestSequences:
    def test_as_many_run_at_a_time_as_there_are(self, engine: Engine) -> None:
        engine.start(2)
        blocked(engine, priority=Priority.INLINE, prompt=3)
        probes = [Probe(engine, name, priority=Priority.INLINE, prompt=2).submit() for name in "abc"]
        engine.let(1)

        assert (engine.scheduler.running, engine.scheduler.waiting) == (2, 2)
        engine.open()
        assert [probe.reason() for probe in probes] == [StopReason.EOS] * 3

    def test_one_is_kept_for_what_the_lane_is_there_for(self, engine: Engine) -> None:
        engine.start(2)
        blocked(engine, priority=Priority.ACTION, prompt=4)
        second = Probe(engine, "second", priority=Priority.ACTION).submit()
        engine.let(1)
        assert not second.begun.is_set()

        inline = Probe(engine, "inline", priority=Priority.INLINE).submit()
        engine.let(1)

        assert inline.begun.is_set()
        assert not second.begun.is_set()
        engine.open()
        assert (inline.reason(), second.reason()) == (StopReason.EOS, StopReason.EOS)

    def test_the_assistants_lane_is_there_for_actions(self, engine: Engine) -> None:
        engine.start(2)
        blocked(engine, lane=Lane.ASSISTANT, prompt=4)
        action = Probe(engine, "action", lane=Lane.ASSISTANT).submit()
        background = Probe(engine, "background", lane=Lane.ASSISTANT, priority=Priority.BACKGROUND).submit()
        engine.let(1)

        assert action.begun.is_set()
        assert not background.begun.is_set()
        engine.open()
        assert (action.reason(), background.reason()) == (StopReason.EOS, StopReason.EOS)

    def test_where_there_is_only_one_everybody_may_have_it(self, engine: Engine) -> None:
        engine.start(1)
        engine.open()
        assert Probe(engine, "background", priority=Priority.BACKGROUND).submit().reason() is StopReason.EOS


class TestSuperseding:
    def test_a_newer_inline_job_supersedes_the_running_one_of_its_document(self, engine: Engine) -> None:
        engine.start()
        older = blocked(engine, priority=Priority.INLINE, document="a.py", prompt=5)
        newer = Probe(engine, "newer", priority=Priority.INLINE, document="a.py").submit()

        engine.open()

        assert (older.reason(), newer.reason()) == (StopReason.CANCELLED, StopReason.EOS)
        # The step in which it stood was finished: the newer one goes on from there.
        assert engine.trace == ["blocked", "newer"]

    def test_another_document_does_not_wait_for_a_step_that_was_given_up(self, engine: Engine) -> None:
        engine.start(n=2)
        given_up = blocked(engine, priority=Priority.INLINE, document="a.py", prompt=5)
        other = Probe(engine, "other", priority=Priority.INLINE, document="b.py").submit()
        given_up.job.cancel()

        engine.open()

        assert (given_up.reason(), other.reason()) == (StopReason.CANCELLED, StopReason.EOS)
        assert engine.trace == ["other"]

    def test_and_waiting_ones_of_its_document_but_no_others(self, engine: Engine) -> None:
        engine.start()
        blocked(engine)
        older = Probe(engine, "older", priority=Priority.INLINE, document="a.py")
        other_document = Probe(engine, "other", priority=Priority.INLINE, document="b.py")
        no_document = Probe(engine, "none", priority=Priority.INLINE)
        action = Probe(engine, "action", priority=Priority.ACTION, document="a.py")
        other_lane = Probe(engine, "lane", lane=Lane.ASSISTANT, priority=Priority.INLINE, document="a.py")
        newer = Probe(engine, "newer", priority=Priority.INLINE, document="a.py")
        extra = Probe(engine, "extra", priority=Priority.INLINE)
        spared = (other_document, no_document, action, other_lane, newer, extra)
        for probe in (older, *spared):
            probe.submit()

        engine.open()

        assert older.reason() is StopReason.CANCELLED
        assert not older.begun.is_set()
        assert {probe.reason() for probe in spared} == {StopReason.EOS}

    def test_actions_of_a_document_do_not(self, engine: Engine) -> None:
        engine.start()
        older = blocked(engine, document="a.py", prompt=2)
        newer = Probe(engine, "newer", document="a.py").submit()
        engine.open()
        assert (older.reason(), newer.reason()) == (StopReason.EOS, StopReason.EOS)


class TestCancelling:
    def test_a_job_that_waits_is_answered_before_the_next_step_and_never_begins(self, engine: Engine) -> None:
        engine.start()
        blocked(engine, prompt=3)
        waiting = Probe(engine, "waiting").submit()
        waiting.job.cancel()
        waiting.job.cancel()

        engine.let(1)

        assert waiting.reason() is StopReason.CANCELLED
        assert not waiting.begun.is_set()
        assert engine.scheduler.running == 1

    def test_a_job_that_runs_is_broken_off_within_a_step_of_its_prompt_if_somebody_waits(self, engine: Engine) -> None:
        engine.start()
        running = blocked(engine, prompt=5)
        waiting = Probe(engine, "waiting").submit()

        running.job.cancel()
        engine.open()

        assert (running.reason(), waiting.reason()) == (StopReason.CANCELLED, StopReason.EOS)
        assert engine.trace == ["waiting"]

    def test_and_else_finishes_its_step_which_may_be_of_use(self, engine: Engine) -> None:
        engine.start()
        running = blocked(engine, document="a.py", prompt=5)

        running.job.cancel()
        engine.open()

        assert running.reason() is StopReason.CANCELLED
        assert engine.trace == ["blocked"]

    def test_but_what_is_of_no_document_is_broken_off_at_once(self, engine: Engine) -> None:
        engine.start()
        running = blocked(engine, prompt=5)

        running.job.cancel()
        engine.open()

        assert running.reason() is StopReason.CANCELLED
        assert engine.trace == []

    def test_or_stops_after_a_step_of_its_answer(self, engine: Engine) -> None:
        engine.start()
        running = blocked(engine, answer=5)
        engine.let(1)

        running.job.cancel()
        engine.open()

        assert running.reason() is StopReason.CANCELLED
        assert engine.trace == ["blocked", "blocked"]

    def test_its_sequence_is_free_for_the_next(self, engine: Engine) -> None:
        engine.start()
        running = blocked(engine, prompt=5)
        after = Probe(engine, "after").submit()
        running.job.cancel()
        engine.open()
        assert (running.reason(), after.reason()) == (StopReason.CANCELLED, StopReason.EOS)

    def test_closing_ends_what_runs_and_what_waits(self, engine: Engine) -> None:
        scheduler = engine.start()
        running = blocked(engine, prompt=5)
        elsewhere = Probe(engine, "elsewhere", lane=Lane.ASSISTANT, prompt=5).submit()
        waiting = Probe(engine, "waiting").submit()
        closing = threading.Thread(target=scheduler.close)
        closing.start()

        assert waiting.job._cancelled.wait(PATIENCE_S)
        engine.open()
        closing.join(PATIENCE_S)

        assert not closing.is_alive()
        assert not scheduler._thread.is_alive()
        assert [probe.reason() for probe in (running, elsewhere, waiting)] == [StopReason.CANCELLED] * 3
        assert not waiting.begun.is_set()

    def test_with_nothing_to_do_it_closes_at_once(self, engine: Engine) -> None:
        scheduler = engine.start()
        scheduler.close()
        assert not scheduler._thread.is_alive()


class TestErrors:
    def test_one_of_ours_is_emitted_as_it_is(self, engine: Engine) -> None:
        engine.start()
        engine.open()
        error = InvalidRequestError("The prompt is empty.")
        assert Probe(engine, "a", error=error).submit().outcome() is error

    def test_an_unexpected_one_ends_the_job_and_not_the_thread(self, engine: Engine) -> None:
        engine.start()
        engine.open()
        outcome = Probe(engine, "failing", error=ZeroDivisionError("by zero")).submit().outcome()
        assert isinstance(outcome, DecodeError)
        assert "by zero" in outcome.message

        assert Probe(engine, "after").submit().reason() is StopReason.EOS
        assert engine.idle()

    @pytest.mark.parametrize("error", [failing(), ZeroDivisionError("by zero")])
    def test_so_does_one_within_a_step(self, engine: Engine, error: Exception) -> None:
        engine.start()
        probe = blocked(engine, prompt=3)
        engine.pools[Lane.COMPLETION].memory.failure = error
        engine.open()

        assert isinstance(probe.outcome(), DecodeError)
        assert Probe(engine, "after").submit().reason() is StopReason.EOS

    def test_one_while_a_job_is_being_made_ends_that_job_only(self, engine: Engine) -> None:
        engine.start()
        engine.open()
        events: queue.Queue[Event] = queue.Queue()

        def no_steps(_cancelled: Callable[[], bool]) -> Steps:
            raise InvalidRequestError("The grammar is not valid.")

        engine.scheduler.submit(Job(Lane.COMPLETION, Priority.ACTION, no_steps, events.put))

        assert isinstance(events.get(timeout=PATIENCE_S), InvalidRequestError)
        assert Probe(engine, "after").submit().reason() is StopReason.EOS

    def test_one_of_whoever_listens_gives_the_sequence_back(self, engine: Engine) -> None:
        engine.start()
        engine.open()
        probe = Probe(engine, "a", prompt=3)
        listen = probe.job.emit
        told: list[Event] = []

        def refuse(event: Event) -> None:
            if isinstance(event, Step) and not told:
                told.append(event)
                raise OSError("nobody there")
            listen(event)

        probe.job.emit = refuse
        probe.submit()

        assert isinstance(probe.outcome(), DecodeError)
        assert engine.pools[Lane.COMPLETION].n_free == 1
        assert Probe(engine, "after").submit().reason() is StopReason.EOS


class Pauses:
    """Stands in for the scheduler's waiting with a time limit: the clock goes on, and nobody really waits."""

    def __init__(self, engine: Engine) -> None:
        self.seconds: list[float] = []
        self.interrupted_by: Callable[[], object] | None = None
        self._engine = engine

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        """In the scheduler's thread, which has the lock."""
        if timeout is None:
            threading.Condition.wait(condition, PATIENCE_S)
            return
        self.seconds.append(timeout)
        if interruption := self.interrupted_by:
            self.interrupted_by = None
            interruption()
            return
        self._engine.clock += timeout


@pytest.fixture
def pauses(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Pauses:
    pauses = Pauses(engine)

    class Condition(threading.Condition):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.wait(self, timeout)
            return True

    fake = SimpleNamespace(Condition=Condition, Thread=threading.Thread, Event=threading.Event)
    monkeypatch.setattr(module, "threading", fake)
    return pauses


class TestBackground:
    @pytest.mark.parametrize(("share", "pause"), [(1.0, None), (0.5, 2.0), (0.25, 6.0), (0.8, 0.5)])
    def test_pauses_are_in_proportion_to_its_steps(
        self, engine: Engine, pauses: Pauses, share: float, pause: float | None
    ) -> None:
        engine.start(background=BackgroundRule(share))
        engine.seconds_a_step = 2.0
        engine.open()

        assert Probe(engine, "b", priority=Priority.BACKGROUND, prompt=2, answer=2).submit().reason() is StopReason.EOS

        assert pauses.seconds == pytest.approx([pause] * 3 if pause else [])

    def test_nobody_else_makes_any(self, engine: Engine, pauses: Pauses) -> None:
        engine.start(background=BackgroundRule(0.1))
        engine.seconds_a_step = 2.0
        engine.open()
        for priority in (Priority.INLINE, Priority.ACTION):
            assert Probe(engine, "a", priority=priority, prompt=3).submit().reason() is StopReason.EOS
        assert pauses.seconds == []

    def test_the_next_one_waits_for_the_end_of_the_last_ones_pause(self, engine: Engine, pauses: Pauses) -> None:
        engine.start(background=BackgroundRule(0.5))
        engine.seconds_a_step = 2.0
        engine.open()
        for name in "ab":
            assert Probe(engine, name, priority=Priority.BACKGROUND).submit().reason() is StopReason.EOS
        assert pauses.seconds == [2.0]

    def test_an_action_that_comes_in_a_pause_runs_at_once(self, engine: Engine, pauses: Pauses) -> None:
        engine.start(2, BackgroundRule(0.5))
        engine.seconds_a_step = 2.0
        action = Probe(engine, "action", lane=Lane.ASSISTANT, prompt=2)
        pauses.interrupted_by = action.submit
        engine.open()

        background = Probe(engine, "background", lane=Lane.ASSISTANT, priority=Priority.BACKGROUND, prompt=2).submit()

        assert (action.reason(), background.reason()) == (StopReason.EOS, StopReason.EOS)
        assert engine.trace == ["background", "action", "action", "background"]
        # While it ran the pause went by.
        assert pauses.seconds == [2.0]

    def test_where_it_is_not_allowed_it_ends_as_if_cancelled(self, engine: Engine) -> None:
        engine.start(background=BackgroundRule(allowed=lambda: False))
        engine.open()
        background = Probe(engine, "background", priority=Priority.BACKGROUND).submit()
        assert background.reason() is StopReason.CANCELLED
        assert background.n_evaluated() == 0
        assert Probe(engine, "action").submit().reason() is StopReason.EOS

    def test_that_is_asked_before_each_step(self, engine: Engine) -> None:
        allowed = [True, True, False]
        engine.start(background=BackgroundRule(allowed=lambda: allowed.pop(0) if allowed else False))
        engine.open()
        background = Probe(engine, "background", priority=Priority.BACKGROUND, prompt=5).submit()
        assert background.reason() is StopReason.CANCELLED
        assert background.n_evaluated() <= 2 * 3

    def test_one_that_is_cancelled_in_its_pause_makes_no_other_step(self, engine: Engine, pauses: Pauses) -> None:
        engine.start(background=BackgroundRule(0.01))
        engine.seconds_a_step = 2.0
        background = Probe(engine, "background", priority=Priority.BACKGROUND, prompt=5)
        pauses.interrupted_by = background.job.cancel
        engine.open()
        background.submit()

        assert background.reason() is StopReason.CANCELLED
        assert pauses.seconds == [pytest.approx(198.0)]
        assert background.n_evaluated() == 3

    def test_closing_ends_one_in_its_pause(self, engine: Engine, pauses: Pauses) -> None:
        scheduler = engine.start(background=BackgroundRule(0.01))
        engine.seconds_a_step = 2.0
        background = Probe(engine, "background", priority=Priority.BACKGROUND, prompt=5)
        closing = threading.Thread(target=scheduler.close)

        def close() -> None:
            closing.start()
            # It needs the lock, which waiting gives away.
            threading.Condition.wait(scheduler._changed, PATIENCE_S)

        pauses.interrupted_by = close
        engine.open()
        background.submit()

        assert background.reason() is StopReason.CANCELLED
        closing.join(PATIENCE_S)
        assert not closing.is_alive()


def test_whatever_goes_wrong_in_the_thread_itself_ends_those_who_wait_and_not_the_thread() -> None:
    troubles = [ZeroDivisionError("a defect of ours")]

    def n_sequences(_lane: Lane) -> int:
        if troubles:
            raise troubles.pop()
        return 1

    events: queue.Queue[Event] = queue.Queue()
    ended = Finished(StopReason.EOS, "", Timings())
    scheduler = Scheduler(n_sequences)
    for _ in range(2):
        scheduler.submit(Job(Lane.COMPLETION, Priority.ACTION, lambda _stop: (e for e in [ended]), events.put))
        outcome = events.get(timeout=PATIENCE_S)
        assert isinstance(outcome, DecodeError) or outcome is ended

    assert outcome is ended
    assert scheduler.close()


def test_a_job_that_comes_too_late_is_answered() -> None:
    events: queue.Queue[Event] = queue.Queue()
    scheduler = Scheduler(lambda _lane: 1)
    scheduler.close()

    scheduler.submit(Job(Lane.COMPLETION, Priority.ACTION, lambda _stop: (e for e in ()), events.put))

    assert events.get(timeout=PATIENCE_S) == Finished(StopReason.CANCELLED, "", Timings())


def test_a_step_that_ends_or_is_asked_whether_to_go_on_gives_a_sign_of_life(engine: Engine) -> None:
    scheduler = engine.start()
    beats: list[str] = []
    for name in ("begin", "beat", "end"):
        real = getattr(scheduler.heartbeat, name)
        setattr(scheduler.heartbeat, name, lambda name=name, real=real: (beats.append(name), real()))
    asks: list[bool] = []
    memory = engine.pools[Lane.COMPLETION].memory
    decode = memory.decode

    def decoding(parts: Sequence[Part], *, cancelled: Callable[[], bool] | None = None) -> list[int]:
        assert cancelled
        beats.clear()
        asks.extend(cancelled() for _ in range(3))
        assert beats.count("beat") == 3
        return decode(parts, cancelled=cancelled)

    memory.decode = decoding  # type: ignore[method-assign]
    engine.open()
    assert Probe(engine, "a").submit().reason() is StopReason.EOS
    assert asks == [False] * 3
    assert scheduler.heartbeat.stuck_s == 0
