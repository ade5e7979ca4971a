"""``python -m benchmarks.engine [ROW …] [--llama-server PATH] [--node-llama-cpp DIR] [--quick]``.

All rows together write ``results/engine.md``, some of them ``results/engine-ROW….md``; a quick run into ``quick/``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import shlex
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from benchmarks.engine.outcome import Outcome, Setup, summary
from benchmarks.engine.peers import home
from benchmarks.engine.versions import versions
from benchmarks.results import BARS_MISSED, write_markdown
from lsp_server.models.catalog import Catalog
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from

MODEL = "qwen2.5-coder-0.5b"
ROWS = {
    "rates": "Bare speed",
    "typing": "Typing",
    "deepseek4": "Typing with DeepSeek-V4's memory",
    "cancel": "Cancellation",
    "http": "The wire",
    "preempt": "A suggestion during a long action",
    "windows": "Two windows at once",
    "speculation": "Guessing ahead",
    "neighbour": "Beside a busy core",
    "memory": "Memory",
}
_MOST_RAW_BYTES = 100_000


def main() -> int:
    """Run the rows; 1 if one failed, ``BARS_MISSED`` if a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine", description=__doc__.splitlines()[0])
    parser.add_argument("rows", metavar="ROW", nargs="*", help=f"of {', '.join(ROWS)}; all of them if none is named")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--llama-server", default=os.environ.get("LLAMA_SERVER"), help="by default $LLAMA_SERVER")
    parser.add_argument("--llama-server-args", default="", help="more options for it, as one argument")
    parser.add_argument("--node-llama-cpp", help="folder in which npm has installed it")
    parser.add_argument("--quick", action="store_true", help="a few of everything, to see whether it runs")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if unknown := set(options.rows) - ROWS.keys():
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    # Found before the rows get a home of their own.
    model = store_from("", registry_mirror=False).locate(parse_ref(options.model, Catalog.load())).path
    setup = Setup(
        model=model,
        llama_server=Path(options.llama_server).resolve() if options.llama_server else None,
        llama_server_args=tuple(shlex.split(options.llama_server_args)),
        node_llama_cpp=Path(options.node_llama_cpp) if options.node_llama_cpp else None,
        quick=options.quick,
        seed=options.seed,
    )
    rows = [row for row in ROWS if row in options.rows] or list(ROWS)
    outcomes, failures = _run(rows, setup)
    bars = [bar for outcome in outcomes.values() for bar in outcome.bars]
    lines = [f"{options.model} on the CPU; each row on engines of its own.", "", *summary(bars)]
    lines += [f"\n{ROWS[row]} (`{row}`) failed: {reason}" for row, reason in failures.items()]
    for row, outcome in outcomes.items():
        lines += ["", f"## {ROWS[row]}", "", *outcome.lines]
    name = "engine" if rows == list(ROWS) else "-".join(["engine", *rows])
    numbers = {row: outcome.raw for row, outcome in outcomes.items() if _is_small(outcome)}
    command, peers = _command(options, rows), versions(setup)
    write_markdown(name, command, lines, numbers=numbers, peers=peers, quick=setup.quick)
    missed = any(bar.met is False for bar in bars) and not setup.quick
    return 1 if failures else BARS_MISSED if missed else 0


def _run(rows: Sequence[str], setup: Setup) -> tuple[dict[str, Outcome], dict[str, str]]:
    """What came of each row, and why some failed."""
    outcomes: dict[str, Outcome] = {}
    failures: dict[str, str] = {}
    with home():
        for row in rows:
            begun = time.monotonic()
            print(f"{row} …", file=sys.stderr)
            try:
                outcomes[row] = importlib.import_module(f"benchmarks.engine.rows.{row}").run(setup)
            except Exception as error:
                # The others are worth having all the same.
                traceback.print_exc()
                failures[row] = f"{type(error).__name__}: {error}"
            print(f"{row}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    return outcomes, failures


def _command(options: argparse.Namespace, rows: Sequence[str]) -> str:
    """The command without this machine's paths."""
    parts = ["python -m benchmarks.engine", *(rows if options.rows else [])]
    parts += ["--llama-server …"] * bool(options.llama_server)
    parts += [f"--llama-server-args '{options.llama_server_args}'"] * bool(options.llama_server_args)
    parts += ["--node-llama-cpp …"] * bool(options.node_llama_cpp)
    parts += [f"--model {options.model}"] * (options.model != MODEL) + ["--quick"] * options.quick
    return " ".join(parts + [f"--seed {options.seed}"] * (options.seed != 1))


def _is_small(outcome: Outcome) -> bool:
    return bool(outcome.raw) and len(json.dumps(outcome.raw)) < _MOST_RAW_BYTES


if __name__ == "__main__":
    sys.exit(main())
