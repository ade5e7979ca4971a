"""Whether the names that are told behind a dot hold the right one: ``python -m benchmarks.members [--dots N]``.

At dots in the code of public packages, what is told where the rest of the line is not written yet is compared with the
name that stands there.
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.completion.projects import CROSS_FILE, PROJECTS, Project, named
from benchmarks.results import write_markdown
from lsp_server.context.index.builder import build
from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.context.keeper import ContextKeeper
from lsp_server.context.ring import RecentChunks
from lsp_server.context.spot import Spot
from lsp_server.context.workspace import Workspace
from lsp_server.features.inline_completion import place_of
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.testing.rates import wilson

_DOT = re.compile(r"(?<=[\w)])\.(?=([^\W\d]\w*))")


@dataclass(frozen=True, slots=True)
class Dot:
    """A place behind a dot.

    Attributes:
        name: what stands there.
        told: the names of which one may.
        ms: what it took to find these, and those behind other dots.
    """

    where: str
    name: str
    told: tuple[str, ...]
    ms: float


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dots", type=int, default=60, help="of each package")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    projects = {**named(PROJECTS), **named(CROSS_FILE)}
    with tempfile.TemporaryDirectory() as cache:
        dots = [dot for project in projects.values() for dot in _dots(project, Path(cache), options.dots, options.seed)]
    told = [dot for dot in dots if dot.told]
    wrong = [dot for dot in told if dot.name not in dot.told]
    times = sorted(dot.ms for dot in dots)
    lines = [
        f"{len(dots):,} dots in {', '.join(sorted(projects))}.",
        "",
        "| | |",
        "|---|--:|",
        f"| names are told | {wilson(len(told), len(dots)).percent()} |",
        f"| the right one is among them | {wilson(len(told) - len(wrong), len(told)).percent()} |",
        f"| how many are told, median | {statistics.median(len(dot.told) for dot in told):.0f} |",
        f"| milliseconds, median / p95 | {statistics.median(times):.1f} / {times[int(len(times) * 0.95)]:.1f} |",
        *["", *(f"* missing: `{dot.where}`" for dot in wrong)] * bool(wrong),
    ]
    write_markdown("members", f"python -m benchmarks.members --dots {options.dots} --seed {options.seed}", lines)
    return int(bool(wrong))


def _dots(project: Project, cache: Path, number: int, seed: int) -> Iterator[Dot]:
    rng = random.Random(f"{seed} {project.name} members")
    index = WorkspaceIndex(cache)
    index.set_roots([project.root])
    build(project.root, index.database_of(project.root), Order())
    workspace = Workspace((project.root,), lambda _path: None, index.is_excluded)
    keeper = ContextKeeper(index, RecentChunks(index.is_excluded))
    files = project.files()
    places = [(path, found) for path in files for found in _DOT.finditer(project.read(path))]
    for path, found in rng.sample(places, min(number * 2, len(places))):
        if not number:
            break
        text = project.read(path)
        line_end = text.find("\n", found.end()) if "\n" in text[found.end() :] else len(text)
        snapshot = Snapshot.open(text[: found.end()] + text[line_end:], "python")
        # In texts and comments nothing is asked, and an import is no expression.
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.end()]
        if place_of(snapshot, found.end()) is None or line.lstrip().startswith(("import ", "from ")):
            continue
        number -= 1
        index.update(project.root / path, snapshot)
        began = time.perf_counter()
        told, _ = keeper.members(Spot(snapshot, found.end(), project.root / path), workspace)
        ms = (time.perf_counter() - began) * 1000
        index.forget(project.root / path)
        yield Dot(f"{project.name}/{path}: {line.strip()}{found[1]}", found[1], told, ms)
    index.close()


if __name__ == "__main__":
    sys.exit(main())
