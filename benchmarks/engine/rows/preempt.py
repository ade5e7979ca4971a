"""A suggestion while a long answer is written: what the suggestion waits, and what the answer loses."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.engine.outcome import Bar, Outcome, Setup, median, percentile, table
from benchmarks.engine.peers import Server, chat_body, ours, text_of
from benchmarks.engine.source import file_text
from benchmarks.engine.wire import Arrival, Stream

_N_CTX = 4096
_LONG_CHARS = 9000
_SHORT_CHARS = 400
_PAUSE_S = 0.3


@dataclass(frozen=True, slots=True)
class Action:
    """A long answer.

    Attributes:
        gaps_ms: between its events; undisturbed these are its steps.
    """

    text: str
    prompt_tokens: int
    evaluated: int
    generated: int
    prompt_ms: float
    gaps_ms: tuple[float, ...]


def run(setup: Setup) -> Outcome:
    """The action alone, suggestions alone, then both; in the action's answer and in its prompt."""
    n_predict = setup.count(250, 60)
    n_chars = setup.count(_LONG_CHARS, 2000)
    text = file_text()
    with ours(setup.model, n_ctx=_N_CTX) as server:
        inline = _Inline(server, text[:_SHORT_CHARS])
        question = f"Explain at length what this does:\n\n{text[:1500]}"
        _act(server, question, n_predict)
        alone = _act(server, question, n_predict)
        quiet = [inline.ask() for _ in range(setup.count(20, 5))]
        disturbed, during = _both(server, question, n_predict, inline)
        # Prompts that are nowhere yet, but as long as each other.
        long = [f"Sum up, {word}:\n\n{text[:n_chars]}" for word in ("please", "briefly", "shortly")]
        _act(server, long[0], 4)
        reading = _act(server, long[1], 4)
        read, meanwhile = _both(server, long[2], 4, inline)
    step = percentile(alone.gaps_ms, 0.95)
    added = percentile(during, 0.95) - percentile(quiet, 0.95)
    rows = [
        ["suggestion, quiet: TTFT ms", len(quiet), median(quiet), percentile(quiet, 0.95)],
        ["suggestion beside an answer: TTFT ms", len(during), median(during), percentile(during, 0.95)],
        ["suggestion beside a prompt: TTFT ms", len(meanwhile), median(meanwhile), percentile(meanwhile, 0.95)],
        ["step of the answer alone, ms", len(alone.gaps_ms), median(alone.gaps_ms), step],
    ]
    per_token = reading.prompt_ms / max(reading.evaluated, 1)
    same = (alone.text, alone.evaluated, alone.generated) == (disturbed.text, disturbed.evaluated, disturbed.generated)
    lines = [
        *table(["", "n", "median", "p95"], rows),
        "",
        (
            f"64 tokens of the action's prompt take {64 * per_token:.0f} ms, 512 take {512 * per_token:.0f} ms; it was "
            f"read in {reading.prompt_ms:.0f} ms alone and in {read.prompt_ms:.0f} ms between suggestions."
        ),
        (
            f"The answer alone: {alone.generated} tokens, {alone.evaluated} of {alone.prompt_tokens} prompt tokens "
            f"evaluated; between suggestions {disturbed.generated} and {disturbed.evaluated}. "
            f"Prompts read: {reading.evaluated} of {reading.prompt_tokens} alone, {read.evaluated} of "
            f"{read.prompt_tokens} between suggestions."
        ),
    ]
    if alone.text != disturbed.text:
        at = next((i for i, (a, b) in enumerate(zip(alone.text, disturbed.text, strict=False)) if a != b), None)
        lines.append(f"The texts differ from character {at} of {len(alone.text)} on.")
    bars = [
        Bar(
            "inline during a long action: added wait, p95",
            "≤ one step",
            f"{added:+.0f} ms, a step {step:.0f} ms (beside a prompt {percentile(meanwhile, 0.95):.0f} ms TTFT)",
            added <= step,
        ),
        Bar("the action loses no token", "same text, same counts", "the same" if same else "not the same", same),
    ]
    raw = [{"quiet": _rounded(quiet), "during": _rounded(during), "beside_prompt": _rounded(meanwhile)}]
    return Outcome(lines, bars, raw)


class _Inline:
    """Suggestions that cost a token each: a digit more every time."""

    def __init__(self, server: Server, prefix: str) -> None:
        self._server, self._prefix = server, f"{prefix}\nx = "
        self.ask()

    def ask(self) -> float:
        """Milliseconds to the first token."""
        self._prefix += "1"
        return self._server.infill(self._prefix, "\n", document="inline", n_predict=2).ttft_ms


def _act(server: Server, content: str, n_predict: int, begun: threading.Event | None = None) -> Action:
    """The action, in steps of one token: with guesses a step's length would be anybody's."""
    fields = {"max_tokens": n_predict, "ignore_eos": True, "speculative.n_max": 0}
    stream = Stream(server.address, "/v1/chat/completions", chat_body(content, **fields))
    if begun:
        begun.set()
    try:
        arrivals = list(stream)
    finally:
        stream.close()
    t = arrivals[-1].message["timings"]
    return Action(
        text="".join(text_of(one.message) for one in arrivals),
        prompt_tokens=t["prompt_n"] + t["cache_n"],
        evaluated=t["prompt_n"],
        generated=t["predicted_n"],
        prompt_ms=t["prompt_ms"],
        gaps_ms=tuple(_gaps(arrivals)),
    )


def _gaps(arrivals: list[Arrival]) -> list[float]:
    times = [one.seconds * 1000 for one in arrivals if text_of(one.message)]
    return [later - earlier for earlier, later in pairwise(times)]


def _both(server: Server, content: str, n_predict: int, inline: _Inline) -> tuple[Action, list[float]]:
    """The action in a thread, and suggestions until it is over."""
    found: list[Action] = []
    begun = threading.Event()
    worker = threading.Thread(target=lambda: found.append(_act(server, content, n_predict, begun)))
    worker.start()
    begun.wait()
    waits = []
    while True:
        time.sleep(_PAUSE_S)
        if not worker.is_alive():
            break
        waits.append(inline.ask())
    worker.join()
    if not found:
        raise RuntimeError("the action failed; its thread said why")
    return found[0], waits


def _rounded(values: list[float]) -> list[float]:
    return [round(value, 1) for value in values]
