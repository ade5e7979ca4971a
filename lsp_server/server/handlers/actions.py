"""Performing an edit action on the function at a position; shared by code actions and commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcContentModified, JsonRpcException

from lsp_server.errors import RefusedError
from lsp_server.features.change import fix
from lsp_server.features.registry import EDIT_ACTIONS
from lsp_server.features.types import FileEdit, Problem, Selection, Target, Tools
from lsp_server.server import from_proto, to_proto
from lsp_server.server.documents import path_of
from lsp_server.server.session import REQUEST_FAILED, STALE, Place, Session
from lsp_server.syntax.scopes import enclosing_function
from lsp_server.syntax.snapshot import Snapshot


def command_name(action: str) -> str:
    """The command of an action."""
    return f"shardlight.{action}"


async def perform(
    session: Session, action: str, where: from_proto.CommandTarget, *, version: int | None = None
) -> tuple[FileEdit, lsp.WorkspaceEdit]:
    """Run an edit action.

    Args:
        version: the document's version that the action was offered for; None for the latest.

    Raises:
        JsonRpcException: the reason, for the user: a stale document, no function there, a refusal, no model.
    """
    entry = next((a for a in EDIT_ACTIONS if a.name == action), None)
    if entry is None:
        raise JsonRpcException(f"There is no action {action!r}.", REQUEST_FAILED)
    place, offset = _position(session, where, version)
    with _refusals():
        target = await session.chosen(entry, place, offset)
    async with session.tools(entry.title(target), place) as tools:
        edit = await entry.run(target, tools)
    return _proposed(session, place, edit)


async def perform_on_selection(
    session: Session,
    where: from_proto.CommandRange,
    run: Callable[[Selection, Tools], Awaitable[FileEdit]],
    *,
    version: int | None = None,
) -> tuple[FileEdit, lsp.WorkspaceEdit]:
    """Change the code of a range. Arguments and errors are those of `perform`."""
    place, selection = await locate_selection(session, where, version=version)
    async with session.tools(f"Change {selection.name}", place) as tools:
        edit = await run(selection, tools)
    return _proposed(session, place, edit)


async def locate_selection(
    session: Session, where: from_proto.CommandRange, *, version: int | None = None
) -> tuple[Place, Selection]:
    """The document and the code of a range. Raises as `perform` does."""
    place = opened(session, where.uri, version)
    start, end = from_proto.span(where.range, place.snapshot.lines, session.encoding)
    with _refusals():
        return place, await session.selection(place, start, end)


async def fixed(
    session: Session, where: from_proto.CommandRange, *, version: int | None = None
) -> tuple[FileEdit, lsp.WorkspaceEdit]:
    """Mend what a diagnostic says of a range, in the function around it. As `perform_on_selection`."""
    problem, around = problem_at(session, where)
    return await perform_on_selection(
        session, around, lambda selection, tools: fix(selection, problem, tools), version=version
    )


def problem_at(session: Session, where: from_proto.CommandRange) -> tuple[Problem, from_proto.CommandRange]:
    """What is said of a range, with its line; and the function around it, or the range if there is none."""
    place = opened(session, where.uri)
    problem = Problem(where.said, place.snapshot.lines.line_text(where.range.start.line))
    return problem, replace(where, range=_function_around(place, session, where.range))


def _function_around(place: Place, session: Session, range_: lsp.Range) -> lsp.Range:
    """Where the function begins that a range is in, as an empty range; the range itself if it is in none."""
    start, _ = from_proto.span(range_, place.snapshot.lines, session.encoding)
    return lsp.Range(range_.start, range_.start) if enclosing_function(place.snapshot, start) else range_


def _proposed(session: Session, place: Place, edit: FileEdit) -> tuple[FileEdit, lsp.WorkspaceEdit]:
    session.check_unchanged(place)
    other = _other(session, edit)
    session.answered(edit.timings)
    for note in edit.notes:
        session.server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, f"{edit.title}: {note}"))
    change = to_proto.workspace_edit(edit, place.uri, place.snapshot, other, session.encoding)
    if edit.preview and session.client.shows_changes:
        change = to_proto.to_be_confirmed(change, edit.title)
    return edit, session.client.supported(change)


async def locate(session: Session, where: from_proto.CommandTarget) -> tuple[Place, Target]:
    """The document and the function at a position. Raises JsonRpcException with the reason if there is none."""
    place, offset = _position(session, where)
    with _refusals():
        return place, await session.target(place, offset)


def opened(session: Session, uri: str, version: int | None = None) -> Place:
    """An open document, of that version if one is given."""
    place = session.place(uri)
    if place is None:
        raise JsonRpcException(f"{uri} is not open, or must not be read.", REQUEST_FAILED)
    if version is not None and version != place.snapshot.version:
        raise JsonRpcContentModified(STALE)
    return place


def _position(session: Session, where: from_proto.CommandTarget, version: int | None = None) -> tuple[Place, int]:
    place = opened(session, where.uri, version)
    return place, from_proto.offset(where.position, place.snapshot.lines, session.encoding)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except RefusedError as error:
        raise JsonRpcException(str(error), REQUEST_FAILED) from error


def _other(session: Session, edit: FileEdit) -> Snapshot | None:
    """The other file that an edit changes, as it is: open, or on disk (version -1).

    Raises:
        JsonRpcContentModified: it is not what the edit was made for.
    """
    if edit.path is None or edit.creates:
        return None
    opened = next((s for uri, s in session.documents if path_of(uri) == edit.path), None)
    other = opened or Snapshot.open(session.workspace.read(edit.path) or "", "", -1)
    if other.text != edit.before:
        raise JsonRpcContentModified(STALE)
    return other
