"""Milliseconds of steps of 1 to 64 tokens, by what a plan may choose: ``python -m benchmarks.steps [MODEL]``.

A keystroke, a guess ahead and two windows at once are all such steps. Contexts under every combination of flash
attention, rearranged weights and one or four sequences are held side by side and run in another order each round.
"""

from __future__ import annotations

import argparse
import itertools
import random
import statistics
import sys
import time
from dataclasses import replace

from benchmarks.results import write_markdown
from lsp_server.engine import processor
from lsp_server.engine.native.context import NativeContext, Part
from lsp_server.engine.native.model import NativeModel
from lsp_server.models.catalog import Catalog
from lsp_server.models.planning.settings import LoadSettings
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from

_SIZES = (1, 2, 4, 8, 16, 32, 63, 64, 256)
_DEPTH = 512


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="qwen2.5-coder-0.5b")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    path = store_from("", registry_mirror=False).locate(parse_ref(options.model, Catalog.load())).path
    threads = processor.default_threads()
    base = LoadSettings(0, 2048, 512, threads, threads)
    models = {extra: NativeModel(path, replace(base, use_extra_bufts=extra)) for extra in (False, True)}
    contexts = {
        (flash, extra, n): NativeContext(
            models[extra], replace(base, flash_attn=flash, use_extra_bufts=extra, n_seq_max=n)
        )
        for flash, extra, n in itertools.product((True, False), (False, True), (1, 4))
    }
    tokens = [(i * 7919) % 70_000 + 100 for i in range(_DEPTH + max(_SIZES))]
    for context in contexts.values():
        context.decode([Part(0, tokens[:_DEPTH], 0)])
    found: dict[tuple[tuple[bool, bool, int], int], list[float]] = {}
    order = random.Random(1)
    for number, size in itertools.product(range(options.rounds), _SIZES):
        for key in order.sample(list(contexts), len(contexts)):
            began = time.perf_counter()
            contexts[key].decode([Part(0, tokens[-size:], _DEPTH, n_outputs=1)])
            if number:
                found.setdefault((key, size), []).append(time.perf_counter() - began)
            contexts[key].drop_tail(0, _DEPTH)
    lines = [f"{options.model}, behind {_DEPTH} tokens: milliseconds a step, medians of {options.rounds - 1}.", ""]
    lines += [f"| flash attention | weights | sequences | {' | '.join(map(str, _SIZES))} |"]
    lines += ["|---|---|--:|" + "--:|" * len(_SIZES)]
    for flash, extra, n in contexts:
        row = [f"{statistics.median(found[(flash, extra, n), size]) * 1000:.1f}" for size in _SIZES]
        words = "on" if flash else "off", "rearranged" if extra else "as they are", str(n)
        lines.append(f"| {' | '.join([*words, *row])} |")
    write_markdown(f"steps-{options.model}", f"python -m benchmarks.steps {options.model}", lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
