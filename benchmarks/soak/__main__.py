"""The command line of the long use."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.results import insert, write_markdown
from benchmarks.soak import report
from benchmarks.soak.record import Record, read
from benchmarks.soak.use import Use


def main() -> int:
    """Use it for a while, or take what was seen; write the tables. 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak", description=sys.modules["benchmarks.soak"].__doc__
    )
    parser.add_argument("--minutes", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill-every", type=float, default=30.0, help="minutes between two ends of the engine")
    parser.add_argument(
        "--folder", type=Path, help="for workspaces, caches and states; removed at the end if not given"
    )
    parser.add_argument("--into", type=Path, help="the file for what is seen; one in FOLDER if not given")
    parser.add_argument("--from", dest="seen", type=Path, help="the file of an earlier run, instead of a new one")
    options = parser.parse_args()
    if options.seen:
        return reported(options.seen)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="shardlight-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    into = (options.into or folder / "soak.jsonl").absolute()
    print(f"What is seen goes into {into}.", file=sys.stderr)
    use = Use(folder.absolute(), Record(into), options.seed, options.minutes, options.kill_every * 60)
    try:
        asyncio.run(use.run())
    finally:
        shutil.rmtree(folder / "work", ignore_errors=True)
    code = reported(into)
    if options.folder is None and options.into is not None:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def reported(seen: Path) -> int:
    """Write the tables of a run. 1 if something is not as it should be."""
    found = report.Seen(read(seen))
    if not found.minutes:
        print("Not a minute was seen.", file=sys.stderr)
        return 1
    start = found.start
    command = f"python -m benchmarks.soak --minutes {start['minutes']} --seed {start['seed']}"
    write_markdown("soak", command, report.details(found), numbers=read(seen))
    insert("docs/reliability.md", "soak", command, report.table(found))
    return 1 if report.problems(found) else 0


if __name__ == "__main__":
    sys.exit(main())
