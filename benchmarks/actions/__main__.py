"""``python -m benchmarks.actions docstrings [--functions N] [--model NAME] [--resume]``."""

from __future__ import annotations

import argparse
import asyncio
import sys

from benchmarks.actions import docstrings
from benchmarks.completion.projects import cache


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measure", choices=["docstrings"])
    parser.add_argument("--functions", type=int, default=10, help="of each language")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="what was asked before is not asked again")
    options = parser.parse_args()
    outcomes = asyncio.run(docstrings.run(options.model, options.functions, options.seed, resume=options.resume))
    command = f"python -m benchmarks.actions docstrings --functions {options.functions} --seed {options.seed}"
    docstrings.report(outcomes, command, cache() / "docstrings.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
