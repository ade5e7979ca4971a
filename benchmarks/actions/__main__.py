"""``python -m benchmarks.actions docstrings|bugs|unit-tests|listing|cancel [--functions N] [--seed N] [--resume]``."""

from __future__ import annotations

import argparse
import asyncio
import sys

from benchmarks.actions import bugs, cancel, docstrings, listing, unit_tests
from benchmarks.completion.projects import cache


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("measure", choices=["docstrings", "bugs", "unit-tests", "listing", "cancel"])
    parser.add_argument("--functions", type=int, default=10, help="of each language; for unit-tests in all")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="what was asked before is not asked again")
    options = parser.parse_args()
    command = f"python -m benchmarks.actions {options.measure} --functions {options.functions} --seed {options.seed}"
    if options.measure == "bugs":
        pairs = asyncio.run(bugs.run(options.model, options.functions, options.seed, resume=options.resume))
        bugs.report(pairs, command)
        return 0
    if options.measure == "unit-tests":
        found = asyncio.run(unit_tests.run(options.model, options.functions, options.seed, resume=options.resume))
        unit_tests.report(found, command)
        return 0
    if options.measure == "cancel":
        cancel.report(asyncio.run(cancel.run(options.model, options.functions, options.seed)), command)
        return 0
    if options.measure == "listing":
        listing.report(asyncio.run(listing.run(options.functions, options.seed)), command)
        return 0
    outcomes = asyncio.run(docstrings.run(options.model, options.functions, options.seed, resume=options.resume))
    docstrings.report(outcomes, command, cache() / "docstrings.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main())
