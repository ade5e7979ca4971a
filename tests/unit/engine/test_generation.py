from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

import pytest

from lsp_server.engine import generation
from lsp_server.engine.generation import Finished, GenerationRequest, Step, StopReason, generate
from lsp_server.engine.sequence import CachedSequence
from lsp_server.errors import DecodeError, InvalidRequestError
from tests.support.memory import FakeMemory


class FakeModel:
    """Tokens are bytes; 0 ends a generation."""

    def piece(self, token: int) -> bytes:
        return bytes([token])

    def is_end(self, token: int) -> bool:
        return token == 0


class ScriptedSampler:
    """Answers token by token from a script, whatever the model would say."""

    script: ClassVar[bytes] = b""
    last: ClassVar[ScriptedSampler]

    def __init__(self, _model: object, _params: object) -> None:
        self.closed = False
        self.begun: list[bytes] = []
        self._answer = iter(self.script)
        ScriptedSampler.last = self

    def sample(self, _context: object, *, begun: bytes) -> int:
        self.begun.append(begun)
        return next(self._answer)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Sets what the next generations answer."""
    monkeypatch.setattr(generation, "NativeSampler", ScriptedSampler)

    def script(answer: bytes) -> None:
        monkeypatch.setattr(ScriptedSampler, "script", answer)

    script(b"\0")
    return script


def run(
    request: GenerationRequest,
    sequence: CachedSequence[FakeMemory] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    hurried: Callable[[], bool] = lambda: False,
) -> tuple[list[str], Finished]:
    """Texts of all steps, and the end."""
    sequence = sequence or CachedSequence(FakeMemory())
    *steps, end = generate(cast(Any, FakeModel()), cast(Any, sequence), request, cancelled, hurried=hurried)
    assert isinstance(end, Finished)
    return [step.text for step in steps if isinstance(step, Step)], end


def step_sizes(sequence: CachedSequence[FakeMemory]) -> list[int]:
    """How many tokens each step evaluated."""
    return [len(tokens) for _, tokens in sequence.memory.decoded]


@pytest.mark.usefixtures("answering")
def test_a_long_prompt_is_evaluated_in_steps_of_a_batch() -> None:
    sequence = CachedSequence(FakeMemory(n_batch=100))

    steps, end = run(GenerationRequest([7] * 250, 10), sequence)

    assert step_sizes(sequence) == [100, 100, 50]
    assert steps == ["", "", ""]
    assert (end.reason, end.timings.prompt_tokens, end.timings.reused_tokens) == (StopReason.EOS, 250, 0)
    assert ScriptedSampler.last.closed


@pytest.mark.usefixtures("answering")
def test_steps_are_short_for_as_long_as_somebody_may_want_to_come_between() -> None:
    sequence = CachedSequence(FakeMemory(n_batch=100))

    run(GenerationRequest([7] * 250, 10), sequence, hurried=lambda: len(sequence.tokens) < 128)

    assert step_sizes(sequence) == [64, 64, 100, 22]
    assert sequence.memory.interruptible == [True] * 4


@pytest.mark.usefixtures("answering")
def test_a_batch_that_is_shorter_still_is_not_exceeded() -> None:
    sequence = CachedSequence(FakeMemory(n_batch=30))

    run(GenerationRequest([7] * 70, 10), sequence, hurried=lambda: True)

    assert step_sizes(sequence) == [30, 30, 10]


def test_what_cannot_be_broken_off_is_evaluated_in_short_steps(answering: Callable[[bytes], None]) -> None:
    answering(b"ab\0")
    sequence = CachedSequence(FakeMemory(n_batch=100, drops_tails=False))

    steps, end = run(GenerationRequest([7] * 150, 10), sequence)

    assert step_sizes(sequence) == [64, 64, 22, 1, 1]
    assert not any(sequence.memory.interruptible)
    assert ("".join(steps), end.reason) == ("ab", StopReason.EOS)


class Switch:
    """Says that a generation is cancelled from the n-th time on that it is asked."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self) -> bool:
        self.n -= 1
        return self.n < 0


@pytest.mark.usefixtures("answering")
def test_cancelling_within_a_step_breaks_it_off_and_keeps_the_steps_before() -> None:
    sequence = CachedSequence(FakeMemory(n_batch=100))

    # Asked once before each step, and here once within: yes within the second.
    steps, end = run(GenerationRequest([7] * 250, 10), sequence, cancelled=Switch(3))

    assert (steps, end.reason) == ([""], StopReason.CANCELLED)
    assert (end.timings.prompt_tokens, end.timings.predicted_tokens) == (250, 0)
    assert sequence.tokens == sequence.memory.cells == [7] * 100
    assert ScriptedSampler.last.closed


@pytest.mark.usefixtures("answering")
def test_where_that_costs_the_memory_the_next_request_starts_anew() -> None:
    sequence = CachedSequence(FakeMemory(n_batch=100, drops_tails=False, abortable=True))

    assert run(GenerationRequest([7] * 250, 10), sequence, cancelled=Switch(3))[1].reason is StopReason.CANCELLED
    assert sequence.tokens == sequence.memory.cells == []

    _, end = run(GenerationRequest([7] * 250, 10), sequence)
    assert (end.reason, end.timings.reused_tokens) == (StopReason.EOS, 0)


