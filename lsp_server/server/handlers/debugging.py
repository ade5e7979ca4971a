"""From a pasted traceback to the function where it happened, what it means there, and how it can be mended."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from pygls import uris
from pygls.exceptions import JsonRpcException

from lsp_server.errors import RefusedError
from lsp_server.features.explain import explain_problem
from lsp_server.features.postprocess.markdown import linked
from lsp_server.features.traceback import Frame, parse
from lsp_server.features.types import Problem, Selection
from lsp_server.server import to_proto
from lsp_server.server.documents import path_of
from lsp_server.server.session import REQUEST_FAILED, Place, Session
from lsp_server.syntax.snapshot import Snapshot

# Of a long way the part that is near.
_MOST_SHOWN = 8
_ON_DISK = -1


async def debug(session: Session, text: str) -> dict[str, Any]:
    """Explain the failure that a text tells of, at the innermost of its places that is in the workspace.

    Returns:
        ``markdown``, and what ``shardlight.fix`` takes to mend it: ``uri``, ``range``, ``problem``.

    Raises:
        JsonRpcException: the text names no place, or none of the workspace.
    """
    failure = parse(text)
    if failure is None:
        raise JsonRpcException(
            "There is no file with a line in this text. Copy all of what the program said.", REQUEST_FAILED
        )
    ways = await asyncio.to_thread(_in_workspace, session, failure.frames)
    if not ways:
        names = ", ".join(dict.fromkeys(PurePath(frame.path).name for frame in failure.frames[:3]))
        raise JsonRpcException(f"None of these files is in the workspace: {names}.", REQUEST_FAILED)
    frame, place = ways[0]
    selection, at = await _around(session, place, frame.line)
    problem = Problem(failure.error, place.snapshot.lines.line_text(frame.line))
    async with session.tools(f"Explain a failure in {selection.name}", place) as tools:
        links = [_link(session, frame, place) for frame, place in ways[:_MOST_SHOWN]]
        explanation = await explain_problem(selection, problem, tools, places=links)
    session.answered(explanation.timings)
    range_ = to_proto.span(*at, place.snapshot.lines, session.encoding)
    await session.client.show(place.uri, range_)
    return {
        "markdown": linked(explanation.markdown, explanation.lines, place.uri),
        "uri": place.uri,
        "range": to_proto.plain(range_),
        "problem": failure.error,
    }


def _in_workspace(session: Session, frames: Sequence[Frame]) -> list[tuple[Frame, Place]]:
    """Those of the places that are in files of the workspace, with their documents."""
    found: list[tuple[Frame, Place]] = []
    places: dict[str, Place | None] = {}
    for frame in frames:
        if frame.path not in places:
            path = _path_of(session, frame)
            places[frame.path] = _place(session, path) if path else None
        place = places[frame.path]
        if place and frame.line < place.snapshot.lines.line_count:
            found.append((frame, place))
    return found


def _path_of(session: Session, frame: Frame) -> Path | None:
    """The file of the workspace that is meant: what a container or another machine calls it ends alike."""
    parts = PurePath(frame.path.replace("\\", "/")).parts
    for root in session.roots:
        if (path := Path(frame.path)).is_absolute() and path.is_relative_to(root) and path.is_file():
            return path
        for first in range(1 if PurePath(frame.path).is_absolute() else 0, len(parts)):
            if ".." not in parts[first:] and (path := root.joinpath(*parts[first:])).is_file():
                return path
    if len(parts) > 1:
        return None
    # Java says a file's name, and its package before the class.
    package = frame.name.replace("$", ".").split(".")[:-2]
    return max(
        session.index.named(parts[0]),
        key=lambda path: list(path.parts[-1 - len(package) : -1]) == package,
        default=None,
    )


def _place(session: Session, path: Path) -> Place | None:
    """The document of a file, as it is open or on disk; None for what must not be read."""
    opened = next((uri for uri, _ in session.documents if path_of(uri) == path), None)
    if opened:
        return session.place(opened)
    text, language = session.workspace.read(path), session.workspace.language(path)
    if text is None or language is None:
        return None
    return Place(uris.from_fs_path(str(path)) or "", Snapshot.open(text, language.id, _ON_DISK), path)


async def _around(session: Session, place: Place, line: int) -> tuple[Selection, tuple[int, int]]:
    """The function around a line, or the line alone; and where the code of the line stands."""
    lines = place.snapshot.lines
    at = lines.line_start(line) + len(lines.indentation(line)), lines.line_end(line)
    try:
        return await session.selection(place, at[0], at[0]), at
    except RefusedError:
        pass
    try:
        return await session.selection(place, *at), at
    except RefusedError as error:
        raise JsonRpcException(str(error), REQUEST_FAILED) from error


def _link(session: Session, frame: Frame, place: Place) -> str:
    name = session.workspace.relative(place.path)
    within = f" in `{frame.name}`" if frame.name and not frame.name.startswith("<") else ""
    return f"[{name}, line {frame.line + 1}]({place.uri}#L{frame.line + 1}){within}"
