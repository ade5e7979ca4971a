"""Predicted against measured speed on this machine: ``python -m benchmarks.speed [MODEL …]``.

Each model is planned and run under its plan, several times in turn with the others; the medians count.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.results import insert, write_markdown
from benchmarks.sweep import N_CTX, Rates, run
from lsp_server.engine.hardware import installed_library
from lsp_server.engine.loading import survey
from lsp_server.models.catalog import Catalog
from lsp_server.models.planning.plan import Wishes
from lsp_server.models.planning.planner import make_plan
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from

MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")


def main() -> int:
    """Run, print and write; 1 if a prediction is off by more than a quarter."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", metavar="MODEL", nargs="*", default=MODELS)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    store, library = store_from("", registry_mirror=False), installed_library()
    paths = {name: store.locate(parse_ref(name, Catalog.load())).path for name in options.models}
    plans = {name: make_plan(*survey(path, library), Wishes("completion", N_CTX)) for name, path in paths.items()}
    rates = {name: Rates() for name in paths}
    for _ in range(options.rounds):
        for name, path in paths.items():
            rates[name].add(*run(path, plans[name].settings))
    lines = ["| model | prefill tok/s | predicted | off | decode tok/s | predicted | off |"]
    lines += ["|---|--:|--:|--:|--:|--:|--:|"]
    worst = 0.0
    for name, found in rates.items():
        predicted = plans[name].predicted
        prefill, decode = predicted.prefill / found.prefill - 1, predicted.decode / found.decode - 1
        worst = max(worst, abs(prefill), abs(decode))
        lines.append(
            f"| {name} | {found.prefill:.0f} | {predicted.prefill:.0f} | {prefill:+.0%} | "
            f"{found.decode:.1f} | {predicted.decode:.1f} | {decode:+.0%} |"
        )
    command = "python -m benchmarks.speed"
    write_markdown("speed", command, lines)
    insert("docs/hardware.md", "speed", command, lines)
    return 0 if worst <= 0.25 else 1


if __name__ == "__main__":
    sys.exit(main())
