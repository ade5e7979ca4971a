from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine import generation
from lsp_server.engine.checkpoints import CheckpointStore
from lsp_server.engine.evaluation import Evaluation, evaluate
from lsp_server.engine.generation import Steps, generate
from lsp_server.engine.generation_types import Finished, GenerationRequest, Step, StopReason, check
from lsp_server.engine.pool import SequencePool
from lsp_server.engine.sampling import SamplingParams
from lsp_server.engine.sequence import CachedSequence
from lsp_server.engine.step_curve import Pace, StepCurve
from lsp_server.errors import DecodeAbortedError, DecodeError, InvalidRequestError
from tests.support.memory import FakeMemory, failing

Sequenced = CachedSequence[FakeMemory]
Says = Callable[[Sequence[int]], int]


class FakeModel:
    """Tokens are bytes; 0 ends a generation."""

    def piece(self, token: int) -> bytes:
        return bytes([token])

    def is_end(self, token: int) -> bool:
        return token == 0


class LikeliestSampler:
    """Chooses what the memory's logits say of the row that it is asked for."""

    last: ClassVar[LikeliestSampler]

    def __init__(self, _model: object, _params: object) -> None:
        self.closed = False
        self.begun: list[bytes] = []
        self.remembered: list[int] = []
        LikeliestSampler.last = self

    def remember(self, tokens: Sequence[int]) -> None:
        self.remembered.extend(tokens)

    def sample(self, context: FakeMemory, row: int, *, begun: bytes, favoured: object) -> int:
        self.begun.append(begun)
        return int(np.argmax(context.logits(row)))

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True, scope="module")
def sampler() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "NativeSampler", LikeliestSampler)
        yield


class Steady:
    """A pace of always as many tokens."""

    def __init__(self, size: int, *, breaks_off: bool = True) -> None:
        self.curve = StepCurve()
        self.breaks_off = breaks_off
        self._size = size

    def size(self) -> int:
        return self._size


def script(prompt: Sequence[int], answer: bytes) -> Says:
    """A model that answers this prompt so, and nothing else at all sensibly."""
    whole = [*prompt, *answer]

    def says(tokens: Sequence[int]) -> int:
        assert list(tokens) == whole[: len(tokens)], "what is sampled from has been evaluated rightly"
        return whole[len(tokens)] if len(tokens) < len(whole) else 0

    return says


def fresh(budget: int = 1 << 20, **kind: Any) -> Sequenced:
    return CachedSequence(FakeMemory(**kind), 0, CheckpointStore(budget))


