"""Measuring a model through the engine that editors use: its speed, what a keystroke costs, how often it is right."""

from __future__ import annotations

import argparse
import ast
import inspect
import secrets
import statistics
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from lsp_server.features.inline_completion import Cursor, Effort, complete
from lsp_server.inference.backend import Backend, ChatRequest, Chunk, InfillRequest, ScoreRequest, Timings, collect
from lsp_server.prompting.catalog import PromptCatalog
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing import confined
from lsp_server.testing.evaluation import Writer
from lsp_server.testing.rates import Interval, wilson
from lsp_server.testing.small_holes import small_holes

# A first prompt at a new place, and an answer long enough for a rate.
_PROMPT_CHARS, _ANSWER_TOKENS, _ROUNDS = 2000, 48, 3
_STATEMENTS, _LEAST_CHARS, _MOST_CHARS, _STATEMENT_TOKENS = 2, 18, 24, 16
# Of fewer there are no percentiles.
_LEAST_KEYSTROKES = 2
_HOLE_TOKENS, _TEST_S = 64, 10.0

OnStep = Callable[[int, int], None]
"""Told how much of a measurement is done, and of how much."""


class Measurable(Backend, Writer, Protocol):
    """An engine."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second of prompts and of answers, and milliseconds to the first token behind so many others."""

    prefill: float
    decode: float
    ttft_ms: float
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Keystrokes:
    """What keystrokes cost: evaluated tokens, and milliseconds to a suggestion of up to 16 tokens."""

    count: int
    tokens_p50: float
    tokens_p95: float
    wait_p50_ms: float
    wait_p95_ms: float


@dataclass(frozen=True, slots=True)
class Filled:
    """Small holes that were filled so that their tests pass."""

    passed: int
    count: int

    @property
    def rate(self) -> Interval:
        """With the interval in which it lies."""
        return wilson(self.passed, self.count)


async def speed(backend: Measurable, until: float, on_step: OnStep) -> Speed | None:
    """Read a prompt that is not known and write behind it, a few times; the medians.

    Args:
        until: no further round begins after this moment of ``time.monotonic``.

    Returns None where nothing was written.
    """
    text = _some_code()
    seen: list[Timings] = []
    for number in range(_ROUNDS):
        on_step(number, _ROUNDS)
        if seen and time.monotonic() > until:
            break
        # Nobody has read this one before.
        prompt = f"# {secrets.token_hex(8)}\n{text[number * 500 :][:_PROMPT_CHARS]}"
        if backend.fills_holes:
            chunks = backend.infill(InfillRequest(prompt, "", _ANSWER_TOKENS))
        else:
            chunks = backend.go_on(prompt, max_tokens=_ANSWER_TOKENS)
        async with aclosing(chunks):  # type: ignore[type-var]
            timings = (await collect(chunks)).timings
        if timings.prompt_ms and timings.predicted_per_second:
            seen.append(timings)
    if not seen:
        return None
    return Speed(
        statistics.median((t.prompt_tokens - t.reused_tokens) / t.prompt_ms * 1000 for t in seen),
        statistics.median(t.predicted_per_second for t in seen),
        statistics.median(t.ttft_ms for t in seen),
        round(statistics.median(t.prompt_tokens for t in seen)),
    )


async def keystrokes(backend: Backend, prompts: PromptCatalog, until: float, on_step: OnStep) -> Keystrokes | None:
    """Type some statements of a file again, and ask for a suggestion at each letter, as an editor would.

    Returns None where no suggestion was asked for.
    """
    recorder = _Recorder(backend)
    typed = list(_typed(_some_code()))
    tokens: list[float] = []
    waits: list[float] = []
    for number, (text, offset, is_jump) in enumerate(typed):
        on_step(number, len(typed))
        if len(waits) >= _LEAST_KEYSTROKES and time.monotonic() > until:
            break
        recorder.last = None
        cursor = Cursor(Snapshot.open(text, "python"), offset, "cli.py", "bench", document="bench")
        began = time.monotonic()
        await complete(cursor, recorder, Effort(_STATEMENT_TOKENS), prompts)
        # After a jump to another place the prompt is a new one.
        if recorder.last and not is_jump:
            tokens.append(recorder.last.prompt_tokens - recorder.last.reused_tokens)
            waits.append((time.monotonic() - began) * 1000)
    if len(waits) < _LEAST_KEYSTROKES:
        return None
    return Keystrokes(len(waits), statistics.median(tokens), _p95(tokens), statistics.median(waits), _p95(waits))


async def filled(backend: Backend, prompts: PromptCatalog, until: float, on_step: OnStep) -> Filled:
    """Have small holes filled and their tests run, sealed off (``testing.confined``).

    Raises:
        RefusedError: nothing that a model has written may be run here.
    """
    await confined.check_guard()
    holes = small_holes()
    passed = count = 0
    for hole in holes:
        on_step(count, len(holes))
        if count and time.monotonic() > until:
            break
        cursor = Cursor(Snapshot.open(hole.text, "python"), len(hole.before), "code.py", "bench")
        suggestion = await complete(cursor, backend, Effort(_HOLE_TOKENS, time_limit_ms=0.0, in_text=True), prompts)
        if suggestion:
            program = hole.program(suggestion.text, suggestion.replaces)
            passed += (await confined.run(program, timeout_s=_TEST_S)).passed
        count += 1
    return Filled(passed, count)


class _Recorder:
    """A backend that keeps what the last answer has cost, also of one that came to nothing."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.last: Timings | None = None

    @property
    def fills_holes(self) -> bool:
        return self._backend.fills_holes

    def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        return self._recorded(self._backend.infill(request))

    def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        return self._recorded(self._backend.chat(request))

    def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        return self._recorded(self._backend.score(request))

    async def _recorded(self, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        async with aclosing(chunks):  # type: ignore[type-var]
            async for chunk in chunks:
                self.last = chunk.timings
                yield chunk


def _some_code() -> str:
    """Code that every Python has: some 150 lines of its ``argparse``, from a class on."""
    return "".join(inspect.getsourcelines(argparse.HelpFormatter)[0][:150])


def _typed(text: str) -> Iterator[tuple[str, int, bool]]:
    """The file after each letter of some short statements that are typed again, the cursor, and whether it jumped."""
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    spans = [
        (starts[node.lineno - 1] + node.col_offset, starts[node.lineno - 1] + (node.end_col_offset or 0))
        for node in ast.walk(_whole(text))
        if isinstance(node, ast.Assign | ast.Return | ast.Expr) and node.lineno == node.end_lineno
    ]
    short = sorted(span for span in spans if _LEAST_CHARS <= span[1] - span[0] <= _MOST_CHARS)
    # Towards the end of the file, where there is something to be read before it.
    for start, end in short[-_STATEMENTS:]:
        for at in range(start, end + 1):
            yield text[:at] + text[end:], at, at == start


def _whole(text: str) -> ast.Module:
    """The tree of a file's beginning: of as many of its lines as make sense by themselves."""
    lines = text.splitlines(keepends=True)
    while lines:
        try:
            return ast.parse("".join(lines))
        except SyntaxError:
            lines.pop()
    return ast.Module([], [])


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]