@pytest.mark.usefixtures("answering")
def test_what_cannot_be_broken_off_is_cancelled_between_steps() -> None:
    sequence = CachedSequence(FakeMemory(n_batch=100, drops_tails=False))

    _, end = run(GenerationRequest([7] * 250, 10), sequence, cancelled=Switch(2))

    assert end.reason is StopReason.CANCELLED
    assert sequence.tokens == sequence.memory.cells == [7] * 128


def test_a_begun_word_is_demanded_until_it_is_there_and_never_shown(answering: Callable[[bytes], None]) -> None:
    """One token is one byte here, so the word comes in three; the sampler is told what is still to come of it."""
    answering(b" return 1\0")

    steps, end = run(GenerationRequest([1], 20, begun_word=" re"))

    assert "".join(steps) == "turn 1"
    assert ScriptedSampler.last.begun == [b" re", b"re", b"e", *[b""] * 7]
    assert end.timings.predicted_tokens == 9


def test_a_second_turn_evaluates_only_what_is_new(answering: Callable[[bytes], None]) -> None:
    sequence = CachedSequence(FakeMemory())
    answering(b"ab\0")
    run(GenerationRequest([1, 2, 3], 10), sequence)

    _, end = run(GenerationRequest([1, 2, 3, ord("a"), 4], 10), sequence)

    assert end.timings.reused_tokens == 4


def test_the_end_of_a_generation(answering: Callable[[bytes], None]) -> None:
    answering(b"abc\0")

    assert "".join(run(GenerationRequest([1], 10))[0]) == "abc"
    assert run(GenerationRequest([1], 10))[1].reason is StopReason.EOS
    assert run(GenerationRequest([1], 3))[1].reason is StopReason.LENGTH
    steps, end = run(GenerationRequest([1], 10, stop=("c",)))
    assert ("".join(steps), end.reason, end.stopping_word) == ("ab", StopReason.STOP, "c")
    assert end.timings.predicted_tokens == 3


def test_no_tokens_wanted_only_evaluates_the_prompt(answering: Callable[[bytes], None]) -> None:
    answering(b"abc")
    sequence = CachedSequence(FakeMemory())

    steps, end = run(GenerationRequest([1, 2], 0), sequence)

    assert (steps, end.reason, end.timings.predicted_tokens) == ([""], StopReason.LENGTH, 0)
    assert sequence.tokens == [1, 2]


def test_the_answer_ends_where_the_context_is_full(answering: Callable[[bytes], None]) -> None:
    answering(b"abcdef")
    sequence = CachedSequence(FakeMemory(n_ctx=8))

    steps, end = run(GenerationRequest([1] * 5, 100), sequence)

    assert ("".join(steps), end.reason) == ("abc", StopReason.LENGTH)
    assert len(sequence.tokens) <= 8


def test_text_held_back_for_a_stop_string_is_shown_at_the_end(answering: Callable[[bytes], None]) -> None:
    answering(b"a``\0")

    assert "".join(run(GenerationRequest([1], 10, stop=("```",)))[0]) == "a``"


def test_after_the_time_limit_the_answer_ends_with_its_line(answering: Callable[[bytes], None]) -> None:
    answering(b"one\ntwo\n\0")

    steps, end = run(GenerationRequest([1], 20, time_limit_ms=1e-6))
    assert ("".join(steps), end.reason, end.stopping_word) == ("one\n", StopReason.STOP, "")

    assert "".join(run(GenerationRequest([1], 20, time_limit_ms=1e9))[0]) == "one\ntwo\n"


@pytest.mark.usefixtures("answering")
def test_cancelling_in_the_prompt_keeps_what_was_evaluated() -> None:
    sequence = CachedSequence(FakeMemory())

    steps, end = run(GenerationRequest([7] * 150, 10), sequence, cancelled=lambda: len(sequence.tokens) >= 64)

    assert (end.reason, steps) == (StopReason.CANCELLED, [""])
    assert sequence.tokens == sequence.memory.cells == [7] * 64
    assert ScriptedSampler.last.closed


def test_cancelling_in_the_answer_stops_before_the_next_token(answering: Callable[[bytes], None]) -> None:
    answering(b"abcdef")
    sequence = CachedSequence(FakeMemory())

    steps, end = run(GenerationRequest([1], 10), sequence, cancelled=lambda: len(sequence.tokens) >= 3)

    # The token that is shown last was not evaluated yet.
    assert ("".join(steps), end.reason) == ("abc", StopReason.CANCELLED)
    assert bytes(sequence.tokens) == bytes(sequence.memory.cells) == b"\x01ab"


@pytest.mark.usefixtures("answering")
def test_prompts_that_cannot_be_evaluated_are_refused_with_the_sizes() -> None:
    with pytest.raises(InvalidRequestError, match="empty"):
        run(GenerationRequest([], 10))
    with pytest.raises(InvalidRequestError, match=r"has 8 tokens and the context holds 8\.") as refused:
        run(GenerationRequest([1] * 8, 10), CachedSequence(FakeMemory(n_ctx=8)))
    assert "engine.n_ctx" in refused.value.hint


@pytest.mark.usefixtures("answering")
def test_a_failed_decode_is_raised_and_the_sampler_freed() -> None:
    sequence = CachedSequence(FakeMemory())
    sequence.memory.fails = True

    with pytest.raises(DecodeError):
        run(GenerationRequest([1, 2], 10), sequence)

    assert sequence.tokens == []
    assert ScriptedSampler.last.closed
