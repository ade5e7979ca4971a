"""``shardlight complete FILE:LINE:COL``: the suggestion an editor would show there."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from lsp_server.context.related import related_files
from lsp_server.context.workspace import Workspace, is_secret
from lsp_server.errors import RefusedError
from lsp_server.features.inline_completion import Cursor, Suggestion, complete
from lsp_server.inference.roles import RoleBackend, engine_spec
from lsp_server.models.store import store_from
from lsp_server.settings.schema import Settings
from lsp_server.syntax.languages import language_for_path
from lsp_server.syntax.snapshot import Snapshot
from lsp_server.text.positions import Position, PositionEncoding

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
    command.set_defaults(run=_run)


def _run(args: argparse.Namespace, settings: Settings) -> int:
    path, position = parse_place(args.place)
    cursor = _cursor(path, position)
    suggestion = asyncio.run(_complete(cursor, settings))
    if suggestion is None:
        sys.stderr.write("There is no suggestion there.\n")
        return 1
    t = suggestion.timings
    sys.stdout.write(suggestion.text + "\n")
    sys.stderr.write(
        f"{t.prompt_tokens} prompt tokens ({t.reused_tokens} reused), first token after {t.ttft_ms:.0f} ms, "
        f"{t.predicted_tokens} tokens at {t.predicted_per_second:.1f} tok/s\n"
    )
    return 0


def parse_place(text: str) -> tuple[Path, Position]:
    """``FILE:LINE:COL`` (from 1) → path and position (from 0).

    Raises:
        RefusedError: it has another form.
    """
    name, line, column = [*text.rsplit(":", 2), "", ""][:3]
    if not name or not line.isdecimal() or not column.isdecimal() or "0" in (line, column):
        raise RefusedError(
            f"{text!r} is not a place.", hint="It has the form FILE:LINE:COL, for example app.py:12:5, counted from 1."
        )
    return Path(name), Position(int(line) - 1, int(column) - 1)


def _cursor(path: Path, position: Position) -> Cursor:
    if is_secret(path):
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
    path = path.resolve()
    root = project_root(path)
    workspace = Workspace((root,), lambda _path: None)
    return Cursor(
        snapshot,
        snapshot.lines.offset(position, PositionEncoding.UTF32),
        path=workspace.relative(path),
        repository=root.name,
        related=related_files(snapshot, path, workspace),
    )


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

    backend = RoleBackend(lambda: engine_spec(settings, store, "completion"), on_loading)
    try:
        await backend.attach()
        if sys.stderr.isatty():
            sys.stderr.write("\r\033[K")
        return await complete(cursor, backend, max_tokens=settings.completion.max_tokens)
    finally:
        await backend.aclose()
