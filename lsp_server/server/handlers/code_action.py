"""textDocument/codeAction and its resolve: listing is cheap, the model works on resolve."""

from __future__ import annotations

from typing import Any

from lsprotocol import types as lsp
from pygls import uris
from pygls.lsp.server import LanguageServer

from lsp_server.errors import RefusedError
from lsp_server.features.registry import COMMAND_ACTIONS, EDIT_ACTIONS, SELECTION_ACTIONS
from lsp_server.features.types import ClassTarget, Target
from lsp_server.server import from_proto, to_proto
from lsp_server.server.handlers.actions import command_name, fixed, perform, perform_on_selection
from lsp_server.server.handlers.hints import hint_actions
from lsp_server.server.session import Place, Session
from lsp_server.text.titles import cut

_MOST_FIXES = 3
_LONGEST_TITLE = 60

_KINDS: list[lsp.CodeActionKind | str] = [
    lsp.CodeActionKind.QuickFix,
    lsp.CodeActionKind.Refactor,
    lsp.CodeActionKind.Source,
    "shardlight",
]


def register(server: LanguageServer, session: Session) -> None:
    """Add the handlers."""

    @server.feature(lsp.TEXT_DOCUMENT_CODE_ACTION, lsp.CodeActionOptions(_KINDS, resolve_provider=True))
    def code_action(params: lsp.CodeActionParams) -> list[lsp.CodeAction]:
        place = session.place(params.text_document.uri)
        if place is None:
            return []
        start, end = from_proto.span(params.range, place.snapshot.lines, session.encoding)
        # Editors that show a light bulb ask wherever the cursor comes to rest: nothing else tells of it.
        automatic = params.context.trigger_kind == lsp.CodeActionTriggerKind.Automatic
        if automatic and (completed := session.completed_place(place.uri)):
            session.suggesting.rests_at(completed, end)
        actions = [
            *hint_actions(session, place, start, end, params.context.diagnostics),
            *_fixes(session, params, place),
            *_actions(session, params, place, start),
        ]
        wanted = params.context.only
        return [a for a in actions if not wanted or any(_is_kind(a.kind, kind) for kind in wanted)]

    @server.feature(lsp.CODE_ACTION_RESOLVE)
    async def resolve(action: lsp.CodeAction) -> lsp.CodeAction:
        data: Any = action.data
        if action.edit is not None or not data:
            return action
        plain = data if isinstance(data, dict) else data._asdict()
        version = int(plain["version"])
        on_selection = next((entry for entry in SELECTION_ACTIONS if entry.name == plain["action"]), None)
        if plain["action"] == "fix":
            edit, action.edit = await fixed(session, from_proto.command_range([plain], "problem"), version=version)
        elif on_selection is not None:
            where = from_proto.command_range([plain], "")
            edit, action.edit = await perform_on_selection(session, where, on_selection.run, version=version)
        else:
            target = from_proto.command_target([plain])
            edit, action.edit = await perform(session, plain["action"], target, version=version)
        if edit.path is not None:
            # The client applies the edit and then runs the command: another file than the one in view wants to be seen.
            argument = {"uri": uris.from_fs_path(str(edit.path))}
            action.command = lsp.Command("Show the file", "shardlight.show", arguments=[argument])
        return action


def _fixes(session: Session, params: lsp.CodeActionParams, place: Place) -> list[lsp.CodeAction]:
    """For each of the first problems that others see there: to mend it, and to explain it."""
    actions: list[lsp.CodeAction] = []
    language = place.snapshot.language
    if language is None or not language.queries:
        return actions
    others = [problem for problem in params.context.diagnostics if not to_proto.is_ours(problem)]
    for problem in others[:_MOST_FIXES]:
        message = cut(problem.message.strip().split("\n")[0], _LONGEST_TITLE)
        argument = {"uri": place.uri, "range": to_proto.plain(problem.range), "problem": problem.message}
        action = lsp.CodeAction(
            f"Fix with Shardlight: {message}", kind=lsp.CodeActionKind.QuickFix, diagnostics=[problem]
        )
        _to_be_done(session, action, "fix", argument, place)
        title = f"Explain: {message}"
        command = lsp.Command(title, command_name("explain"), arguments=[argument])
        actions += [action, lsp.CodeAction(title, kind="shardlight.explain", diagnostics=[problem], command=command)]
    return actions


def _to_be_done(session: Session, action: lsp.CodeAction, name: str, argument: dict[str, Any], place: Place) -> None:
    """Have the work done when the action is chosen."""
    if _resolves_edits(session):
        action.data = {**argument, "action": name, "version": place.snapshot.version}
    else:
        action.command = lsp.Command(action.title, command_name(name), arguments=[argument])


def _actions(session: Session, params: lsp.CodeActionParams, place: Place, offset: int) -> list[lsp.CodeAction]:
    position = {"line": params.range.start.line, "character": params.range.start.character}
    argument = {"uri": place.uri, "position": position}
    actions: list[lsp.CodeAction] = []
    function: Target | None = None
    # Several actions are done to the same thing.
    found: dict[object, Any] = {}
    for entry in EDIT_ACTIONS:
        if entry.find not in found:
            try:
                found[entry.find] = session.offered(entry, place, offset)
            except RefusedError:
                found[entry.find] = None
        target = found[entry.find]
        if target is None:
            continue
        if isinstance(target, Target):
            function = target
        # In a method it is the method that is meant.
        within = isinstance(target, ClassTarget) and function and function.scope.start > target.scope.start
        if within or not entry.offered(target):
            continue
        action = lsp.CodeAction(entry.title(target), kind=entry.kind)
        _to_be_done(session, action, entry.name, argument, place)
        actions.append(action)
    if params.range.start != params.range.end:
        selected = {"uri": place.uri, "range": to_proto.plain(params.range)}
        for chosen in SELECTION_ACTIONS:
            if function is not None and chosen.offered(function, offset):
                action = lsp.CodeAction(chosen.title, kind=chosen.kind)
                _to_be_done(session, action, chosen.name, selected, place)
                actions.append(action)
        title = "Explain the selected code"
        command = lsp.Command(title, command_name("explain"), arguments=[selected])
        actions.append(lsp.CodeAction(title, kind="shardlight.explain", command=command))
    if function is None:
        return actions
    for shown in COMMAND_ACTIONS:
        title = shown.title(function)
        command = lsp.Command(title, command_name(shown.name), arguments=[argument])
        actions.append(lsp.CodeAction(title, kind=shown.kind, command=command))
    return actions


def _resolves_edits(session: Session) -> bool:
    """Whether the client asks for an action's edit when the user has chosen it."""
    text_document = session.server.client_capabilities.text_document
    code_action = text_document.code_action if text_document else None
    support = code_action.resolve_support if code_action else None
    return bool(code_action and code_action.data_support and support and "edit" in support.properties)


def _is_kind(kind: lsp.CodeActionKind | str | None, wanted: lsp.CodeActionKind | str) -> bool:
    """Kinds are hierarchical: ``refactor`` wants ``refactor.rewrite.docstring`` too."""
    text, prefix = (k.value if isinstance(k, lsp.CodeActionKind) else k or "" for k in (kind, wanted))
    return text == prefix or text.startswith(f"{prefix}.") or not prefix
