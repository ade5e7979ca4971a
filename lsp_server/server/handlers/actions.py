"""Performing an edit action on the function at a position; shared by code actions and commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcContentModified, JsonRpcException

from lsp_server.errors import RefusedError
from lsp_server.features.registry import EDIT_ACTIONS
from lsp_server.features.types import FileEdit, Target
from lsp_server.server import from_proto, to_proto
from lsp_server.server.documents import path_of
from lsp_server.server.session import REQUEST_FAILED, STALE, Place, Session
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
    place, offset = _position(session, where)
    if version is not None and version != place.snapshot.version:
        raise JsonRpcContentModified(STALE)
    with _refusals():
        target = await session.chosen(entry, place, offset)
    async with session.tools(entry.title(target), place) as tools:
        edit = await entry.run(target, tools)
    session.check_unchanged(place)
    other = _other(session, edit)
    session.last_timings = edit.timings
    for note in edit.notes:
        session.server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, f"{edit.title}: {note}"))
    change = to_proto.workspace_edit(edit, place.uri, place.snapshot, other, session.encoding)
    return edit, session.supported(change)


async def locate(session: Session, where: from_proto.CommandTarget) -> tuple[Place, Target]:
    """The document and the function at a position. Raises JsonRpcException with the reason if there is none."""
    place, offset = _position(session, where)
    with _refusals():
        return place, await session.target(place, offset)


def _position(session: Session, where: from_proto.CommandTarget) -> tuple[Place, int]:
    place = session.place(where.uri)
    if place is None:
        raise JsonRpcException(f"{where.uri} is not open, or must not be read.", REQUEST_FAILED)
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
