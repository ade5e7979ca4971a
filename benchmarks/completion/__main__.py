"""``python -m benchmarks.completion [MEASURE …] --llama-server PATH [--holes N] [--model NAME] [--quick] [--resume]``.

Each measure writes ``results/completion-MEASURE.md``; a quick run into ``quick/``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shlex
import sys
import time
import traceback
from pathlib import Path

from benchmarks.completion.setup import Setup
from benchmarks.engine.outcome import Outcome, summary
from benchmarks.engine.outcome import Setup as EngineSetup
from benchmarks.engine.versions import versions
from benchmarks.results import BARS_MISSED, write_markdown
from lsp_server.models.catalog import Catalog
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from

MODEL = "qwen2.5-coder-0.5b"
MEASURES = {
    "holes": "Holes in real code, judged by its tests",
    "cross-file": "Holes that need a name from another file",
    "typing": "A replay of typing",
    "wait": "The wait for a suggestion",
}
_HOLES, _QUICK_HOLES = 60, 8


def main() -> int:
    """Run the measures; 1 if one failed, ``BARS_MISSED`` if a bar is not met."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.completion", description=__doc__.splitlines()[0])
    parser.add_argument("measures", metavar="MEASURE", nargs="*", help=f"of {', '.join(MEASURES)}; by default all")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--llama-server", default=os.environ.get("LLAMA_SERVER"), help="by default $LLAMA_SERVER")
    parser.add_argument("--llama-server-args", default="", help="more options for it, as one argument")
    parser.add_argument("--holes", type=int, help=f"of each kind; by default {_HOLES}, quick {_QUICK_HOLES}")
    parser.add_argument("--quick", action="store_true", help="a few of everything, to see whether it runs")
    parser.add_argument("--resume", action="store_true", help="keep the answers of earlier runs")
    parser.add_argument("--label", default="run", help="keeps our answers apart: with --resume only ours are new")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if unknown := set(options.measures) - MEASURES.keys():
        parser.error(f"there is no measure {', '.join(sorted(unknown))}; there are {', '.join(MEASURES)}")
    setup = _setup(options)
    failed = missed = False
    for measure in [name for name in MEASURES if name in options.measures] or list(MEASURES):
        begun = time.monotonic()
        print(f"{measure} …", file=sys.stderr)
        try:
            module = importlib.import_module(f"benchmarks.completion.rows.{measure.replace('-', '_')}")
            outcome: Outcome = module.run(setup)
        except Exception:
            # The others are worth having all the same.
            traceback.print_exc()
            failed = True
            continue
        missed |= any(bar.met is False for bar in outcome.bars) and not options.quick
        print(f"{measure}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
        _write(measure, outcome, options, versions(setup.engine))
    return 1 if failed else BARS_MISSED if missed else 0


def _setup(options: argparse.Namespace) -> Setup:
    # Found before the measures get a home of their own.
    model = store_from("", registry_mirror=False).locate(parse_ref(options.model, Catalog.load())).path
    engine = EngineSetup(
        model=model,
        llama_server=Path(options.llama_server).resolve() if options.llama_server else None,
        llama_server_args=tuple(shlex.split(options.llama_server_args)),
        quick=options.quick,
        seed=options.seed,
    )
    holes = options.holes or engine.count(_HOLES, _QUICK_HOLES)
    return Setup(engine, options.model, holes, options.label, options.resume)


def _write(measure: str, outcome: Outcome, options: argparse.Namespace, peers: dict[str, str]) -> None:
    lines = [f"## {MEASURES[measure]}", "", f"{options.model} on the CPU, the same file for all.", ""]
    lines += [*summary(outcome.bars), "", *outcome.lines]
    # The first model's results are what the notes refer to; another's lie beside them.
    name = f"completion-{measure}" + (f"-{options.model}" if options.model != MODEL else "")
    command = _command(measure, options)
    write_markdown(name, command, lines, numbers=outcome.raw or None, peers=peers, quick=options.quick)


def _command(measure: str, options: argparse.Namespace) -> str:
    """The command without this machine's paths."""
    parts = ["python -m benchmarks.completion", measure, *["--llama-server …"] * bool(options.llama_server)]
    parts += [f"--llama-server-args '{options.llama_server_args}'"] * bool(options.llama_server_args)
    parts += [f"--holes {options.holes}"] * bool(options.holes)
    parts += [f"--model {options.model}"] * (options.model != MODEL) + ["--quick"] * options.quick
    return " ".join(parts + [f"--seed {options.seed}"] * (options.seed != 1))


if __name__ == "__main__":
    sys.exit(main())
