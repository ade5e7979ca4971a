"""Is the plan the best there is on this machine? ``python -m benchmarks.sweep [MODEL] [--llama-server PATH]``.

Loads a model under the plan's settings and under every other combination of threads, batch sizes, cache types, flash
attention and rearranged weights, once each. Those that came near the best are then all held in memory and run in turn,
in another order each round, so that other programs' noise hits all alike; medians are compared. With ``--llama-server``
that program takes part in the rounds, as it comes and at its best batch.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx

from benchmarks.results import insert, write_markdown
from lsp_server.engine.hardware import installed_library
from lsp_server.engine.loading import survey
from lsp_server.engine.native.context import NativeContext
from lsp_server.engine.native.model import NativeModel
from lsp_server.models.catalog import Catalog
from lsp_server.models.planning.plan import Wishes
from lsp_server.models.planning.planner import make_plan
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from

DEFAULT_MODEL = "qwen2.5-coder-0.5b"
N_CTX = 2048
PROMPT, ANSWER = 512, 24


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


def run(path: Path, settings: LoadSettings) -> tuple[float, float]:
    """(prefill, decode) in tokens per second: a prompt of 512 tokens, then 24 one by one."""
    model = NativeModel(path, settings)
    context = NativeContext(model, settings)
    tokens = [(i * 7919) % (model.n_vocab // 2) + 100 for i in range(PROMPT)]
    context.decode(tokens[: settings.n_batch], 0, want_logits=True)
    context.clear()
    begun = time.perf_counter()
    for start in range(0, PROMPT, settings.n_batch):
        part = tokens[start : start + settings.n_batch]
        context.decode(part, start, want_logits=start + len(part) == PROMPT)
    prefill = PROMPT / (time.perf_counter() - begun)
    begun = time.perf_counter()
    for i in range(ANSWER):
        context.decode([tokens[i]], PROMPT + i, want_logits=True)
    decode = ANSWER / (time.perf_counter() - begun)
    context.close()
    model.close()
    return prefill, decode


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


def run_server(program: Path, model: Path, options: Sequence[str], n_vocab: int) -> tuple[float, float]:
    """(prefill, decode) as llama-server itself reports them, for the same tokens."""
    tokens = [(i * 7919) % (n_vocab // 2) + 100 for i in range(PROMPT)]
    with llama_server(program, model, options) as url:
        body = {"prompt": tokens, "n_predict": ANSWER, "ignore_eos": True, "temperature": 0, "cache_prompt": False}
        httpx.post(f"{url}/completion", json={**body, "n_predict": 1}, timeout=300, trust_env=False)
        answer = httpx.post(f"{url}/completion", json=body, timeout=300, trust_env=False)
        timings = answer.json()["timings"]
    return timings["prompt_per_second"], timings["predicted_per_second"]


def describe(s: LoadSettings) -> str:
    """What a sweep turns, in one cell."""
    return (
        f"{s.n_threads} threads, batch {s.n_ubatch}, {s.type_k}, flash attention {'on' if s.flash_attn else 'off'}, "
        f"{'rearranged' if s.use_extra_bufts else 'as they are'}"
    )


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
    finalists = list(dict.fromkeys([plan, other, replace(plan, n_ubatch=256), replace(other, n_ubatch=256), *near]))
    final = {settings: Rates() for settings in finalists}
    servers: dict[str, Rates] = {}
    if options.llama_server:
        threads = ["-t", str(plan.n_threads)]
        servers = {
            json.dumps(extra): Rates() for extra in ([*threads], [*threads, "-fa", "on", "-b", "512", "-ub", "512"])
        }
    for _ in range(options.rounds):
        for settings in finalists:
            final[settings].add(*run(path, settings))
        for extra, rates in servers.items():
            rates.add(*run_server(options.llama_server, path, json.loads(extra), model.card.n_vocab or 0))
    top_prefill, top_decode = max(r.prefill for r in final.values()), max(r.decode for r in final.values())
    lines = [
        f"{options.model}: {len(every)} settings once, {len(finalists)} of them {options.rounds} times more, in turn."
    ]
    lines += ["", "| | prefill tok/s | of the best | decode tok/s | of the best |", "|---|--:|--:|--:|--:|"]

    def row(name: str, rates: Rates) -> str:
        return (
            f"| {name} | {rates.prefill:.0f} | {rates.prefill / top_prefill:.2f} | "
            f"{rates.decode:.1f} | {rates.decode / top_decode:.2f} |"
        )

    lines += [row(("**the plan**: " if s == plan else "") + describe(s), final[s]) for s in finalists]
    lines += [row(f"llama-server {' '.join(json.loads(extra))}", rates) for extra, rates in servers.items()]
    slowest = min(every, key=lambda s: first[s].decode)
    lines += [
        "",
        f"The slowest: {describe(slowest)}: {first[slowest].prefill:.0f} and {first[slowest].decode:.1f} tok/s.",
    ]
    command = " ".join(["python -m benchmarks.sweep", options.model, *(["--llama-server …"] if servers else [])])
    write_markdown(f"sweep-{options.model}", command, lines)
    if options.model == DEFAULT_MODEL:
        insert("docs/hardware.md", "sweep", command, lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
