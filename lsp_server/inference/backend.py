"""What features ask of a model, and what they get: plain values, one protocol, no transport."""

from __future__ import annotations

import enum
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

from lsp_server.text.known_names import KnownNames
from lsp_server.text.snippet import Snippet


class Priority(str, enum.Enum):
    """How urgent a request is for the engine's scheduler."""

    INLINE = "inline"
    ACTION = "action"
    BACKGROUND = "background"


class StopReason(str, enum.Enum):
    """Why a generation ended."""

    EOS = "eos"
    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class InfillRequest:
    """Fill the hole between ``prefix`` and ``suffix``.

    Attributes:
        path: the file's path relative to the workspace.
        stop: texts that end the answer; they are not part of it.
        document: opaque id; a newer request of the same document supersedes an older one. Empty: never.
        time_limit_ms: this long after its first token the answer ends with its line. 0: no limit.
        priority: inline for a suggestion, background for a prompt that is read ahead.
        temperature, seed: 0 is greedy; alternatives are sampled. Without a seed each answer may be another one.
        names: what may stand at the cursor, as far as it is known: one of them is preferred. Empty: anything may.
        known_names: what may stand behind dots further on.
    """

    prefix: str
    suffix: str
    max_tokens: int
    path: str = ""
    repository: str = "repository"
    extra: tuple[Snippet, ...] = ()
    stop: tuple[str, ...] = ()
    document: str = ""
    time_limit_ms: float = 0.0
    priority: Priority = Priority.INLINE
    temperature: float = 0.0
    seed: int | None = None
    names: tuple[str, ...] = ()
    known_names: tuple[KnownNames, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation: role ``system``, ``user`` or ``assistant``, and its text."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """Continue a conversation. A last message of the assistant is the start of its answer, and is continued.

    ``grammar`` is GBNF. ``temperature`` 0 is greedy.
    """

    messages: tuple[Message, ...]
    max_tokens: int
    stop: tuple[str, ...] = ()
    temperature: float = 0.0
    repeat_penalty: float = 1.0
    seed: int | None = None
    grammar: str | None = None
    priority: Priority = Priority.ACTION


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """How likely a text is to a model, behind a context that is not empty; nothing is written.

    ``n_alternatives``: so many likelier tokens are told with each of the text's.
    """

    context: str
    text: str
    n_alternatives: int = 0
    priority: Priority = Priority.ACTION


@dataclass(frozen=True, slots=True)
class ScoredToken:
    """A token of a text with the natural logarithm of its probability; ``alternatives`` are the likeliest there."""

    text: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Timings:
    """What an answer cost, as the backend measured it; zeros where it does not tell.

    Times in milliseconds, rates in tokens per second; ``reused_tokens`` of ``prompt_tokens`` were not evaluated anew.
    ``prompt_ms`` is what the evaluation of the others took, without what was waited for before it.
    """

    prompt_tokens: int = 0
    reused_tokens: int = 0
    predicted_tokens: int = 0
    ttft_ms: float = 0.0
    total_ms: float = 0.0
    predicted_per_second: float = 0.0
    prompt_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an answer, with what the answer has cost so far. The last one has a ``stop_reason``.

    ``scored`` are its tokens, if they were asked for.
    """

    text: str
    stop_reason: StopReason | None = None
    timings: Timings = field(default_factory=Timings)
    scored: tuple[ScoredToken, ...] = ()


class Backend(Protocol):
    """Something that answers. Closing an iterator early stops the work behind it.

    All raise ``BackendUnavailableError`` when nobody answers or the answer breaks off, and ``BackendRejectedError``
    when the request is refused.
    """

    @property
    def fills_holes(self) -> bool:
        """Whether the model was trained to fill holes; one that was not refuses ``infill``, and has to be talked to."""
        ...

    def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """Fill a hole, piece by piece."""
        ...

    def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """Answer a conversation, piece by piece."""
        ...

    def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """Read a text and tell how likely it is, piece by piece."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    text: str
    stop_reason: StopReason
    timings: Timings


async def collect(chunks: AsyncIterator[Chunk]) -> Answer:
    """Wait for a whole answer."""
    parts: list[str] = []
    last = Chunk("", StopReason.CANCELLED)
    async for chunk in chunks:
        parts.append(chunk.text)
        last = chunk
    return Answer("".join(parts), last.stop_reason or StopReason.CANCELLED, last.timings)
