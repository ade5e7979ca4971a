"""One generation as a sequence of small steps, so that something more urgent can run between any two."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.native.sampler import NativeSampler, SamplingParams
from lsp_server.engine.sequence import CachedSequence
from lsp_server.engine.text_stream import TextStream
from lsp_server.errors import DecodeAbortedError, InvalidRequestError

# Tokens of a prefill step while something more urgent may come, or where a step cannot be broken off: 0.3 s on two
# cores with a 0.5B model. It costs a tenth of the speed that steps of the planned size have.
SHORT_STEP = 64


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
        ttft_ms: from the start of evaluation to the first generated token.
        total_ms: from the start of evaluation to the end.
        prompt_ms, predicted_ms: time spent evaluating the prompt, generating; waiting for others is in neither.
    """

    prompt_tokens: int = 0
    reused_tokens: int = 0
    predicted_tokens: int = 0
    ttft_ms: float = 0.0
    total_ms: float = 0.0
    prompt_ms: float = 0.0
    predicted_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A step was made; ``text`` is what can be shown of it (often nothing), ``timings`` the costs so far."""

    text: str = ""
    timings: Timings = field(default_factory=Timings)


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event: the reason, the stop string that matched (if any), the costs."""

    reason: StopReason
    stopping_word: str
    timings: Timings


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A prompt and how to go on from it.

    ``drop_prefix``: leading blanks of the answer to swallow if they come; ``begun_word``: what the answer has to begin
    with, swallowed as well (see ``layout.Prompt`` for both).
    ``time_limit_ms``: this long after the first token, stop at the next line end; 0 for no limit.
    """

    prompt: Sequence[int]
    max_tokens: int
    sampling: SamplingParams = field(default_factory=SamplingParams)
    stop: tuple[str, ...] = ()
    drop_prefix: str = ""
    begun_word: str = ""
    time_limit_ms: float = 0.0


class _Clock:
    """Measures what a generation spends, without the pauses in which others ran."""

    def __init__(self) -> None:
        self.start = time.perf_counter()
        self.first_token = 0.0
        self.prompt = 0.0
        self.predicted = 0.0


def generate(
    model: NativeModel,
    sequence: CachedSequence[NativeContext],
    request: GenerationRequest,
    cancelled: Callable[[], bool],
    *,
    hurried: Callable[[], bool] = lambda: False,
) -> Iterator[Step | Finished]:
    """Evaluate the prompt and generate; one event a step, ``Finished`` last.

    Args:
        cancelled: asked before every step, and within a prefill step that can be broken off; a True ends the
            generation with the sequence in a sound state.
        hurried: whether prefill steps are to be short, so that others get between them.

    Raises:
        InvalidRequestError: the prompt does not fit the context, is empty, or the grammar is invalid.
        DecodeError: llama.cpp failed.
    """
    context = sequence.memory
    prompt = request.prompt
    if not prompt:
        raise InvalidRequestError("The prompt is empty.")
    if len(prompt) >= context.n_ctx:
        raise InvalidRequestError(
            f"The prompt has {len(prompt)} tokens and the context holds {context.n_ctx}.",
            hint="Send less, or raise engine.n_ctx.",
        )
    clock = _Clock()
    sampler = NativeSampler(model, request.sampling)
    try:
        reused = sequence.reuse(prompt)
        text = TextStream(request.stop, request.drop_prefix)
        count = 0

        def timings() -> Timings:
            return Timings(
                prompt_tokens=len(prompt),
                reused_tokens=reused,
                predicted_tokens=count,
                ttft_ms=(clock.first_token - clock.start) * 1000 if clock.first_token else 0.0,
                total_ms=(time.perf_counter() - clock.start) * 1000,
                prompt_ms=clock.prompt * 1000,
                predicted_ms=clock.predicted * 1000,
            )

        while len(sequence.tokens) < len(prompt):
            if cancelled():
                yield Finished(StopReason.CANCELLED, "", timings())
                return
            began = time.perf_counter()
            done = len(sequence.tokens)
            short = hurried() or not context.abortable
            chunk = prompt[done : done + (min(SHORT_STEP, context.n_batch) if short else context.n_batch)]
            try:
                sequence.extend(
                    chunk,
                    want_logits=done + len(chunk) == len(prompt),
                    cancelled=cancelled if context.abortable else None,
                )
            except DecodeAbortedError:
                yield Finished(StopReason.CANCELLED, "", timings())
                return
            clock.prompt += time.perf_counter() - began
            yield Step()

        reason = StopReason.LENGTH
        limit = min(request.max_tokens, context.n_ctx - len(prompt))
        # A token is shown before it is evaluated: its successor waits for that, its reader need not.
        unevaluated: list[int] = []
        begun = request.begun_word.encode("utf-8", "replace")
        while count < limit:
            if cancelled():
                reason = StopReason.CANCELLED
                break
            began = time.perf_counter()
            if unevaluated:
                sequence.extend(unevaluated, want_logits=True)
            token = sampler.sample(context, begun=begun)
            now = time.perf_counter()
            clock.first_token = clock.first_token or now
            clock.predicted += now - began
            if model.is_end(token):
                reason = StopReason.EOS
                break
            count += 1
            unevaluated = [token]
            data = model.piece(token)
            data, begun = data[len(begun) :], begun[len(data) :]
            piece = text.feed(data)
            late = request.time_limit_ms and (now - clock.first_token) * 1000 > request.time_limit_ms
            if text.matched or (late and "\n" in piece):
                reason = StopReason.STOP
                yield Step(piece, timings())
                break
            yield Step(piece, timings())
        if rest := text.flush():
            yield Step(rest, timings())
        yield Finished(reason, text.matched, timings())
    finally:
        sampler.close()
