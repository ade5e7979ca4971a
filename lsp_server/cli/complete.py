"""``shardlight complete FILE:LINE:COL``: the suggestion an editor would show there."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lsp_server.context.budget import budget_tokens, estimated_tokens
from lsp_server.context.candidates import Sources
from lsp_server.context.files import FileCache
from lsp_server.context.index.links import real_path
from lsp_server.context.index.workspace_index import WorkspaceIndex
from lsp_server.context.items import ContextItem
from lsp_server.context.retrieval import retrieve
from lsp_server.context.ring import RecentChunks
from lsp_server.context.spot import Spot
from lsp_server.context.symbols import NearbySymbols, SymbolSource
from lsp_server.context.workspace import Workspace, is_secret
from lsp_server.errors import RefusedError
from lsp_server.features.inline_completion import Cursor, Effort, Suggestion, complete
from lsp_server.inference.roles import RoleBackend
from lsp_server.inference.sources import sources
from lsp_server.models.store import store_from
from lsp_server.prompting.catalog import prompts_of
from lsp_server.settings.schema import Settings
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.positions import Position, PositionEncoding

_PLACE = re.compile(r"(?P<file>.+):0*(?P<line>[1-9][0-9]{0,8}):0*(?P<column>[1-9][0-9]{0,8})", re.DOTALL)
_ROOT_MARKERS = (
    ".git",
    "pyproject.toml",
    "setup.py",
    "package.json",
    "tsconfig.json",
    "go.mod",
    "Cargo.toml",
    "pom.xml",
)


def register(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``complete``."""
    command = subparsers.add_parser("complete", help="print the suggestion for a place in a file")
    command.add_argument("place", metavar="FILE:LINE:COL", help="line and column count from 1, in characters")
    command.add_argument("--explain", action="store_true", help="print what the model is shown, and why")
    command.add_argument("--no-model", action="store_true", help="with --explain: ask no model")
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace, settings: Settings) -> int:
    if args.no_model and not args.explain:
        raise RefusedError("Without a model there is no suggestion.", hint="--no-model goes with --explain.")
    path, position = parse_place(args.place)
    spot = _spot(path, position)
    root = project_root(spot.path)
    index = WorkspaceIndex()
    index.set_roots([root], settings.index.exclude)
    workspace = Workspace((root,), lambda _path: None, index.is_excluded)
    try:
        items = _context(spot, workspace, index, settings)
    finally:
        index.close()
    cursor = Cursor(
        spot.snapshot,
        spot.offset,
        path=workspace.relative(spot.path),
        repository=root.name,
        related=tuple(item.snippet for item in items),
    )
    if args.explain:
        explain(Console(), spot, items, settings)
    if args.no_model:
        return 0
    suggestion = asyncio.run(_complete(cursor, settings))
    if suggestion is None:
        sys.stderr.write("There is no suggestion there.\n")
        return 1
    t = suggestion.timings
    sys.stdout.write(suggestion.text + "\n")
    if not t.predicted_tokens:
        # Not every server elsewhere tells.
        return 0
    sys.stderr.write(
        f"{t.prompt_tokens} prompt tokens ({t.reused_tokens} reused), first token after {t.ttft_ms:.0f} ms, "
        f"{t.predicted_tokens} tokens at {t.predicted_per_second:.1f} tok/s\n"
    )
    return 0


def explain(console: Console, spot: Spot, items: Sequence[ContextItem], settings: Settings) -> None:
    """Print what a prompt for a place consists of; its tokens are estimates, the engine counts."""
    start, end = spot.shown
    line_of = spot.snapshot.lines.line_of
    before, behind = line_of(spot.offset) - line_of(start) + 1, line_of(end) - line_of(spot.offset)
    window = estimated_tokens(spot.snapshot.text[start:end])
    room = settings.engine.n_ctx - settings.completion.max_tokens - window
    if items:
        table = Table("Tokens", "File", "Why", "Sent", box=None, pad_edge=False)
        table.columns[0].justify = "right"
        for item in items:
            room -= item.tokens
            sent = "yes" if room >= 0 else "cut"
            table.add_row(f"{item.tokens:,}", escape(item.snippet.path), escape(item.reason), sent)
        console.print(table)
    else:
        console.print("Nothing but the window: no code of other places seems to belong there.")
    context = sum(item.tokens for item in items)
    console.print(f"Window: {before} lines up to the cursor and {behind} behind it, about {window:,} tokens.")
    console.print(f"Together about {context + window:,} tokens, of which {context:,} are context.")


def parse_place(text: str) -> tuple[Path, Position]:
    """``FILE:LINE:COL`` (from 1) → path and position (from 0).

    Raises:
        RefusedError: it has another form.
    """
    place = _PLACE.fullmatch(text)
    if place is None:
        raise RefusedError(
            f"{text!r} is not a place.", hint="It has the form FILE:LINE:COL, for example app.py:12:5, counted from 1."
        )
    return Path(place["file"]), Position(int(place["line"]) - 1, int(place["column"]) - 1)


def _spot(path: Path, position: Position) -> Spot:
    if is_secret(path) or is_secret(real_path(path)):
        raise RefusedError(f"{path} may hold secrets; it is never read into a prompt.")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            text = file.read()
    except OSError as error:
        raise RefusedError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise RefusedError(f"{path} is not UTF-8 (byte {error.start}).", hint="Save it as UTF-8.") from error
    language = language_for_path(path)
    snapshot = Snapshot.open(text, language.id if language else "")
    return Spot(snapshot, snapshot.lines.offset(position, PositionEncoding.UTF32), path.resolve())


def _context(spot: Spot, workspace: Workspace, index: WorkspaceIndex, settings: Settings) -> tuple[ContextItem, ...]:
    """As an editor's first request there would have it, from the workspace's index if an editor has had one built."""
    files = FileCache()
    symbols: SymbolSource = NearbySymbols(spot.path, workspace, files)
    if settings.index.enabled and index.state().files:
        index.update(spot.path, spot.snapshot)
        symbols = index
    sources = Sources(workspace, symbols, RecentChunks(index.is_excluded), files)
    budget = budget_tokens(None, settings.engine.n_ctx)
    return retrieve(spot, sources, budget_tokens=budget, mode=settings.completion.context)


def project_root(path: Path) -> Path:
    """The project's folder, which an editor would have open: what holds a file that only a project's root has.

    Without one, the folder of the outermost Python package, or the file's own.
    """
    marked = (p for p in path.parents if any((p / name).exists() for name in _ROOT_MARKERS))
    return next(marked, next(p for p in path.parents if not (p / "__init__.py").exists()))


async def _complete(cursor: Cursor, settings: Settings) -> Suggestion | None:
    models = settings.models
    store = store_from(models.directory, registry_mirror=models.registry_mirror)

    def on_loading(fraction: float) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\rLoading the model, {fraction:.0%} ")

    wanted, *stand_ins = sources(settings, store, "completion")
    backend = RoleBackend(wanted, on_loading, stand_ins=stand_ins)
    try:
        await backend.attach()
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
        return await complete(cursor, backend, Effort(settings.completion.max_tokens), prompts_of())
    finally:
        await backend.aclose()
