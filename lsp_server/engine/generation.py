"""One generation as a sequence of small steps, so that others can come between any two, or share them."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field

from lsp_server.engine.drafting import Drafter
from lsp_server.engine.evaluation import Evaluation
from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.logprobs import TokenLogprob, logprobs
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.native.sampler import NativeSampler, SamplingParams
from lsp_server.engine.sequence import CachedSequence
from lsp_server.engine.step_curve import Pace
from lsp_server.engine.text_stream import TextStream, Thoughts
from lsp_server.errors import DecodeAbortedError, InvalidRequestError


class StopReason(str, enum.Enum):
    """Why a generation ended."""

    EOS = "eos"
    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Timings:
    """What a generation cost.

    Attributes:
        prompt_tokens: length of the prompt.
        reused_tokens: leading part of it that was evaluated before and kept.
        predicted_tokens: tokens generated.
        draft_tokens, draft_accepted_tokens: guessed ahead, and of these, right.
        ttft_ms: from the start of evaluation to the first generated token.
        total_ms: from the start of evaluation to the end.
        prompt_ms, predicted_ms: time spent evaluating the prompt, generating; waiting for others is in neither.
    """

    prompt_tokens: int = 0
    reused_tokens: int = 0
    predicted_tokens: int = 0
    draft_tokens: int = 0
    draft_accepted_tokens: int = 0
    ttft_ms: float = 0.0
    total_ms: float = 0.0
    prompt_ms: float = 0.0
    predicted_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A step was made.

    Attributes:
        text: what can be shown of it, often nothing.
        timings: the costs so far.
        logprobs: of its token, if they were asked for.
        thought: what the model thought before it answers.
    """

    text: str = ""
    timings: Timings = field(default_factory=Timings)
    logprobs: tuple[TokenLogprob, ...] = ()
    thought: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event: the reason, the stop string that matched (if any), the costs."""

    reason: StopReason
    stopping_word: str
    timings: Timings


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A prompt and how to go on from it.

    Attributes:
        boundaries: positions in the prompt where a checkpoint serves later prompts, ascending.
        shared: length of the leading part that other prompts begin with as well; 0 for none.
        drop_prefix: leading blanks of the answer to swallow if they come.
        begun_word: what the answer has to begin with, swallowed as well (see ``layout.Prompt`` for both).
        n_indent: the answer ends before a line that is indented less.
        time_limit_ms: this long after the first token, stop at the next line end; 0 for no limit.
        max_draft: tokens to guess ahead at most; 0: none.
        thinks: what is thought in ``<think>`` is not part of the answer; ``begun_thought``: the prompt has opened it.
        n_probs: so many likeliest tokens are told with each that is chosen; None: not even its own probability.
    """

    prompt: Sequence[int]
    max_tokens: int
    sampling: SamplingParams = field(default_factory=SamplingParams)
    boundaries: Sequence[int] = ()
    shared: int = 0
    stop: tuple[str, ...] = ()
    drop_prefix: str = ""
    begun_word: str = ""
    n_indent: int = 0
    time_limit_ms: float = 0.0
    max_draft: int = 0
    thinks: bool = False
    begun_thought: bool = False
    n_probs: int | None = None


Event = Step | Finished
Steps = Generator[Evaluation | Event, None, None]

# Other sequences gain nothing from less, and a copy of it takes as long as evaluating it.
_LEAST_SHARED = 64


