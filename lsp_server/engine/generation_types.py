"""What is asked of a generation, and what it tells: plain values."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from lsp_server.engine.native.logprobs import TokenLogprob
from lsp_server.engine.sampling import SamplingParams
from lsp_server.errors import InvalidRequestError
from lsp_server.text.known_names import KnownNames


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
        evaluated_tokens: of the rest, those that were evaluated: fewer if it was cancelled.
        predicted_tokens: tokens generated.
        draft_tokens, draft_accepted_tokens: guessed ahead, and of these, right.
        ttft_ms: from the start of evaluation to the first generated token.
        total_ms: from the start of evaluation to the end.
        prompt_ms, predicted_ms: time spent evaluating the prompt, generating; waiting for others is in neither.
    """

    prompt_tokens: int = 0
    reused_tokens: int = 0
    evaluated_tokens: int = 0
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
        line, names, known_names: see ``NameGuide``; names with the begun word, the line without.
        n_indent: the answer ends before a line that is indented less.
        time_limit_ms: this long after the first token, stop at the next line end; 0 for no limit.
        max_draft: tokens to guess ahead at most; 0: none.
        thinks: what is thought in ``<think>`` is not part of the answer; ``begun_thought``: the prompt has opened it.
        n_echoed: so many last tokens of the prompt begin the answer, each with its probability.
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
    line: str = ""
    names: tuple[str, ...] = ()
    known_names: tuple[KnownNames, ...] = ()
    n_indent: int = 0
    time_limit_ms: float = 0.0
    max_draft: int = 0
    thinks: bool = False
    begun_thought: bool = False
    n_echoed: int = 0
    n_probs: int | None = None


Event = Step | Finished


def check(request: GenerationRequest, n_ctx: int) -> None:
    """Raise InvalidRequestError if the prompt is empty or does not fit the context."""
    if not request.prompt:
        raise InvalidRequestError("The prompt is empty.")
    if len(request.prompt) >= n_ctx:
        raise InvalidRequestError(
            f"The prompt has {len(request.prompt)} tokens and the context holds {n_ctx}.",
            hint="Send less, or raise engine.n_ctx.",
        )
    if request.n_echoed >= len(request.prompt):
        raise InvalidRequestError("Nothing stands before what is echoed.", hint="Send a context.")
