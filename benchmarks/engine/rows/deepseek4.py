"""The replay on a DeepSeek-V4 of a few MB, in its trained order: how much of a suffix behind the cursor is read anew.

Its weights are random, so only tokens are counted. A token of its vocabulary is about a byte: the windows are cut
until prompts have about 1,000 tokens, and the suffix at most 256.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.engine.client import asked_for
from benchmarks.engine.outcome import Bar, Outcome, Setup, median, percentile, table
from benchmarks.engine.peers import BATCHES, N_PREDICT, Answer, Filler, Server, answer_of, llama_server, ours
from benchmarks.engine.replay import Step, replay
from benchmarks.engine.rows.typing import Request, ask, raw_numbers, typed
from benchmarks.engine.source import file_text
from benchmarks.engine.wire import Stream
from lsp_server.context.window import Window
from lsp_server.text.positions import LineIndex
from tests.support.tiny import tiny, write_tiny
from tools.synthetic_vocabulary import CONTROL, synthetic_vocabulary

_PREFIX_CHARS, _SUFFIX_CHARS = 850, 256
_STRIDE_CHARS = 300
# Its checkpoint is as far from the prompt's end as a batch is long: the best is just longer than the suffix.
_BATCHES = (*BATCHES[:2], 256, *BATCHES[2:])
_TO_CHOOSE = 60
_SLACK = 8


def narrow(step: Step) -> Window:
    """What our client would send, less of it: whole lines, from a start that stays where it is for a while."""
    lines = LineIndex(step.text)
    start = max(0, (step.offset - _PREFIX_CHARS) // _STRIDE_CHARS * _STRIDE_CHARS)
    if start:
        start = lines.line_start(lines.line_of(start) + 1)
    length = max(0, step.offset - start)
    around = asked_for(step)
    return Window(around.prefix[len(around.prefix) - length :], around.suffix[:_SUFFIX_CHARS])


class LaidOut:
    """A llama-server that gets the hole as a prompt of tokens: it makes checkpoints for ``/completion`` only."""

    def __init__(self, server: Server) -> None:
        self.name = f"{server.name}, /completion"
        self._server = server
        begin, hole, end = (server.tokenize(text, special=True) for text in tiny("deepseek4").vocabulary.fim)
        self._begin, self._hole, self._end = begin, hole, end

    def infill(self, prefix: str, suffix: str, *, document: str = "", **fields: Any) -> Answer:
        """See ``Filler``."""
        tokenize = self._server.tokenize
        prompt = [*self._begin, *tokenize(prefix), *self._hole, *tokenize(suffix), *self._end]
        body = {"n_predict": N_PREDICT, "temperature": 0.0, "ignore_eos": True, "cache_prompt": True}
        body |= self._server.fields | fields
        stream = Stream(self._server.address, "/completion", {**body, "prompt": prompt})
        try:
            return answer_of(list(stream))
        finally:
            stream.close()


def run(setup: Setup) -> Outcome:
    """Ours and llama-server's best: the way to ask and the batch that evaluate least of the first keystrokes."""
    steps = replay(file_text(), seed=setup.seed)
    steps = steps[: setup.count(len(steps), 30)]
    first = steps[: setup.count(_TO_CHOOSE, 8)]
    trials: list[tuple[int, bool, list[Request]]] = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        model = write_tiny("deepseek4", Path(folder))
        for n_ubatch in _BATCHES if setup.llama_server else ():
            for laid_out in (False, True):
                with _theirs(setup, model, n_ubatch, laid_out) as server:
                    trials.append((n_ubatch, laid_out, ask([server], first, narrow)[0]))
        mine = stack.enter_context(ours(model))
        fillers: list[Filler] = [mine]
        if trials:
            n_ubatch, laid_out, _ = min(trials, key=lambda one: _total(one[2]))
            fillers.append(stack.enter_context(_theirs(setup, model, n_ubatch, laid_out)))
        found = ask(fillers, steps, narrow)
        suffixes = [len(mine.tokenize(narrow(step).suffix)) for step in steps]
    prompts = [request.answer.evaluated + request.answer.reused for request in found[0]]
    lines = [
        (
            f"{len(steps)} keystrokes; prompts of {median(prompts):.0f} tokens at the median, suffixes of "
            f"{median(suffixes):.0f}, {max(suffixes)} at most."
        ),
        "",
        *table(
            ["", "evaluated, median", "p95", "beyond the suffix, median", "p95", "jumps, median", "in all"],
            [_row(filler.name, requests, suffixes) for filler, requests in zip(fillers, found, strict=True)],
        ),
    ]
    if trials:
        lines += ["", *_trials(trials)]
    raw = [raw_numbers(filler.name, requests) for filler, requests in zip(fillers, found, strict=True)]
    return Outcome(lines, _bars(found, suffixes), raw)


