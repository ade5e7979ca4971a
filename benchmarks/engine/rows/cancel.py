"""How soon another document's request is decoded after a running one's connection was closed."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from itertools import islice

from benchmarks.engine.outcome import Bar, Outcome, Setup, median, percentile, table
from benchmarks.engine.peers import Server, ours
from benchmarks.engine.source import file_text
from benchmarks.engine.wire import Stream

_N_CTX = 8192
_LONG_TOKENS = 4000
_SHORT_CHARS = 400
_BARS_MS = {"decode": 60.0, "prefill": 200.0}


def run(setup: Setup) -> Outcome:
    """Trials of both kinds, and the next request on a quiet engine between them."""
    n = setup.count(25, 3)
    rng = random.Random(setup.seed)
    text = file_text()
    with ours(setup.model, n_ctx=_N_CTX) as server:
        long = _cut(server, text)
        following = _following(server, text[:_SHORT_CHARS])
        following()
        quiet, decode, prefill = [], [], []
        running = 0
        for i in range(n):
            quiet.append(following())
            decode.append(_cancelled(_decoding(server, text[-1500:], rng), following))
            running += _running(server)
            # Begins otherwise each time, so that nothing of it is there already.
            prefill.append(_cancelled(_prefilling(server, f"# Trial {i}\n{long}", rng), following))
            running += _running(server)
    found = {"quiet": quiet, "decode": decode, "prefill": prefill}
    lines = [
        (
            f"Milliseconds from hanging up to the first event of the next request, {n} times; that request on a quiet "
            "engine beside it, of which nothing is taken off."
        ),
        f"After it {running} of the {2 * n} cancelled requests were still running.",
        "",
        *table(
            ["", "p50", "p95", "longest"],
            [[name, median(ms), percentile(ms, 0.95), max(ms)] for name, ms in found.items()],
        ),
    ]
    bars = [
        Bar(
            f"cancellation in {name} to the next request being decoded, p95",
            f"≤ {bar:.0f} ms",
            f"{percentile(found[name], 0.95):.0f} ms (quiet {percentile(quiet, 0.95):.0f} ms)",
            percentile(found[name], 0.95) <= bar,
        )
        for name, bar in _BARS_MS.items()
    ]
    raw = [{"what": name, "ms": [round(one, 1) for one in ms]} for name, ms in found.items()]
    return Outcome(lines, bars, raw)


def _cut(server: Server, text: str) -> str:
    """So much of the text, repeated, that a prompt has about 4,000 tokens."""
    whole = text * 3
    return whole[: len(whole) * _LONG_TOKENS // len(server.tokenize(whole))]


def _following(server: Server, prefix: str) -> Callable[[], float]:
    """The next request, in another document: one digit more each time, which is one token; milliseconds."""
    digits = 0

    def ask() -> float:
        nonlocal digits
        digits += 1
        answer = server.infill(f"{prefix}\nx = {'1' * digits}", "\n", document="next", n_predict=2)
        return answer.ttft_ms

    return ask


def _decoding(server: Server, prefix: str, rng: random.Random) -> Stream:
    """A request in the midst of its answer."""
    body = server.infill_body(f"{prefix}\n# {rng.random()}\n", "\n", document="first", n_predict=400)
    stream = Stream(server.address, "/infill", body)
    for _ in islice(stream, rng.randint(3, 12)):
        pass
    time.sleep(rng.random() * 0.05)
    return stream


def _prefilling(server: Server, prefix: str, rng: random.Random) -> Stream:
    """A request in the midst of its prompt, which takes much longer than it is waited for."""
    stream = Stream(server.address, "/infill", server.infill_body(prefix, "\n", document="first"))
    time.sleep(0.5 + rng.random())
    return stream


def _running(server: Server) -> int:
    return sum(slot["is_processing"] for slot in server.address.get("/slots"))


def _cancelled(running: Stream, following: Callable[[], float]) -> float:
    begun = time.perf_counter()
    running.close()
    hung_up = (time.perf_counter() - begun) * 1000
    return hung_up + following()
