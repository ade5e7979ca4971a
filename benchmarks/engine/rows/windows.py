"""Two windows at once: tokens per second of two documents together, and of one."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

from benchmarks.engine.contenders import engine_settings, in_python
from benchmarks.engine.outcome import Bar, Outcome, Setup, median, table
from benchmarks.engine.peers import Server, ours
from benchmarks.engine.source import file_text

_N_PREDICT = 64
_CHARS = 1200
_BASE = 400  # tokens
_BAR = 1.4


def run(setup: Setup) -> Outcome:
    """One, the other and both, in turn; prompts that are there already."""
    text = file_text()
    documents = [(text[:_CHARS], text[_CHARS : _CHARS + 400]), (text[-_CHARS - 400 : -400], text[-400:])]
    one: list[float] = []
    both: list[float] = []
    with ours(setup.model) as server, ThreadPoolExecutor(2) as pool:
        for i in range(1 + setup.count(7, 2)):
            alone = _rate(server, documents[:1], pool)
            together = _rate(server, documents, pool)
            other = _rate(server, documents[1:], pool)
            if i:
                one += [alone, other]
                both.append(together)
    ratio = median(both) / median(one)
    single, double = _steps(setup)
    lines = table(["", "runs", "tok/s, median"], [["one", len(one), median(one)], ["two", len(both), median(both)]])
    lines += [
        "",
        (
            f"A step of one token takes llama.cpp {single:.1f} ms, one of two, logits of both, {double:.1f} ms: what "
            f"shares steps, and does nothing else, comes to {2 * single / double:.2f} ×."
        ),
    ]
    bar = Bar("two windows at once, total tok/s", f"≥ {_BAR} × one", f"{ratio:.2f} ×", ratio >= _BAR)
    return Outcome(lines, [bar])


def _steps(setup: Setup) -> tuple[float, float]:
    """Milliseconds of a step of one token and of one of two, of both of which logits are wanted: llama.cpp alone."""
    base = [1000 + i for i in range(_BASE)]
    single, double = [], []
    with in_python("ours", setup, engine_settings(setup)) as bare:
        bare.ms([], base)
        for i in range(setup.count(40, 10)):
            single.append(bare.ms(base, [2000 + i]))
            double.append(bare.ms(base, [3000 + i, 4000 + i], rows=2))
    return median(single), median(double)


def _rate(server: Server, documents: list[tuple[str, str]], pool: ThreadPoolExecutor) -> float:
    """Tokens per second of all together, from the first request to the last event."""
    begun = time.perf_counter()
    futures = [
        pool.submit(server.infill, prefix, suffix, document=prefix[:40], n_predict=_N_PREDICT)
        for prefix, suffix in documents
    ]
    tokens = sum(future.result().generated for future in futures)
    return tokens / (time.perf_counter() - begun)
