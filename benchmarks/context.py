"""Milliseconds until the context of a completion is there: ``python -m benchmarks.context [--calls N]``.

The workspace is Django's source distribution with a Python file of 10,000 lines in it, which is open in an editor. At
many spots, in that file and in Django's own, the context is made at first, asked for again after each of some letters,
and made anew after them, as when the cursor rests. Of all calls one in six makes a context.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import django
from benchmarks.results import write_markdown
from lsp_server.context.index.builder import build
from lsp_server.context.index.order import Order
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.context.items import ContextItem
from lsp_server.context.keeper import ContextKeeper
from lsp_server.context.ring import RecentChunks, text_around
from lsp_server.context.spot import Spot
from lsp_server.context.workspace import Workspace
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.edits import TextEdit

_LINES = 10_000
_LETTERS = "self.total"
_BUDGETS = (600, 2048)
# Tabs that somebody leaves open.
_OPEN = 8
_KINDS = {
    "first": "a file not seen yet",
    "new": "a new spot",
    "typed": "a letter typed there",
    "anew": "made anew",
}


def main() -> int:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=200, help="spots that are visited")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = django.unpacked(Path(folder))
        large = root / "django" / "db" / "models" / "generated.py"
        large.write_text(_large_text(root / "django" / "db" / "models"), encoding="utf-8")
        index = WorkspaceIndex(Path(folder) / "cache")
        index.set_roots([root])
        build(root, index.database_of(root), Order())
        visits = [_Visit(root, large, index, budget) for budget in _BUDGETS]
        for visit in visits:
            visit.run(options.calls)
        lines = [
            f"{index.state().files:,} files are in the index: {django.NAME} {django.VERSION} and one of {_LINES:,}",
            f"lines, with half of the {options.calls} spots. Milliseconds: median / p95 / longest, without parsing.",
            "",
            f"| budget | {' | '.join(_KINDS.values())} | all calls | items | tokens |",
            f"|--:|{'--:|' * len(_KINDS)}--:|--:|--:|",
            *(visit.row() for visit in visits),
        ]
        index.close()
    write_markdown("context", f"python -m benchmarks.context --calls {options.calls}", lines)
    return 0


class _Visit:
    """Somebody who goes from spot to spot in an editor, types a little there and rests."""

    def __init__(self, root: Path, large: Path, index: WorkspaceIndex, budget: int) -> None:
        self._large = large
        self._others = sorted((root / "django").rglob("*.py"))
        self._index = index
        self._budget = budget
        self._seen: set[Path] = set()
        self._texts: dict[Path, str] = {}
        self._workspace = Workspace((root,), self._texts.get)
        self._keeper = ContextKeeper(index, RecentChunks(index.is_excluded))
        self._times: dict[str, list[float]] = {kind: [] for kind in _KINDS}
        self._made: list[tuple[ContextItem, ...]] = []

    def run(self, spots: int) -> None:
        """Visit so many spots."""
        choice = random.Random(7)
        for number in range(spots):
            path = self._large if number % 2 else choice.choice(self._others)
            self._at(path, choice)

    def row(self) -> str:
        """The figures as a row of a table; the last times are those of all calls together."""
        items = statistics.mean(map(len, self._made))
        tokens = statistics.mean(sum(item.tokens for item in made) for made in self._made)
        every = [time for times in self._times.values() for time in times]
        times = " | ".join(_spread(times) for times in (*self._times.values(), every))
        return f"| {self._budget:,} | {times} | {items:.1f} | {tokens:.0f} |"

    def _at(self, path: Path, choice: random.Random) -> None:
        kind = "new" if path in self._seen else "first"
        self._seen.add(path)
        snapshot = Snapshot.open(self._texts.get(path) or path.read_text(encoding="utf-8"), "python")
        self._show(path, snapshot)
        lines = snapshot.lines
        spot = Spot(snapshot, lines.line_end(choice.randrange(lines.line_count)), path)
        self._ask(kind, spot)
        for letter in _LETTERS:
            typed = spot.snapshot.edited([TextEdit(spot.offset, spot.offset, letter)], spot.snapshot.version + 1)
            spot = Spot(typed, spot.offset + 1, path)
            self._ask("typed", spot)
        self._show(path, spot.snapshot)
        self._made.append(self._ask("anew", spot))
        self._keeper.recent.edited(path, text_around(spot.snapshot.lines, spot.offset))

    def _show(self, path: Path, snapshot: Snapshot) -> None:
        self._texts[path] = snapshot.text
        self._index.update(path, snapshot)
        closed = [other for other in self._texts if other not in (path, self._large)][:-_OPEN]
        for other in closed:
            del self._texts[other]
            self._index.forget(other)

    def _ask(self, kind: str, spot: Spot) -> tuple[ContextItem, ...]:
        # An editor's other requests need the tree anyway.
        _ = spot.snapshot.tree
        began = time.perf_counter()
        items = self._keeper.context(spot, self._workspace, budget_tokens=self._budget, refresh=kind == "anew")
        self._times[kind].append((time.perf_counter() - began) * 1000)
        return items


def _spread(times: list[float]) -> str:
    ordered = sorted(times)
    if not ordered:
        return "-"
    return f"{statistics.median(ordered):.1f} / {ordered[int(len(ordered) * 0.95)]:.1f} / {ordered[-1]:.1f}"


def _large_text(folder: Path) -> str:
    """One module of so many lines, made of the code of a folder."""
    texts = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))]
    lines = [line for text in texts for line in text.splitlines()]
    return "\n".join((lines * (_LINES // len(lines) + 1))[:_LINES]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
