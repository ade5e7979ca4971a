"""Measure, and write the table."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import benchmarks.faults as about
from benchmarks.faults import harm, kills, states
from benchmarks.faults.site import Fault, Site
from benchmarks.results import insert, write_markdown
from lsp_server.inference.launcher import EngineSpec
from lsp_server.inference.sources import wanted_model
from lsp_server.models.store import store_from
from lsp_server.settings.schema import Settings

MODEL = "qwen2.5-coder-0.5b"
_HEAD = ["| fault | how | times | the request that was going on | the next one works |", "|---|---|---|---|---|"]
# In a namespace of mounts of its own.
_APART = "SHARDLIGHT_FAULTS_APART"

Row = Callable[[Site], Awaitable[list[Fault]]]


def _site(patience_s: float) -> Site:
    settings = Settings()
    settings = replace(settings, models=replace(settings.models, completion=MODEL))
    store = store_from(settings.models.directory, registry_mirror=False)
    model = store.locate(wanted_model(settings, store, "completion")).path
    return Site(EngineSpec(MODEL, model, 1024, 0, 0, 0, 5), patience_s)


async def _kills(times: int) -> tuple[list[str], list[Fault], int]:
    site = _site(60.0)
    async with site.running():
        faults = await kills.measure(site, times)
        return [fault.row for fault in faults], faults, site.orphans()


async def _harm(times: int) -> tuple[list[str], list[Fault], int]:
    site = _site(600.0)
    few = max(1, times // 2)
    rows: list[Row] = [
        lambda site: harm.stopped(site, times),
        lambda site: harm.stuck(site, few),
        lambda site: harm.crashed(site, 2 * times),
        lambda site: harm.out_of_memory(site, times),
        lambda site: harm.no_descriptors(site, times),
        lambda site: harm.model_deleted(site, times),
    ]
    faults: list[Fault] = []
    async with site.running():
        for row in rows:
            faults += await row(site)
            sys.stderr.write("".join(f"{fault.row}\n{fault.reasons[:1]}{fault.other}\n" for fault in faults[-2:]))
        loop = await harm.crashes_always(site, 2 * times)
        left = site.orphans()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        faults += await harm.no_disk(site, times, Path(folder))
    return [*(fault.row for fault in faults), loop], faults, left


def _publish(name: str, command: str, lines: list[str], *, dry: bool) -> None:
    if dry:
        sys.stdout.write("\n".join(lines) + "\n")
    else:
        write_markdown(name, command, lines)
        insert("docs/reliability.md", name, command, lines)


def main() -> int:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=about.__doc__)
    parser.add_argument("what", choices=["kills", "harm", "states"], nargs="?", default="kills")
    parser.add_argument(
        "--times",
        "--kills",
        type=int,
        help="kills: 100. Harm: 6 of each, slow ones fewer, quick ones more. States: 300",
    )
    parser.add_argument("--dry", action="store_true", help="show the table and write it nowhere")
    args = parser.parse_args()
    times = args.times or {"kills": 100, "harm": 6, "states": 300}[args.what]
    command = f"python -m benchmarks.faults {'--kills' if args.what == 'kills' else args.what + ' --times'} {times}"
    if args.what == "states":
        _publish("faults-states", command, states.measure(_site(60.0).spec.model_path, times), dry=args.dry)
        return 0
    if args.what == "harm" and _APART not in os.environ:
        # What is mounted is nobody else's business.
        os.execvpe(  # noqa: S606
            "unshare",  # noqa: S607
            ["unshare", "-m", sys.executable, "-m", "benchmarks.faults", *sys.argv[1:]],
            {**os.environ, _APART: "1"},
        )
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        rows, faults, left = asyncio.run(_kills(times) if args.what == "kills" else _harm(times))
    name = "faults" if args.what == "kills" else "faults-harm"
    _publish(name, command, [*_HEAD, *rows, "", f"Processes that were left over: {left}."], dry=args.dry)
    for fault in faults:
        sys.stderr.write("".join(f"{fault.name}: {one}\n" for one in (*fault.reasons[:2], *fault.other)))
    return 1 if left or any(fault.other for fault in faults) else 0


if __name__ == "__main__":
    raise SystemExit(main())
