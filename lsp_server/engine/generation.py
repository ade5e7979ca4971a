"""One generation as a sequence of small steps, so that others can come between any two, or share them."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Generator

from lsp_server.engine.drafting import Drafter
from lsp_server.engine.evaluation import Evaluation
from lsp_server.engine.generation_types import Event, Finished, GenerationRequest, Step, StopReason, Timings
from lsp_server.engine.name_guide import NameGuide
from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.logprobs import logprobs
from lsp_server.engine.native.model import NativeModel
from lsp_server.engine.native.sampler import NativeSampler
from lsp_server.engine.sequence import CachedSequence
from lsp_server.engine.step_curve import Pace
from lsp_server.engine.text_stream import TextStream, Thoughts
from lsp_server.errors import DecodeAbortedError

Steps = Generator[Evaluation | Event, None, None]

# Other sequences gain nothing from less, and a copy of it takes as long as evaluating it.
_LEAST_SHARED = 64


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
    sampler = NativeSampler(model, request.sampling)
    try:
        sampler.remember(request.prompt)
        generation = _Generation(model, sequence, sampler, request, cancelled)
        try:
            yield from generation.read(pace)
            yield from generation.write()
        except DecodeAbortedError:
            generation.reason = StopReason.CANCELLED
        yield from generation.finish()
    finally:
        sampler.close()


class _Generation:
    """A prompt that is read, then an answer that is written."""

    def __init__(
        self,
        model: NativeModel,
        sequence: CachedSequence[NativeContext],
        sampler: NativeSampler,
        request: GenerationRequest,
        cancelled: Callable[[], bool],
    ) -> None:
        self.reason = StopReason.LENGTH
        self._model = model
        self._sequence = sequence
        self._sampler = sampler
        self._request = request
        self._cancelled = cancelled
        self._started = time.perf_counter()
        self._first_token = self._prompt_s = self._predicted_s = 0.0
        # How likely a token is stands in the logits of the one before it.
        self._echo_from = len(request.prompt) - request.n_echoed if request.n_echoed else len(request.prompt) + 1
        self._reused = sequence.reuse(request.prompt[: self._echo_from])
        self._echo = codecs.getincrementaldecoder("utf-8")("replace")
        # Prompt and answer; the sequence may still lack the end of it.
        self._history = list(request.prompt)
        self._row = -1
        self._n_evaluated = 0
        self._thoughts = Thoughts(begun=request.begun_thought) if request.thinks else None
        self._text = TextStream(request.stop, request.drop_prefix, n_indent=request.n_indent, thoughts=self._thoughts)
        # Wrong guesses are a tail to drop.
        self._drafter = Drafter(0 if sequence.memory.needs_checkpoints else request.max_draft)
        self._begun = request.begun_word.encode("utf-8", "replace")
        self._guide = NameGuide(model, request.line, request.names, request.known_names)

    def read(self, pace: Pace) -> Steps:
        """Evaluate what the sequence does not have of the prompt. Raises DecodeAbortedError when cancelled."""
        sequence, prompt = self._sequence, self._request.prompt
        stops = _stops(sequence, self._request)
        most_outputs = sequence.memory.n_outputs_max
        while (done := len(sequence.tokens)) < len(prompt):
            self._check_wanted()
            sequence.checkpoint()
            end = min(done + pace.size(), *(stop for stop in stops if stop > done))
            echoes = self._echo_from - 1 <= done
            end = min(end, done + most_outputs if echoes else self._echo_from - 1)
            n_outputs = end - done if echoes else int(end == len(prompt))
            evaluation = Evaluation(sequence, prompt[done:end], n_outputs, self._cancelled)
            yield evaluation
            self._prompt_s += evaluation.seconds
            self._n_evaluated += end - done
            if not echoes:
                pace.curve.observe(end - done, evaluation.seconds)
            self._row = evaluation.row + n_outputs - 1
            if echoes:
                for row, token in enumerate(prompt[done + 1 : end + 1], evaluation.row):
                    yield self._echoed(row, token)
            if end == self._request.shared and end >= _LEAST_SHARED:
                sequence.share()
            yield Step()

    def _echoed(self, row: int, token: int) -> Step:
        """A token of the prompt, with how likely it was."""
        told = logprobs(self._model, self._sequence.memory, row, token, self._request.n_probs or 0)
        return Step(self._echo.decode(self._model.piece(token)), self._timings(), told)

    def write(self) -> Steps:
        """Generate until something ends it, which ``reason`` tells then. Raises DecodeAbortedError when cancelled."""
        sequence, history, n_prompt = self._sequence, self._history, len(self._request.prompt)
        limit = n_prompt + min(self._request.max_tokens, sequence.memory.n_ctx - n_prompt)
        while len(history) < limit and self.reason is StopReason.LENGTH:
            self._check_wanted()
            guesses: list[int] = []
            # A token is shown before it is evaluated: its successor waits for that, its reader need not.
            if unevaluated := history[len(sequence.tokens) :]:
                guesses = (
                    [] if self._begun or self._guide.active else self._drafter.draft(history, limit - len(history) - 1)
                )
                evaluation = Evaluation(sequence, [*unevaluated, *guesses], 1 + len(guesses))
                yield evaluation
                self._predicted_s += evaluation.seconds
                self._row = evaluation.row
            right = 0
            # Each guess is evaluated already; the row after the last right one tells what comes instead.
            for guess in (*guesses, None):
                token = self._sample()
                if token is None:
                    break
                right += token == guess
                yield self._step(token)
                if token != guess or self.reason is not StopReason.LENGTH:
                    break
                self._row += 1
            if guesses:
                self._drafter.checked(history, right)
                sequence.rewind(len(sequence.tokens) - len(guesses) + right)

    def finish(self) -> Steps:
        """What was held back, and the end."""
        rest = self._text.flush()
        thought = self._thoughts.take() if self._thoughts else ""
        if rest or thought:
            yield Step(rest, self._timings(), thought=thought)
        yield Finished(self.reason, self._text.matched, self._timings())

    def _check_wanted(self) -> None:
        if self._cancelled():
            raise DecodeAbortedError("The generation was cancelled.")

    def _sample(self) -> int | None:
        """The next token from the current row; None, and the reason, where the answer ends."""
        began = time.perf_counter()
        token = self._sampler.sample(self._sequence.memory, self._row, begun=self._begun, favoured=self._guide.tokens())
        now = time.perf_counter()
        self._first_token = self._first_token or now
        self._predicted_s += now - began
        if self._model.is_end(token):
            self.reason = StopReason.EOS
            return None
        self._history.append(token)
        return token

    def _step(self, token: int) -> Step:
        """What a token adds to the answer; sets the reason if it ends it."""
        data = self._model.piece(token)
        self._guide.wrote(data)
        data, self._begun = data[len(self._begun) :], self._begun[len(data) :]
        text = self._text.feed(data)
        limit_s = self._request.time_limit_ms / 1000
        late = limit_s and time.perf_counter() - self._first_token > limit_s
        if late and "\n" in text:
            text = text[: text.index("\n") + 1]
            self.reason = StopReason.STOP
        if self._text.ended:
            self.reason = StopReason.STOP
        told = logprobs(self._model, self._sequence.memory, self._row, token, self._request.n_probs)
        return Step(text, self._timings(), told, self._thoughts.take() if self._thoughts else "")

    def _timings(self) -> Timings:
        return Timings(
            prompt_tokens=len(self._request.prompt),
            reused_tokens=self._reused,
            evaluated_tokens=self._n_evaluated,
            predicted_tokens=len(self._history) - len(self._request.prompt),
            draft_tokens=self._drafter.drafted,
            draft_accepted_tokens=self._drafter.accepted,
            ttft_ms=(self._first_token - self._started) * 1000 if self._first_token else 0.0,
            total_ms=(time.perf_counter() - self._started) * 1000,
            prompt_ms=self._prompt_s * 1000,
            predicted_ms=self._predicted_s * 1000,
        )


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
