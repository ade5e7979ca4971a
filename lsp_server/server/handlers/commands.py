"""workspace/executeCommand: the actions for palettes and key bindings, explanations, bug hints, status."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from lsprotocol import types as lsp
from pygls import uris
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from lsp_server import __version__
from lsp_server.features.change import change
from lsp_server.features.explain import explain, explain_code, explain_problem
from lsp_server.features.port import port
from lsp_server.features.postprocess.markdown import linked
from lsp_server.features.registry import EDIT_ACTIONS, SELECTION_ACTIONS, SelectionAction
from lsp_server.features.types import FileEdit
from lsp_server.inference.backend import Priority
from lsp_server.server import from_proto
from lsp_server.server.from_proto import command_target
from lsp_server.server.handlers.actions import (
    command_name,
    fixed,
    locate,
    locate_selection,
    opened,
    perform,
    perform_on_selection,
    problem_at,
)
from lsp_server.server.handlers.debugging import debug
from lsp_server.server.handlers.hints import DISMISS, dismiss, find_in_file, look
from lsp_server.server.session import REQUEST_FAILED, Session

_DAYS = 30


def register(server: LanguageServer, session: Session) -> None:
    """Add the commands."""
    for action in EDIT_ACTIONS:
        server.command(command_name(action.name))(partial(_apply, session, action.name))
    server.command("shardlight.edit")(partial(_edit, session))
    for on_selection in SELECTION_ACTIONS:
        server.command(command_name(on_selection.name))(partial(_apply_to_selection, session, on_selection))
    server.command("shardlight.port")(partial(_port, session))
    server.command("shardlight.fix")(partial(_fix, session))
    server.command("shardlight.explain")(partial(_explain, session))
    server.command("shardlight.findBugs")(partial(_find_bugs, session))
    server.command("shardlight.debug")(partial(_debug, session))
    server.command("shardlight.findBugsInFile")(partial(_find_bugs_in_file, session))
    server.command(DISMISS)(partial(_dismiss, session))
    server.command("shardlight.show")(partial(_show, session))
    server.command("shardlight.status")(partial(_status, session))
    server.command("shardlight.statistics")(partial(_statistics, session))


async def _apply(session: Session, action: str, arguments: list[Any]) -> dict[str, Any]:
    """Perform an edit action and have the client apply it."""
    return await _applied(session, *await perform(session, action, command_target(arguments)))


async def _edit(session: Session, arguments: list[Any]) -> dict[str, Any]:
    """Change the selected code as the user says."""
    where = from_proto.command_range(arguments, "instruction")
    found = await perform_on_selection(session, where, lambda code, tools: change(code, where.said, tools))
    return await _applied(session, *found)


async def _apply_to_selection(session: Session, action: SelectionAction, arguments: list[Any]) -> dict[str, Any]:
    """Perform an action on selected statements and have the client apply it."""
    where = from_proto.command_range(arguments, "")
    return await _applied(session, *await perform_on_selection(session, where, action.run))


async def _port(session: Session, arguments: list[Any]) -> dict[str, Any]:
    """Write the selected code in another language."""
    where = from_proto.command_range(arguments, "language")
    path = opened(session, where.uri).path
    if not path.is_absolute():
        raise JsonRpcException("There is no folder for a new file. Save this document first.", REQUEST_FAILED)
    found = await perform_on_selection(session, where, lambda code, tools: port(code, path, where.said, tools))
    return await _applied(session, *found)


async def _fix(session: Session, arguments: list[Any]) -> dict[str, Any]:
    """Mend what a diagnostic says."""
    return await _applied(session, *await fixed(session, from_proto.command_range(arguments, "problem")))


async def _applied(session: Session, edit: FileEdit, proposed: lsp.WorkspaceEdit) -> dict[str, Any]:
    answer = await session.server.workspace_apply_edit_async(lsp.ApplyWorkspaceEditParams(proposed, label=edit.title))
    if not answer.applied:
        # The reason is repeated as it came: a client that gave it on the user's behalf knows it again.
        raise JsonRpcException(
            f"The editor did not apply the change: {answer.failure_reason or 'no reason given'}.",
            REQUEST_FAILED,
            {"failureReason": answer.failure_reason},
        )
    if edit.path is not None:
        await session.client.show(uris.from_fs_path(str(edit.path)) or "")
    return {"title": edit.title, "notes": list(edit.notes)}


async def _show(session: Session, arguments: list[Any]) -> None:
    """Have the client open a file, if it can."""
    await session.client.show(from_proto.command_uri(arguments))


async def _explain(session: Session, arguments: list[Any]) -> dict[str, Any]:
    """Explain the function at a position, the code of a range, or what a tool says of one, as Markdown."""
    said = from_proto.given(arguments)
    if "problem" in said:
        problem, around = problem_at(session, from_proto.command_range(arguments, "problem"))
        place, selection = await locate_selection(session, around)
        async with session.tools(f"Explain a problem in {selection.name}", place) as tools:
            explanation = await explain_problem(selection, problem, tools)
    elif "range" in said and said["range"]["start"] != said["range"]["end"]:
        place, selection = await locate_selection(session, from_proto.command_range(arguments, ""))
        async with session.tools(f"Explain {selection.name}", place) as tools:
            explanation = await explain_code(selection, tools)
    else:
        place, target = await locate(session, command_target(arguments))
        async with session.tools(f"Explain {target.scope.name}", place) as tools:
            explanation = await explain(target, tools)
    session.answered(explanation.timings)
    return {"markdown": linked(explanation.markdown, explanation.lines, place.uri)}


async def _find_bugs(session: Session, arguments: list[Any]) -> dict[str, Any]:
    """Look for a bug in the function at a position; what is found is published as a diagnostic."""
    place, target = await locate(session, command_target(arguments))
    async with session.tools(f"Find bugs in {target.scope.name}", place) as tools:
        hint = await look(session, place, target, tools, Priority.ACTION)
    if hint is None:
        message = f"No bug was found in {target.scope.name}."
        session.server.window_show_message(lsp.ShowMessageParams(lsp.MessageType.Info, message))
    return {"count": 0 if hint is None else 1}


async def _debug(session: Session, arguments: list[Any]) -> dict[str, Any]:
    """Explain what a program said when it failed."""
    return await debug(session, str(from_proto.given(arguments).get("text", "")))


async def _find_bugs_in_file(session: Session, arguments: list[Any]) -> dict[str, Any]:
    """Look for bugs in every function of a document; what was looked at before is not asked again."""
    place = opened(session, from_proto.command_uri(arguments))
    return {"count": await find_in_file(session, place)}


async def _dismiss(session: Session, arguments: list[Any]) -> None:
    """Take back what a hint says, for good."""
    await dismiss(session, from_proto.command_uri(arguments), str(from_proto.given(arguments).get("message", "")))


async def _statistics(session: Session, _arguments: list[Any]) -> dict[str, Any]:
    """What became of the suggestions of the last 30 days."""
    report = await asyncio.to_thread(session.statistics.report, _DAYS)
    return report.as_json()


async def _status(session: Session, _arguments: list[Any]) -> dict[str, Any]:
    """The versions, models and the cost of the last answer. Whoever asks may have fetched what was lacking."""
    await session.backends.look_again()
    timings = session.last_timings
    last = timings and {
        "promptTokens": timings.prompt_tokens,
        "reusedTokens": timings.reused_tokens,
        "predictedTokens": timings.predicted_tokens,
        "ttftMs": timings.ttft_ms,
        "totalMs": timings.total_ms,
        "tokensPerSecond": timings.predicted_per_second,
    }
    return {
        "version": __version__,
        "trusted": session.trusted,
        "positionEncoding": session.encoding.value,
        "completion": session.backends.describe("completion"),
        "assistant": session.backends.describe("assistant"),
        "lastAnswer": last,
    }
