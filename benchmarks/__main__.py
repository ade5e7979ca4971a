"""Run the benchmarks of all areas, or of some, in turn: ``make bench``, ``python -m benchmarks``.

Quick runs say whether all of it runs, and write into benchmarks/results/quick/; --full takes hours and writes
benchmarks/results/, the plots and the pages of the documentation. What has results of this commit is not run again.
"""

from __future__ import annotations

import argparse
import functools
import signal
import sys
from collections.abc import Container, Sequence
from pathlib import Path

from benchmarks import summary
from benchmarks.areas import AREAS, PEERS, Area
from benchmarks.conditions import ROOT, commit
from benchmarks.results import folder
from benchmarks.running import Run, run_all
from lsp_server.engine.hardware import installed_library
from lsp_server.errors import ShardlightError
from lsp_server.models.catalog import Catalog
from lsp_server.models.reference import parse_ref
from lsp_server.models.store import store_from
from tools import peers as other_programs
from tools.editors.fetching import NotHereError

LOGS = ROOT / "build" / "bench"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, and draw what came of it; 1 if something failed, 130 after Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--full", action="store_true", help="as the published figures are measured; hours")
    parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these areas; see --list")
    parser.add_argument("--again", action="store_true", help="what has results of this commit, too")
    parser.add_argument("--list", action="store_true", help="show the areas, and run nothing")
    options = parser.parse_args(arguments)
    if unknown := set(options.only) - {area.name for area in AREAS}:
        parser.error(f"there is no area {', '.join(sorted(unknown))}; --list shows them")
    if options.list:
        print("\n".join(listing(AREAS)))
        return 0
    areas = [area for area in AREAS if not options.only or area.name in options.only]
    if not options.full:
        areas = [area for area in areas if area.quick is not None or options.only]
    wanted = [peer for peer in PEERS if any(peer in (*area.needs, *area.beside) for area in areas)]
    found = here(wanted)
    run = Run(
        quick=not options.full,
        commit=commit(),
        results=folder(quick=not options.full),
        logs=LOGS,
        lacking=functools.partial(lacking, peers=found, quick=not options.full),
        peers=found,
        say=lambda line: print(line, flush=True),
    )
    try:
        failed = run_all(run, areas, again=options.again)
    except KeyboardInterrupt:
        print("Stopped. What is done is kept: the same command goes on from here.", file=sys.stderr)
        return 130
    written = summary.write(quick=not options.full)
    print(f"Results are in {_shown(run.results)}, a summary and the plots in {_shown(written)}.")
    if missing := set(wanted) - found.keys():
        print(f"Nothing is compared with {' and '.join(sorted(missing))}.")
    if failed:
        print(f"Failed: {', '.join(failed)}. What they said is in {_shown(LOGS)}.")
    return int(bool(failed))


def listing(areas: Sequence[Area]) -> list[str]:
    """The areas, a line each."""
    width = max(len(area.name) for area in areas)
    lines = [f"{'area':<{width}}  {'quick':>7}  {'full':>7}  needs"]
    for area in areas:
        quick = f"{area.minutes[0]:g} min" if area.quick is not None else "–"
        beside = [f"{peer} if it is here" for peer in area.beside]
        in_full = [f"{need} in full" for need in area.needs_in_full]
        needs = ", ".join([*area.needs, *in_full, *beside]) or "–"
        lines.append(f"{area.name:<{width}}  {quick:>7}  {f'{area.minutes[1]:g} min':>7}  {needs}")
    return lines


def here(wanted: Sequence[str]) -> dict[str, Path]:
    """The peers that can be had on this machine; of the others it is said why not."""
    fetch = {"llama-server": other_programs.llama_server, "node-llama-cpp": other_programs.node_llama_cpp}
    found = {}
    for name in wanted:
        try:
            found[name] = fetch[name](other_programs.cache_folder())
        except NotHereError as error:
            print(f"Without {name}: {error}", file=sys.stderr)
    return found


def lacking(area: Area, peers: Container[str], *, quick: bool) -> str:
    """What the area needs and is not here, in words; empty if nothing."""
    for need in area.needs if quick else (*area.needs, *area.needs_in_full):
        if need == "gpu":
            if not any(device.kind in ("gpu", "igpu") for device in installed_library().devices):
                return "llama.cpp sees no GPU here"
        elif need == "linux":
            if sys.platform != "linux":
                return "it harms processes in ways that only Linux has"
        elif need in PEERS:
            if need not in peers:
                return f"{need} is not here"
        else:
            try:
                store_from("", registry_mirror=False).locate(parse_ref(need, Catalog.load()))
            except ShardlightError:
                return f"the model {need} is not here: shardlight models pull {need}"
    return ""


def _shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _stoppable() -> None:
    """Be stopped by Ctrl-C and by SIGTERM alike, even where a shell has started this with Ctrl-C switched off."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    _stoppable()
    sys.exit(main())