class _Clock:
    """Measures what a generation spends, without the pauses in which others ran."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.first_token = 0.0
        self.prompt = 0.0
        self.predicted = 0.0


def check(request: GenerationRequest, n_ctx: int) -> None:
    """Raise InvalidRequestError if the prompt is empty or does not fit the context."""
    if not request.prompt:
        raise InvalidRequestError("The prompt is empty.")
    if len(request.prompt) >= n_ctx:
        raise InvalidRequestError(
            f"The prompt has {len(request.prompt)} tokens and the context holds {n_ctx}.",
            hint="Send less, or raise engine.n_ctx.",
        )


def generate(
    model: NativeModel,
    sequence: CachedSequence[NativeContext],
    request: GenerationRequest,
    cancelled: Callable[[], bool],
    pace: Pace,
) -> Steps:
    """Evaluate the prompt and generate: yields work to be done, and what came of it, ``Finished`` last.

    Whoever drives it does each ``Evaluation`` before going on, or throws in what went wrong with it.

    Args:
        cancelled: asked before every step, and within those of the prompt; a True ends the generation with the
            sequence in a sound state.
        pace: tells how many tokens the next step of the prompt may have.

    Raises:
        InvalidRequestError: the grammar is invalid.
        DecodeError: llama.cpp failed.
    """
    prompt = request.prompt
    clock = _Clock()
    sampler = NativeSampler(model, request.sampling)
    try:
        sampler.remember(prompt)
        reused = sequence.reuse(prompt)
        thoughts = Thoughts(begun=request.begun_thought) if request.thinks else None
        text = TextStream(request.stop, request.drop_prefix, n_indent=request.n_indent, thoughts=thoughts)
        # Wrong guesses are a tail to drop.
        drafter = Drafter(0 if sequence.memory.needs_checkpoints else request.max_draft)
        history = list(prompt)

        def timings() -> Timings:
            return Timings(
                prompt_tokens=len(prompt),
                reused_tokens=reused,
                predicted_tokens=len(history) - len(prompt),
                draft_tokens=drafter.drafted,
                draft_accepted_tokens=drafter.accepted,
                ttft_ms=(clock.first_token - clock.start) * 1000 if clock.first_token else 0.0,
                total_ms=(time.perf_counter() - clock.start) * 1000,
                prompt_ms=clock.prompt * 1000,
                predicted_ms=clock.predicted * 1000,
            )

        row = -1
        stops = _stops(sequence, request)
        while (done := len(sequence.tokens)) < len(prompt):
            if cancelled():
                yield Finished(StopReason.CANCELLED, "", timings())
                return
            sequence.checkpoint()
            end = min(done + pace.size(), *(stop for stop in stops if stop > done))
            evaluation = Evaluation(sequence, prompt[done:end], int(end == len(prompt)), cancelled)
            try:
                yield evaluation
            except DecodeAbortedError:
                yield Finished(StopReason.CANCELLED, "", timings())
                return
            clock.prompt += evaluation.seconds
            pace.curve.observe(end - done, evaluation.seconds)
            row = evaluation.row
            if end == request.shared and end >= _LEAST_SHARED:
                sequence.share()
            yield Step()

        reason = StopReason.LENGTH
        limit = min(request.max_tokens, sequence.memory.n_ctx - len(prompt))
        begun = request.begun_word.encode("utf-8", "replace")
        while (room := limit - (len(history) - len(prompt))) > 0 and reason is StopReason.LENGTH:
            if cancelled():
                reason = StopReason.CANCELLED
                break
            guesses: list[int] = []
            # A token is shown before it is evaluated: its successor waits for that, its reader need not.
            if unevaluated := history[len(sequence.tokens) :]:
                guesses = [] if begun else drafter.draft(history, room - 1)
                evaluation = Evaluation(sequence, [*unevaluated, *guesses], 1 + len(guesses))
                try:
                    yield evaluation
                except DecodeAbortedError:
                    reason = StopReason.CANCELLED
                    break
                clock.predicted += evaluation.seconds
                row = evaluation.row
            right = 0
            # Each guess is evaluated already; the row after the last right one tells what comes instead.
            for guess in (*guesses, None):
                began = time.perf_counter()
                token = sampler.sample(sequence.memory, row, begun=begun)
                now = time.perf_counter()
                clock.first_token = clock.first_token or now
                clock.predicted += now - began
                if model.is_end(token):
                    reason = StopReason.EOS
                    break
                history.append(token)
                data = model.piece(token)
                data, begun = data[len(begun) :], begun[len(data) :]
                piece = text.feed(data)
                late = request.time_limit_ms and (now - clock.first_token) * 1000 > request.time_limit_ms
                if text.ended or (late and "\n" in piece):
                    reason = StopReason.STOP
                told = logprobs(model, sequence.memory, row, token, request.n_probs)
                right += token == guess
                yield Step(piece, timings(), told, thoughts.take() if thoughts else "")
                if token != guess or reason is not StopReason.LENGTH:
                    break
                row += 1
            if guesses:
                drafter.checked(history, right)
                sequence.rewind(len(sequence.tokens) - len(guesses) + right)
        rest = text.flush()
        thought = thoughts.take() if thoughts else ""
        if rest or thought:
            yield Step(rest, timings(), thought=thought)
        yield Finished(reason, text.matched, timings())
    finally:
        sampler.close()


def _stops(sequence: CachedSequence[NativeContext], request: GenerationRequest) -> list[int]:
    """Where steps of the prompt have to end, its own end last."""
    end = len(request.prompt)
    stops = {end}
    if sequence.memory.needs_checkpoints:
        stops.update(boundary for boundary in (*request.boundaries, end - 1) if 0 < boundary < end)
    shared = request.prompt[: request.shared]
    if len(shared) >= _LEAST_SHARED and not sequence.has_shared(shared):
        stops.add(len(shared))
    return sorted(stops)
