"""Is the plan the best there is on this machine? ``python -m benchmarks.sweep [MODEL] [--llama-server PATH]``.

Loads a model under the plan's settings and under every other combination of threads, batch sizes, cache types, flash
attention and rearranged weights, once each. Those that came near the best are then all held in memory and run in turn,
in another order each round, so that other programs' noise hits all alike; medians are compared. With ``--llama-server``
that program takes part in the rounds, as it comes and at its best batch.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from benchmarks.results import insert, write_markdown
from lsp_server.engine.hardware import installed_library
from lsp_server.engine.loading import survey
from lsp_server.engine.native.context import NativeContext, Part
from lsp_server.engine.native.model import NativeModel
from lsp_server.models.catalog import Catalog
from lsp_server.models.planning.plan import Wishes
from lsp_server.models.planning.planner import make_plan
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from

DEFAULT_MODEL = "qwen2.5-coder-0.5b"
N_CTX = 2048
PROMPT, ANSWER = 512, 32


@dataclass
class Rates:
    """Tokens per second over some runs; the medians count, for the best of many runs is the luckiest of them."""

    runs: list[tuple[float, float]] = field(default_factory=list)

    def add(self, prefill: float, decode: float) -> None:
        """One more run."""
        self.runs.append((prefill, decode))

    @property
    def prefill(self) -> float:
        """Of prompts."""
        return statistics.median(prefill for prefill, _ in self.runs)

    @property
    def decode(self) -> float:
        """One by one."""
        return statistics.median(decode for _, decode in self.runs)


def variants(plan: LoadSettings) -> list[LoadSettings]:
    """The plan, and all that differ from it in what a sweep turns; other thread counts with the extreme batches."""
    n = plan.n_threads
    threads = [count for count in (1, n // 2, 2 * n) if count not in (0, n)]
    grid = [*itertools.product((n,), (64, 128, 256, 512), ("F16", "Q8_0"), (True, False), (True, False))]
    grid += [*itertools.product(dict.fromkeys(threads), (64, 512), ("F16",), (True,), (True, False))]
    found = [
        replace(
            plan,
            n_threads=count,
            n_threads_batch=count,
            n_ubatch=batch,
            type_k=kind,
            type_v=kind,
            flash_attn=fa,
            use_extra_bufts=extra,
        )
        for count, batch, kind, fa, extra in grid
        if fa or kind == "F16"  # llama.cpp quantizes values only with flash attention
    ]
    return [plan, *(settings for settings in found if settings != plan)]


def run(path: Path, settings: LoadSettings, n_prompt: int = PROMPT) -> tuple[float, float]:
    """(prefill, decode) in tokens per second, of a model that is loaded for the purpose."""
    model = NativeModel(path, settings)
    context = NativeContext(model, settings)
    context.decode([Part(0, _tokens(model.n_vocab, n_prompt)[: settings.n_batch], 0, n_outputs=1)])
    rates = run_context(context, n_prompt)
    context.close()
    model.close()
    return rates


def run_context(context: NativeContext, n_prompt: int = PROMPT) -> tuple[float, float]:
    """(prefill, decode) in tokens per second: a prompt of 512 tokens or so many, then 32 one by one."""
    tokens, step = _tokens(context.model.n_vocab, n_prompt), context.n_batch
    context.clear(0)
    begun = time.perf_counter()
    for start in range(0, n_prompt, step):
        part = tokens[start : start + step]
        context.decode([Part(0, part, start, n_outputs=int(start + len(part) == n_prompt))])
    prefill = n_prompt / (time.perf_counter() - begun)
    begun = time.perf_counter()
    for i in range(ANSWER):
        context.decode([Part(0, [tokens[i]], n_prompt + i, n_outputs=1)])
    return prefill, ANSWER / (time.perf_counter() - begun)


def _tokens(n_vocab: int, count: int = PROMPT) -> list[int]:
    return [(i * 7919) % (n_vocab // 2) + 100 for i in range(count)]


@contextmanager
def llama_server(program: Path, model: Path, options: Sequence[str]) -> Iterator[str]:
    """A llama-server with a model on the CPU; yields its URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [str(program), "-m", str(model), "--host", "127.0.0.1", "--port", str(port), "-c", str(N_CTX), "-np", "1"]
    command += ["--device", "none", "-ngl", "0", "--offline", "--no-webui", *options]
    environ = {**os.environ, "LD_LIBRARY_PATH": str(program.parent)}
    process = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            if process.poll() is not None:
                raise SystemExit(f"{program} ended with code {process.returncode}: {' '.join(command)}")
            try:
                if httpx.get(f"{url}/health", trust_env=False).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait()