@contextmanager
def _theirs(setup: Setup, model: Path, n_ubatch: int, laid_out: bool) -> Iterator[Filler]:
    with llama_server(setup, model, n_ubatch, fields=_ascii_only()) as server:
        yield LaidOut(server) if laid_out else server


def _ascii_only() -> dict[str, Any]:
    """What keeps random weights from writing bytes that are no text, where llama-server breaks off with an error."""
    vocabulary = tiny("deepseek4").vocabulary
    # Control tokens come first, the bytes after them.
    control = synthetic_vocabulary(vocabulary.n_tokens, vocabulary.fim).types.count(CONTROL)
    unwanted = [*range(control), *range(control + 128, control + 256)]
    return {"logit_bias": [[token, False] for token in unwanted]}


def _total(requests: Sequence[Request]) -> int:
    return sum(request.answer.evaluated for request in requests)


def _trials(trials: Sequence[tuple[int, bool, list[Request]]]) -> list[str]:
    rows = [
        [
            f"-ub {n_ubatch}, {'/completion' if laid_out else '/infill'}",
            requests[0].answer.prompt_ms,
            requests[0].answer.evaluated,
            median(a.evaluated for a in typed(requests)),
            _total(requests),
        ]
        for n_ubatch, laid_out, requests in trials
    ]
    head = ["llama-server, first keystrokes", "cold prefill, ms", "of tokens", "evaluated, median", "in all"]
    return table(head, rows)


def _row(name: str, requests: list[Request], suffixes: list[int]) -> list[object]:
    evaluated = [a.evaluated for a in typed(requests)]
    beyond = _beyond(requests, suffixes)
    return [
        name,
        median(evaluated),
        percentile(evaluated, 0.95),
        median(beyond),
        percentile(beyond, 0.95),
        median(r.answer.evaluated for r in requests if r.kind == "jump"),
        _total(requests),
    ]


def _beyond(requests: list[Request], suffixes: list[int]) -> list[int]:
    """Tokens that were evaluated although they are not the suffix's, jumps left out."""
    pairs = zip(requests, suffixes, strict=True)
    return [request.answer.evaluated - suffix for request, suffix in pairs if request.kind != "jump"]


def _bars(found: list[list[Request]], suffixes: list[int]) -> list[Bar]:
    beyond = median(_beyond(found[0], suffixes))
    evaluated = median(a.evaluated for a in typed(found[0]))
    mine, *others = map(_total, found)
    ratio = mine / others[0] if others else None
    return [
        Bar(
            "DeepSeek-V4: tokens evaluated a keystroke",
            f"≤ suffix + {_SLACK} at the median",
            f"{evaluated:.0f}, the suffix {median(suffixes):.0f}",
            beyond <= _SLACK,
        ),
        Bar(
            "DeepSeek-V4: tokens evaluated in all",
            "≤ 0.5 × llama-server's best",
            f"{mine:,}" + (f" of {others[0]:,}, {ratio:.2f} ×" if ratio else ""),
            ratio <= 0.5 if ratio else None,
        ),
    ]