class Switch:
    """Says that a generation is cancelled from the n-th time on that it is asked."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __call__(self) -> bool:
        self.n -= 1
        return self.n < 0


def never() -> bool:
    return False


def begin(
    request: GenerationRequest, sequence: Sequenced, cancelled: Callable[[], bool] = never, pace: Any = None
) -> Steps:
    return generate(cast(Any, FakeModel()), cast(Any, sequence), request, cancelled, cast(Any, pace or Steady(64)))


def advance(steps: Steps, event: Any, seconds_per_token: float = 0.01) -> Any:
    """Do what a generation wants, if it wants something; returns its next event."""
    if not isinstance(event, Evaluation):
        return next(steps)
    try:
        evaluate([event])
    except DecodeError as error:
        return steps.throw(error)
    event.seconds = seconds_per_token * len(event.tokens)
    return next(steps)


def events(
    request: GenerationRequest,
    sequence: Sequenced | None = None,
    answer: bytes = b"",
    cancelled: Callable[[], bool] = never,
    pace: Any = None,
) -> tuple[list[Step], Finished]:
    """All that came of a generation, and its end."""
    sequence = sequence or fresh()
    sequence.memory.says = script(request.prompt, answer)
    steps = begin(request, sequence, cancelled, pace)
    found: list[Any] = [next(steps)]
    while not isinstance(found[-1], Finished):
        found.append(advance(steps, found[-1]))
    assert next(steps, None) is None, "nothing comes after the end"
    assert LikeliestSampler.last.closed
    assert sequence.tokens == sequence.memory.cells
    *made, end = (event for event in found if not isinstance(event, Evaluation))
    return made, end


def run(
    request: GenerationRequest,
    sequence: Sequenced | None = None,
    answer: bytes = b"",
    cancelled: Callable[[], bool] = never,
    pace: Any = None,
) -> tuple[list[str], Finished]:
    """Texts of all steps, and the end."""
    made, end = events(request, sequence, answer, cancelled, pace)
    return [step.text for step in made], end


class TestPrompt:
    def test_a_long_one_is_evaluated_in_steps(self) -> None:
        sequence = fresh(n_batch=100)

        steps, end = run(GenerationRequest([7] * 250, 10), sequence, pace=Steady(100))

        assert sequence.memory.step_sizes == [100, 100, 50]
        assert steps == ["", "", ""]
        assert (end.reason, end.timings.prompt_tokens, end.timings.reused_tokens) == (StopReason.EOS, 250, 0)

    def test_every_step_of_it_can_be_broken_off(self) -> None:
        sequence = fresh()
        run(GenerationRequest([7] * 150, 10), sequence, b"ab\0")
        assert sequence.memory.interruptible == [True, True, True, False, False]

    def test_only_its_last_token_has_logits(self) -> None:
        sequence = fresh()
        run(GenerationRequest([7] * 150, 10), sequence)
        assert [part.n_outputs for (part,) in sequence.memory.decoded] == [0, 0, 1]

    def test_the_pace_is_asked_before_each_step_and_told_after_it(self) -> None:
        sequence = fresh(n_batch=512)
        curve = StepCurve()
        limits = iter([1.0, 1.0, 0.3, 0.3, 99.0])

        run(GenerationRequest([7] * 400, 10), sequence, pace=Pace(curve, 512, lambda: next(limits)))

        # Nothing is known before the first, nor of less than that before the third; a token takes 0.01 s here.
        assert sequence.memory.step_sizes == [64, 64, 8, 16, 248]
        assert curve.seconds(16) == pytest.approx(0.16)

    def test_a_second_turn_evaluates_only_what_is_new(self) -> None:
        sequence = fresh()
        run(GenerationRequest([1, 2, 3], 10), sequence, b"ab\0")

        _, end = run(GenerationRequest([1, 2, 3, ord("a"), 4], 10), sequence)

        assert end.timings.reused_tokens == 4
        assert sequence.memory.evaluated[-1] == [4]

    def test_time_is_counted_where_it_was_spent(self) -> None:
        made, end = events(GenerationRequest([7] * 100, 10), answer=b"abc\0")

        assert end.timings.prompt_ms == pytest.approx(1000)
        # Three tokens were evaluated, and some time was spent choosing.
        assert 30 <= end.timings.predicted_ms < 1000
        assert made[0].timings.prompt_ms == 0
        assert (made[0].timings.ttft_ms, made[-1].timings.ttft_ms > 0) == (0, True)

    def test_prompts_that_cannot_be_evaluated_are_refused_with_the_sizes(self) -> None:
        with pytest.raises(InvalidRequestError, match="empty"):
            check(GenerationRequest([], 10), 8)
        with pytest.raises(InvalidRequestError, match=r"has 8 tokens and the context holds 8\.") as refused:
            check(GenerationRequest([1] * 8, 10), 8)
        assert "engine.n_ctx" in refused.value.hint
        check(GenerationRequest([1] * 7, 10), 8)


class TestCheckpoints:
    """Where a memory cannot drop its tail, they are what later prompts begin with."""

    PROMPT = tuple(range(1, 101))

    def saves(self, request: GenerationRequest, pace: int = 64, **kind: Any) -> list[int]:
        sequence = fresh(**kind)
        run(request, sequence, b"ab\0", pace=Steady(pace))
        return [position for _, position, _ in sequence.memory.saves]

    def test_there_is_one_before_each_step_and_each_boundary_and_the_last_token(self) -> None:
        request = GenerationRequest(self.PROMPT, 10, boundaries=(10, 90))
        assert self.saves(request, drops_tails=False) == [10, 74, 90, 99]
        assert self.saves(request, window=5) == [10, 74, 90, 99]

    def test_where_tails_are_dropped_there_is_none_and_no_step_is_cut(self) -> None:
        sequence = fresh()
        run(GenerationRequest(self.PROMPT, 10, boundaries=(10, 90)), sequence, b"ab\0")
        assert sequence.memory.saves == []
        assert sequence.memory.step_sizes == [64, 36, 1, 1]

    @pytest.mark.parametrize("boundaries", [(0,), (100,), (101, 5000), (-3,)])
    def test_boundaries_that_are_none_are_ignored(self, boundaries: tuple[int, ...]) -> None:
        request = GenerationRequest(self.PROMPT, 10, boundaries=boundaries)
        assert self.saves(request, drops_tails=False) == [64, 99]

    def test_a_prompt_of_one_token_has_none(self) -> None:
        assert self.saves(GenerationRequest([5], 10), drops_tails=False) == []

    def test_the_same_prompt_again_costs_one_token(self) -> None:
        sequence = fresh(drops_tails=False)
        run(GenerationRequest(self.PROMPT, 10), sequence, b"abc\0")

        _, end = run(GenerationRequest(self.PROMPT, 10), sequence, b"xyz\0")

        assert end.timings.reused_tokens == 99

    def test_a_letter_more_costs_two(self) -> None:
        sequence = fresh(drops_tails=False)
        run(GenerationRequest(self.PROMPT, 10), sequence, b"abc\0")

        _, end = run(GenerationRequest([*self.PROMPT, ord("x")], 10), sequence, b"yz\0")

        assert end.timings.reused_tokens == 99

    def test_a_prompt_that_differs_behind_a_boundary_costs_what_is_behind_it(self) -> None:
        sequence = fresh(drops_tails=False)
        run(GenerationRequest(self.PROMPT, 10, boundaries=(40,)), sequence, b"abc\0")

        _, end = run(GenerationRequest([*self.PROMPT[:45], 7, 7], 10), sequence, b"z\0")

        assert end.timings.reused_tokens == 40

    def test_a_long_answer_that_is_cut_off_is_no_obstacle(self) -> None:
        sequence = fresh(drops_tails=False)
        run(GenerationRequest(self.PROMPT, 5), sequence, b"abcdefghij")

        _, end = run(GenerationRequest([*self.PROMPT, *b"abc", 7], 5), sequence, b"\0")

        # All but the answer's end is there, but not reachable.
        assert end.timings.reused_tokens == 99


class TestSharedPart:
    PROMPT = (*range(1, 81), 7, 7)

    def test_it_is_saved_once_as_a_whole_for_every_sequence(self) -> None:
        memory, store = FakeMemory(n_sequences=2), CheckpointStore(1 << 20)
        one, other = (CachedSequence(memory, number, store) for number in range(2))
        run(GenerationRequest(self.PROMPT, 3, shared=80), one)
        run(GenerationRequest([*self.PROMPT, 1], 3, shared=80), one)
        assert memory.saves == [(0, 80, False)]
        assert memory.step_sizes == [64, 16, 2, 1]

        memory.says = script([*range(1, 81), 9], b"\0")
        steps = begin(GenerationRequest([*range(1, 81), 9], 3, shared=80), other)
        event = next(steps)
        while not isinstance(event, Finished):
            event = advance(steps, event)

        assert event.timings.reused_tokens == 80
        assert memory.saves == [(0, 80, False)]
        assert other.tokens == memory.cells_of(1) == [*range(1, 81), 9]

    def test_one_that_is_shorter_than_evaluating_it_takes_is_not(self) -> None:
        sequence = fresh()
        run(GenerationRequest(self.PROMPT, 3, shared=63), sequence)
        assert sequence.memory.saves == []
        assert sequence.memory.step_sizes == [64, 18]

    def test_one_that_is_the_whole_prompt_is_saved_before_the_answer(self) -> None:
        sequence = fresh()
        run(GenerationRequest(self.PROMPT, 3, shared=len(self.PROMPT)), sequence, b"ab\0")
        assert sequence.memory.saves == [(0, 82, False)]

    def test_one_longer_than_the_prompt_is_none_to_stop_at(self) -> None:
        sequence = fresh()
        run(GenerationRequest(self.PROMPT, 3, shared=500), sequence, b"ab\0")
        assert sequence.memory.step_sizes[:2] == [64, 18]


class TestCancelling:
    @pytest.mark.parametrize("drops_tails", [True, False])
    def test_within_a_step_of_the_prompt_breaks_it_off_and_keeps_the_steps_before(self, drops_tails: bool) -> None:
        sequence = fresh(n_batch=100, drops_tails=drops_tails)

        # Asked once before each step, and here once within: yes within the second.
        steps, end = run(GenerationRequest([7] * 250, 10), sequence, cancelled=Switch(3), pace=Steady(100))

        assert (steps, end.reason) == ([""], StopReason.CANCELLED)
        assert (end.timings.prompt_tokens, end.timings.predicted_tokens) == (250, 0)
        assert sequence.tokens == [7] * 100

    def test_between_steps_of_the_prompt_keeps_what_was_evaluated(self) -> None:
        sequence = fresh()

        steps, end = run(GenerationRequest([7] * 150, 10), sequence, cancelled=lambda: len(sequence.tokens) >= 64)

        assert (end.reason, steps) == (StopReason.CANCELLED, [""])
        assert sequence.tokens == [7] * 64

    def test_where_nothing_could_be_saved_the_next_request_starts_anew(self) -> None:
        sequence = fresh(budget=0, drops_tails=False)

        assert run(GenerationRequest([7] * 150, 9), sequence, cancelled=Switch(3))[1].reason is StopReason.CANCELLED
        assert sequence.tokens == []

        _, end = run(GenerationRequest([7] * 150, 9), sequence)
        assert (end.reason, end.timings.reused_tokens) == (StopReason.EOS, 0)

    def test_before_the_first_step_evaluates_nothing(self) -> None:
        sequence = fresh()
        steps, end = run(GenerationRequest([7] * 10, 10), sequence, cancelled=lambda: True)
        assert (steps, end.reason, sequence.memory.decoded) == ([], StopReason.CANCELLED, [])

    def test_in_the_answer_stops_before_the_next_token(self) -> None:
        sequence = fresh()

        steps, end = run(GenerationRequest([1], 10), sequence, b"abcdef", lambda: len(sequence.tokens) >= 3)

        # The token that is shown last was not evaluated yet.
        assert ("".join(steps), end.reason) == ("abc", StopReason.CANCELLED)
        assert bytes(sequence.tokens) == b"\x01ab"

    def test_leaving_it_frees_the_sampler(self) -> None:
        sequence = fresh()
        sequence.memory.says = script([1, 2], b"abc")
        steps = begin(GenerationRequest([1, 2], 10), sequence)
        advance(steps, next(steps))

        steps.close()

        assert LikeliestSampler.last.closed
        assert sequence.tokens == sequence.memory.cells

    @pytest.mark.parametrize("n_steps", [0, 1, 2])
    def test_a_decode_that_fails_is_raised_and_the_sampler_freed(self, n_steps: int) -> None:
        """In the prompt, and in the answer."""
        sequence = fresh()
        sequence.memory.says = script([1] * 70, b"abc")
        steps = begin(GenerationRequest([1] * 70, 10), sequence)
        event = next(steps)
        while len(sequence.memory.decoded) < n_steps or not isinstance(event, Evaluation):
            event = advance(steps, event)
        sequence.memory.failure = failing()

        with pytest.raises(DecodeError):
            advance(steps, event)

        assert sequence.tokens == sequence.memory.cells == []
        assert LikeliestSampler.last.closed


class TestAnswer:
    def test_it_ends_for_a_reason(self) -> None:
        request = GenerationRequest([1], 10)
        assert "".join(run(request, answer=b"abc\0")[0]) == "abc"
        assert run(request, answer=b"abc\0")[1].reason is StopReason.EOS
        assert run(replace(request, max_tokens=3), answer=b"abc\0")[1].reason is StopReason.LENGTH
        steps, end = run(replace(request, stop=("c",)), answer=b"abc\0")
        assert ("".join(steps), end.reason, end.stopping_word) == ("ab", StopReason.STOP, "c")
        assert end.timings.predicted_tokens == 3

    def test_a_begun_word_is_demanded_until_it_is_there_and_never_shown(self) -> None:
        """One token is one byte here, so the word comes in three; the sampler is told what is still to come of it."""
        steps, end = run(GenerationRequest([1], 20, begun_word=" re"), answer=b" return 1\0")

        assert "".join(steps) == "turn 1"
        assert LikeliestSampler.last.begun == [b" re", b"re", b"e", *[b""] * 7]
        assert end.timings.predicted_tokens == 9

    def test_no_tokens_wanted_only_evaluates_the_prompt(self) -> None:
        sequence = fresh()

        steps, end = run(GenerationRequest([1, 2], 0), sequence, b"abc")

        assert (steps, end.reason, end.timings.predicted_tokens) == ([""], StopReason.LENGTH, 0)
        assert sequence.tokens == [1, 2]

    def test_it_ends_where_the_context_is_full(self) -> None:
        steps, end = run(GenerationRequest([1] * 5, 100), fresh(n_ctx=8), b"abcdef")
        assert ("".join(steps), end.reason) == ("abc", StopReason.LENGTH)

    def test_text_held_back_for_a_stop_string_is_shown_at_the_end(self) -> None:
        assert "".join(run(GenerationRequest([1], 10, stop=("```",)), answer=b"a``\0")[0]) == "a``"

    def test_it_ends_before_a_line_that_is_indented_less(self) -> None:
        steps, end = run(GenerationRequest([1], 50, n_indent=2), answer=b"a\n  b\nc\n\0")
        assert ("".join(steps).rstrip("\n"), end.reason) == ("a\n  b", StopReason.STOP)

    def test_after_the_time_limit_it_ends_with_its_line(self) -> None:
        request = GenerationRequest([1], 20, time_limit_ms=1e-6)
        steps, end = run(request, answer=b"one\ntwo\n\0")
        assert ("".join(steps), end.reason, end.stopping_word) == ("one\n", StopReason.STOP, "")

        assert "".join(run(replace(request, time_limit_ms=1e9), answer=b"one\ntwo\n\0")[0]) == "one\ntwo\n"

    def test_what_is_thought_is_told_apart(self) -> None:
        answer = b"<think>So?</think>\n\nYes.\0"

        made, _ = events(GenerationRequest([1], 50, thinks=True), answer=answer)

        assert "".join(step.text for step in made) == "Yes."
        assert "".join(step.thought for step in made) == "So?"
        assert "".join(run(GenerationRequest([1], 50), answer=answer)[0]) == answer.decode().rstrip("\0")

    def test_a_thought_that_never_ends_is_told_all_the_same(self) -> None:
        made, end = events(GenerationRequest([1], 10, thinks=True), answer=b"<think>Hmmmm")

        assert "".join(step.text for step in made) == ""
        assert "".join(step.thought for step in made) == "Hmm"
        assert end.reason is StopReason.LENGTH

    def test_probabilities_are_told_of_each_token_if_asked_for(self) -> None:
        made, _ = events(GenerationRequest([1], 10, n_probs=2), answer=b"ab\0")

        told = [one for step in made for one in step.logprobs]
        assert [one.token for one in told] == [*b"ab"]
        assert [len(one.top) for one in told] == [2, 2]
        assert all(one.top[0][0] == one.token and -0.1 < one.logprob < 0 for one in told)
        assert not any(step.logprobs for step in events(GenerationRequest([1], 10), answer=b"ab\0")[0])

    def test_of_guessed_tokens_too(self) -> None:
        request = GenerationRequest(list(b"abcdefgh abc"), 20, n_probs=0, max_draft=16)
        made, end = events(request, answer=b"defgh\0")

        assert end.timings.draft_accepted_tokens > 0
        assert bytes(one.token for step in made for one in step.logprobs) == b"defgh"


class TestEcho:
    CONTEXT, TEXT = list(b"x = "), list("größe(a, b) + 1 and so on for a while".encode())

    def request(self, **options: Any) -> GenerationRequest:
        return GenerationRequest([*self.CONTEXT, *self.TEXT], 0, n_echoed=len(self.TEXT), n_probs=1, **options)

    def test_the_text_comes_back_with_what_was_thought_of_it(self) -> None:
        made, end = events(self.request(), fresh(n_outputs_max=5))

        assert "".join(step.text for step in made) == bytes(self.TEXT).decode()
        told = [one for step in made for one in step.logprobs]
        assert [one.token for one in told] == self.TEXT
        # The scripted model expects just this prompt.
        assert all(-0.1 < one.logprob < 0 and one.top[0][0] == one.token for one in told)
        assert (end.reason, end.timings.predicted_tokens) == (StopReason.LENGTH, 0)

    @pytest.mark.parametrize("memory", [{}, {"drops_tails": False}, {"window": 8}])
    def test_what_the_memory_has_of_it_is_read_again_and_the_context_is_not(self, memory: dict[str, Any]) -> None:
        sequence = fresh(n_outputs_max=16, **memory)
        events(GenerationRequest([*self.CONTEXT, *self.TEXT, 7, 8], 1), sequence)
        made, end = events(self.request(), sequence)
        assert [one.token for step in made for one in step.logprobs] == self.TEXT
        assert end.timings.reused_tokens <= len(self.CONTEXT) - 1
        if sequence.memory.drops_tails and not memory:
            assert end.timings.reused_tokens == len(self.CONTEXT) - 1

    def test_another_expectation_is_told_with_it(self) -> None:
        sequence = fresh()
        sequence.memory.says = lambda _tokens: 65
        steps = begin(self.request(), sequence)
        found: list[Any] = [next(steps)]
        while not isinstance(found[-1], Finished):
            found.append(advance(steps, found[-1]))
        told = [one for step in found if isinstance(step, Step) for one in step.logprobs]
        assert len(told) == len(self.TEXT)
        assert all(one.top[0][1] == b"A" and one.logprob < -9 for one in told)

    def test_it_can_be_cancelled(self) -> None:
        _, end = events(self.request(), fresh(n_outputs_max=2), cancelled=Switch(4))
        assert end.reason is StopReason.CANCELLED

    def test_something_must_stand_before_it(self) -> None:
        with pytest.raises(InvalidRequestError, match="Nothing stands before"):
            check(GenerationRequest([1, 2], 0, n_echoed=2), 100)


class TestGuessing:
    REPEATING = b"def area(width, height):\n    return width * height\n\n# again:\ndef area("
    ANSWER = b"width, height):\n    return width * height\n\0"

    def test_an_answer_that_repeats_its_prompt_takes_few_steps(self) -> None:
        sequence = fresh(n_batch=100)

        steps, end = run(GenerationRequest(self.REPEATING, 60, max_draft=15), sequence, self.ANSWER, pace=Steady(100))

        assert "".join(steps).encode() + b"\0" == self.ANSWER
        assert len(sequence.memory.decoded) <= 6
        assert end.timings.draft_accepted_tokens <= end.timings.draft_tokens
        assert end.timings.draft_accepted_tokens > 35
        assert end.timings.predicted_tokens == len(self.ANSWER) - 1

    def test_a_step_has_no_more_guesses_than_are_wanted(self) -> None:
        sequence = fresh(n_batch=100)
        run(GenerationRequest(self.REPEATING, 60, max_draft=3), sequence, self.ANSWER, pace=Steady(100))
        assert max(sequence.memory.step_sizes[1:]) == 4

    def test_every_guess_is_checked_by_its_own_row(self) -> None:
        sequence = fresh(n_batch=100)
        run(GenerationRequest(self.REPEATING, 60, max_draft=15), sequence, self.ANSWER, pace=Steady(100))
        for (part,) in sequence.memory.decoded[1:]:
            assert part.n_outputs == len(part.tokens)

    @pytest.mark.parametrize("kind", [{"drops_tails": False}, {"window": 8}], ids=["no tails", "window"])
    def test_where_wrong_guesses_cannot_be_dropped_there_are_none(self, kind: dict[str, Any]) -> None:
        sequence = fresh(n_batch=100, **kind)
        _, end = run(GenerationRequest(self.REPEATING, 60, max_draft=15), sequence, self.ANSWER, pace=Steady(100))
        assert end.timings.draft_tokens == 0
        assert end.reason is StopReason.EOS

    def test_without_room_in_the_context_there_are_none_beyond_it(self) -> None:
        n_ctx = len(self.REPEATING) + 10
        sequence = fresh(n_batch=100, n_ctx=n_ctx)
        steps, end = run(GenerationRequest(self.REPEATING, 60, max_draft=15), sequence, self.ANSWER, pace=Steady(100))
        assert ("".join(steps), end.reason) == ("width, hei", StopReason.LENGTH)

    def test_a_stop_string_within_the_guesses_ends_the_answer(self) -> None:
        sequence = fresh(n_batch=100)
        request = GenerationRequest(self.REPEATING, 60, max_draft=15, stop=("return",))

        steps, end = run(request, sequence, self.ANSWER, pace=Steady(100))

        assert ("".join(steps), end.stopping_word) == ("width, height):\n    ", "return")
        whole = [*self.REPEATING, *self.ANSWER]
        assert sequence.tokens == whole[: len(sequence.tokens)]
        # All but the last that was chosen, which nobody evaluated but as a guess.
        assert len(sequence.tokens) >= len(self.REPEATING) + end.timings.predicted_tokens - 1

    TEXTS = st.text("ab\n", min_size=1, max_size=24)

    @given(TEXTS, TEXTS, st.integers(0, 2), st.integers(1, 20), st.integers(0, 40), st.sampled_from([(), ("ba",)]))
    def test_the_answer_is_the_same_as_without(
        self, prompt: str, answer: str, copies: int, max_draft: int, max_tokens: int, stop: tuple[str, ...]
    ) -> None:
        """Text, tokens, steps and the reason to stop; and the sequence holds nothing but prompt and answer."""
        tokens = [*(prompt * 2).encode()]
        said = (prompt * copies + answer + prompt).encode() + b"\0"
        request = GenerationRequest(tokens, max_tokens, stop=stop, n_probs=0)
        plain, plain_end = events(request, fresh(), said)
        sequence = fresh()

        made, end = events(replace(request, max_draft=max_draft), sequence, said)

        assert [(step.text, step.logprobs) for step in made] == [(step.text, step.logprobs) for step in plain]
        assert (end.reason, end.stopping_word) == (plain_end.reason, plain_end.stopping_word)
        assert end.timings.predicted_tokens == plain_end.timings.predicted_tokens
        assert end.timings.draft_accepted_tokens <= end.timings.draft_tokens
        whole = [*tokens, *said]
        assert sequence.tokens == whole[: len(sequence.tokens)]
        assert len(sequence.tokens) <= len(tokens) + end.timings.predicted_tokens


class TestPenalties:
    def test_what_the_prompt_says_counts_as_said(self) -> None:
        """As in llama-server: ``repeat_last_n`` looks back into the prompt."""
        run(GenerationRequest([1, 2, 3], 5, sampling=SamplingParams(repeat_penalty=1.5)), answer=b"ab\0")
        assert LikeliestSampler.last.remembered == [1, 2, 3]


# Random work on a few sequences at a time.

COMMON = [*range(1, 67)]
PROMPTS = st.builds(
    lambda n, tail: [*COMMON[:n], *tail],
    st.sampled_from([0, 3, 20, 64, 66]),
    st.lists(st.integers(97, 98), min_size=1, max_size=6),
)
REQUESTS = st.builds(
    GenerationRequest,
    PROMPTS,
    st.integers(0, 12),
    boundaries=st.lists(st.integers(0, 70), max_size=3).map(sorted),
    shared=st.sampled_from([0, 64, 66]),
    max_draft=st.sampled_from([0, 3, 15]),
)
OUTCOMES = st.sampled_from([*["done"] * 6, "broken off", "failed", "cancelled", "left"])


def babble(tokens: Sequence[int]) -> int:
    """Some text that repeats itself and ends at times; of wrong cells it makes something else."""
    return [97, 98, 97, 99, 98, 97, 0][(sum(tokens[-3:]) + len(tokens)) % 7]


class Running:
    """A generation on a sequence of a pool, and whether somebody has cancelled it."""

    def __init__(self, pool: SequencePool[FakeMemory], request: GenerationRequest, pace: int) -> None:
        self.request = request
        self.pool = pool
        self.sequence = pool.take(request.prompt)
        self.cancelled = False
        self.steps = begin(request, self.sequence, lambda: self.cancelled, Steady(pace))
        self.events: list[Any] = [next(self.steps)]
        self.failed = False

    def advance(self, outcome: str) -> bool:
        """Go on until it wants something again; whether it does."""
        memory = self.sequence.memory
        memory.failure = failing() if outcome == "failed" else None
        self.cancelled = self.cancelled or outcome == "broken off"
        try:
            while not isinstance(self.events[-1], Finished):
                self.events.append(advance(self.steps, self.events[-1]))
                self.cancelled = self.cancelled or outcome == "cancelled"
                if isinstance(self.events[-1], Evaluation):
                    break
        except DecodeAbortedError:
            raise AssertionError("what is broken off ends as cancelled") from None
        except DecodeError:
            self.failed = True
        memory.failure = None
        if outcome == "left" or self.failed or isinstance(self.events[-1], Finished):
            self.steps.close()
            self.pool.give_back(self.sequence)
            self.check()
            return False
        return True

    def check(self) -> None:
        """What was said is what the model would say, as far as it got."""
        tokens = list(self.request.prompt)
        expected = b""
        while len(expected) < self.request.max_tokens and (token := babble(tokens)):
            tokens.append(token)
            expected += bytes([token])
        text = "".join(event.text for event in self.events if isinstance(event, Step)).encode()
        end = self.events[-1]
        complete = isinstance(end, Finished) and end.reason is not StopReason.CANCELLED
        assert text == expected if complete else expected.startswith(text)


@given(
    st.sampled_from([{}, {"drops_tails": False}, {"window": 5}]),
    st.integers(1, 3),
    st.sampled_from([0, 20, 100, 1100, 3000, 1 << 20]),
    st.integers(1, 64),
    st.lists(REQUESTS, min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 5), OUTCOMES), max_size=60),
)
def test_whatever_happens_sequences_hold_what_they_say_and_answers_are_right(
    kind: dict[str, Any],
    n_sequences: int,
    budget: int,
    pace: int,
    requests: list[GenerationRequest],
    plan: list[tuple[int, str]],
) -> None:
    memory, store = FakeMemory(n_sequences=n_sequences, **kind), CheckpointStore(budget)
    memory.says = babble
    pool = SequencePool(memory, n_sequences, store)
    waiting, running = requests[::-1], list[Running]()
    turns = iter(plan)
    while waiting or running:
        while waiting and pool.n_free:
            running.append(Running(pool, waiting.pop(), pace))
        which, outcome = next(turns, (0, "done"))
        one = running[which % len(running)]
        if not one.advance(outcome):
            running.remove(one)
        for sequence in pool.sequences:
            assert sequence.tokens == memory.cells_of(sequence.number)
        assert store.n_bytes <= budget
    assert pool.n_free == n_sequences