def run_server(url: str, n_vocab: int) -> tuple[float, float]:
    """(prefill, decode) as llama-server itself reports them, for the same tokens."""
    body = {"prompt": _tokens(n_vocab), "n_predict": ANSWER, "ignore_eos": True, "temperature": 0}
    answer = httpx.post(f"{url}/completion", json={**body, "cache_prompt": False}, timeout=300, trust_env=False)
    timings = answer.json()["timings"]
    return timings["prompt_per_second"], timings["predicted_per_second"]


def describe(s: LoadSettings) -> str:
    """What a sweep turns, in one cell."""
    return (
        f"{s.n_threads} threads, batch {s.n_ubatch}, {s.type_k}, flash attention {'on' if s.flash_attn else 'off'}, "
        f"{'rearranged' if s.use_extra_bufts else 'as they are'}"
    )


def _rounds(contenders: Mapping[str, Callable[[], tuple[float, float]]], n_rounds: int) -> dict[str, Rates]:
    """Each contender once a round, in another order each time; the first round warms all up and does not count."""
    final = {name: Rates() for name in contenders}
    order = random.Random(1)
    for number in range(n_rounds + 1):
        for name in order.sample(list(contenders), len(contenders)):
            rates = contenders[name]()
            if number:
                final[name].add(*rates)
    return final


def main() -> int:
    """Run the sweep, print and write its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default=DEFAULT_MODEL)
    parser.add_argument("--llama-server", type=Path, help="the program to compare with")
    parser.add_argument("--rounds", type=int, default=3, help="runs of the finalists, interleaved")
    options = parser.parse_args()
    store = store_from("", registry_mirror=False)
    path = store.locate(parse_ref(options.model, Catalog.load())).path
    model, here = survey(path, installed_library())
    # As the engine plans: completion is what such a machine does most.
    plan = make_plan(model, here, Wishes("completion", N_CTX)).settings
    every = variants(plan)
    first = {settings: Rates() for settings in every}
    for number, settings in enumerate(every, start=1):
        first[settings].add(*run(path, settings))
        sys.stderr.write(f"\r{number} of {len(every)} settings")
    # Whoever came near the best in either runs again, in turn with the plan.
    best_prefill, best_decode = max(r.prefill for r in first.values()), max(r.decode for r in first.values())
    near = sorted(every, key=lambda s: -max(first[s].prefill / best_prefill, first[s].decode / best_decode))[:5]
    other = replace(plan, use_extra_bufts=not plan.use_extra_bufts)
    finalists = list(dict.fromkeys([plan, other, replace(plan, flash_attn=False), *near]))
    with ExitStack() as stack:
        models = {extra: NativeModel(path, replace(plan, use_extra_bufts=extra)) for extra in (True, False)}
        contenders: dict[str, Callable[[], tuple[float, float]]] = {}
        for settings in finalists:
            context = NativeContext(models[settings.use_extra_bufts], settings)
            name = ("**the plan**: " if settings == plan else "") + describe(settings)
            contenders[name] = functools.partial(run_context, context)
        if options.llama_server:
            threads = ["-t", str(plan.n_threads)]
            for extra in (threads, [*threads, "-fa", "on", "-b", "512", "-ub", "512"]):
                url = stack.enter_context(llama_server(options.llama_server, path, extra))
                contenders[f"llama-server {' '.join(extra)}"] = functools.partial(
                    run_server, url, model.card.n_vocab or 0
                )
        final = _rounds(contenders, options.rounds)
    top_prefill, top_decode = max(r.prefill for r in final.values()), max(r.decode for r in final.values())
    lines = [f"{options.model}: {len(every)} settings once, the best of them {options.rounds} times in turn, medians."]
    lines += ["", "| | prefill tok/s | of the best | decode tok/s | of the best |", "|---|--:|--:|--:|--:|"]
    lines += [
        f"| {name} | {rates.prefill:.0f} | {rates.prefill / top_prefill:.2f} | "
        f"{rates.decode:.1f} | {rates.decode / top_decode:.2f} |"
        for name, rates in final.items()
    ]
    slowest = min(every, key=lambda s: first[s].decode)
    lines += [
        "",
        f"The slowest: {describe(slowest)}: {first[slowest].prefill:.0f} and {first[slowest].decode:.1f} tok/s.",
    ]
    command = " ".join(["python -m benchmarks.sweep", options.model, "--llama-server …" * bool(options.llama_server)])
    write_markdown(f"sweep-{options.model}", command, lines)
    if options.model == DEFAULT_MODEL:
        insert("docs/hardware.md", "sweep", command, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
