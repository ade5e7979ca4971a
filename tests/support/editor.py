"""An editor for tests: documents that it keeps in step with the server, edits that it applies, files on disk."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Union

from cattrs import Converter
from lsprotocol import types as lsp
from pygls import uris
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient, client_capabilities
from pytest_lsp.client import register_lsp_features

from lsp_server.text.edits import TextEdit, apply_edits
from lsp_server.text.positions import LineIndex, Position, PositionEncoding
from tests.support.cursor import cursor
from tests.support.engine import PATIENCE_S

REPOSITORY = Path(__file__).resolve().parents[2]


def vscode() -> lsp.ClientCapabilities:
    """VS Code: UTF-16, lazy code actions, progress, configuration, inline completion."""
    capabilities = client_capabilities("visual_studio_code")
    assert capabilities.text_document
    capabilities.text_document.inline_completion = lsp.InlineCompletionClientCapabilities(dynamic_registration=True)
    return capabilities


def neovim() -> lsp.ClientCapabilities:
    """Neovim: UTF-8 first, lazy code actions, progress, configuration, inline completion."""
    capabilities = client_capabilities("neovim")
    assert capabilities.text_document
    capabilities.text_document.inline_completion = lsp.InlineCompletionClientCapabilities()
    return capabilities


def minimal() -> lsp.ClientCapabilities:
    """A client that knows completion, code actions and edits, and nothing that came later."""
    kinds = lsp.ClientCodeActionKindOptions([lsp.CodeActionKind.QuickFix, lsp.CodeActionKind.Refactor])
    return lsp.ClientCapabilities(
        workspace=lsp.WorkspaceClientCapabilities(apply_edit=True),
        text_document=lsp.TextDocumentClientCapabilities(
            completion=lsp.CompletionClientCapabilities(),
            code_action=lsp.CodeActionClientCapabilities(
                code_action_literal_support=lsp.ClientCodeActionLiteralOptions(kinds)
            ),
        ),
    )


class Editor:
    """One window of an editor.

    Attributes:
        client: the connection; its ``messages``, ``diagnostics`` and ``progress_reports`` hold what came.
        texts: the open documents by URI.
        applied: the workspace edits that the server had applied.
        refuses: the editor does not apply edits.
        answers: what the user clicks when asked a question; then the last one again.
        states: what the server told of its models' states.
        patience_s: how long it waits for an answer; only a test that fails waits that long.
    """

    def __init__(self, client: LanguageClient) -> None:
        self.client = client
        self.texts: dict[str, str] = {}
        self.applied: list[lsp.WorkspaceEdit] = []
        self.refuses = False
        self.answers: list[str | None] = []
        self.patience_s = PATIENCE_S
        self.questions: list[str] = []
        self.registered: list[str] = []
        self.states: list[Any] = []
        self.encoding = PositionEncoding.UTF16
        self.capabilities = lsp.ServerCapabilities()
        self._versions: dict[str, int] = {}

        @client.feature(lsp.WORKSPACE_APPLY_EDIT)
        def apply_edit(params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
            if self.refuses:
                return lsp.ApplyWorkspaceEditResult(applied=False, failure_reason="read-only")
            self.apply(params.edit)
            self.applied.append(params.edit)
            return lsp.ApplyWorkspaceEditResult(applied=True)

        @client.feature(lsp.WINDOW_SHOW_MESSAGE_REQUEST)
        def ask(params: lsp.ShowMessageRequestParams) -> lsp.MessageActionItem | None:
            self.questions.append(params.message)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            return lsp.MessageActionItem(answer) if answer else None

        @client.feature(lsp.CLIENT_REGISTER_CAPABILITY)
        def register(params: lsp.RegistrationParams) -> None:
            self.registered += [registration.method for registration in params.registrations]

        @client.feature("shardlight/status")
        def state(params: Any) -> None:
            self.states.append(params)

    async def initialize(
        self, capabilities: lsp.ClientCapabilities, root: Path, options: dict[str, Any] | None = None
    ) -> None:
        """Open a folder."""
        params = lsp.InitializeParams(
            capabilities,
            root_uri=root.as_uri(),
            workspace_folders=[lsp.WorkspaceFolder(root.as_uri(), root.name)],
            initialization_options=options,
        )
        result = await asyncio.wait_for(self.client.initialize_session(params), PATIENCE_S)
        self.capabilities = result.capabilities
        self.encoding = PositionEncoding(result.capabilities.position_encoding or "utf-16")

    def open(self, where: Path | str, marked: str, language: str = "python") -> tuple[str, lsp.Position]:
        """Open a document whose text has a ``<|>``; returns its URI and where that stood. The file is not written."""
        text, offset = cursor(marked)
        uri = where if isinstance(where, str) else where.as_uri()
        self.texts[uri] = text
        self._versions[uri] = 1
        item = lsp.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return uri, self.position(uri, offset)

    def position(self, uri: str, offset: int) -> lsp.Position:
        """The position of an offset."""
        return lsp.Position(*LineIndex(self.texts[uri]).position(offset, self.encoding))

    def after(self, uri: str, text: str) -> lsp.Position:
        """The position behind the first occurrence of a text."""
        return self.position(uri, self.texts[uri].index(text) + len(text))

    def type(self, uri: str, position: lsp.Position, text: str) -> lsp.Position:
        """Insert text; returns the position behind it."""
        self.change(uri, [lsp.TextEdit(lsp.Range(position, position), text)])
        offset = LineIndex(self.texts[uri]).offset(Position(position.line, position.character), self.encoding)
        return self.position(uri, offset + len(text))

    def change(self, uri: str, edits: list[lsp.TextEdit]) -> None:
        """Change a document, and tell the server so in one notification."""
        before = self.texts[uri]
        self.texts[uri] = self._edited(before, edits)
        self._versions[uri] += 1
        # Each change is on top of the one before it: the last one in the text goes first.
        in_order = sorted(edits, key=lambda e: (e.range.start.line, e.range.start.character), reverse=True)
        self.client.text_document_did_change(
            lsp.DidChangeTextDocumentParams(
                lsp.VersionedTextDocumentIdentifier(version=self._versions[uri], uri=uri),
                [lsp.TextDocumentContentChangePartial(edit.range, edit.new_text) for edit in in_order],
            )
        )

    def save(self, uri: str) -> None:
        """Save a document (the server is told; the file is written)."""
        path = uris.to_fs_path(uri)
        assert path
        Path(path).write_bytes(self.texts[uri].encode())
        self.client.text_document_did_save(lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(uri)))

    def close(self, uri: str) -> None:
        """Close a document."""
        del self.texts[uri]
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))

    def apply(self, edit: lsp.WorkspaceEdit) -> None:
        """Apply an edit as an editor does: versions checked, nothing overwritten."""
        for uri, edits in (edit.changes or {}).items():
            self._apply_to(uri, list(edits))
        for change in edit.document_changes or []:
            if isinstance(change, lsp.CreateFile):
                path = Path(uris.to_fs_path(change.uri) or "")
                assert not path.exists()
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            else:
                assert isinstance(change, lsp.TextDocumentEdit)
                version = change.text_document.version
                assert version is None or version == self._versions[change.text_document.uri]
                self._apply_to(change.text_document.uri, change.edits)

    def _apply_to(self, uri: str, edits: list[Any]) -> None:
        if uri in self.texts:
            self.change(uri, edits)
            return
        path = Path(uris.to_fs_path(uri) or "")
        before = path.read_bytes().decode() if path.exists() else ""
        path.write_bytes(self._edited(before, edits).encode())

    def _edited(self, text: str, edits: list[lsp.TextEdit]) -> str:
        lines = LineIndex(text)

        def offset(position: lsp.Position) -> int:
            return lines.offset(Position(position.line, position.character), self.encoding)

        plain = [TextEdit(offset(e.range.start), offset(e.range.end), e.new_text) for e in edits]
        return apply_edits(text, plain)

    async def complete(
        self, uri: str, position: lsp.Position, *, invoked: bool = True
    ) -> list[lsp.InlineCompletionItem]:
        """The inline suggestions at a position."""
        kind = lsp.InlineCompletionTriggerKind.Invoked if invoked else lsp.InlineCompletionTriggerKind.Automatic
        answer = await self.request(
            self.client.text_document_inline_completion_async(
                lsp.InlineCompletionParams(lsp.InlineCompletionContext(kind), lsp.TextDocumentIdentifier(uri), position)
            )
        )
        assert isinstance(answer, lsp.InlineCompletionList)
        return list(answer.items)

    async def actions(
        self,
        uri: str,
        position: lsp.Position,
        only: list[lsp.CodeActionKind | str] | None = None,
        trigger: lsp.CodeActionTriggerKind | None = None,
        diagnostics: Sequence[lsp.Diagnostic] = (),
    ) -> list[lsp.CodeAction]:
        """The code actions at a position, where others have found these problems."""
        answer = await self.request(
            self.client.text_document_code_action_async(
                lsp.CodeActionParams(
                    lsp.TextDocumentIdentifier(uri),
                    lsp.Range(position, position),
                    lsp.CodeActionContext(diagnostics=list(diagnostics), only=only, trigger_kind=trigger),
                )
            )
        )
        assert all(isinstance(action, lsp.CodeAction) for action in answer or [])
        return [action for action in answer or [] if isinstance(action, lsp.CodeAction)]

    async def command(self, name: str, uri: str, position: lsp.Position) -> Any:
        """Run one of the server's commands on a position."""
        argument = {"uri": uri, "position": {"line": position.line, "character": position.character}}
        params = lsp.ExecuteCommandParams(f"shardlight.{name}", arguments=[argument])
        return await self.request(self.client.workspace_execute_command_async(params))

    async def request(self, answer: Any) -> Any:
        """Wait for an answer, but not for ever."""
        return await asyncio.wait_for(answer, self.patience_s)

    def messages(self) -> list[str]:
        """What the user was shown."""
        return [message.message for message in self.client.messages]


def _converter() -> Converter:
    """lsprotocol's, which takes every code action that carries a command for a bare command; editors do not."""
    converter = default_converter()

    def read(value: Any, _type: Any) -> lsp.Command | lsp.CodeAction:
        return converter.structure(value, lsp.Command if isinstance(value.get("command"), str) else lsp.CodeAction)

    converter.register_structure_hook(Union[lsp.Command, lsp.CodeAction], read)  # noqa: UP007 - the key is this object
    return converter


async def start(command: list[str], env: dict[str, str] | None = None) -> Editor:
    """An editor whose server was started by a command."""
    client = LanguageClient(converter_factory=_converter)
    register_lsp_features(client)
    editor = Editor(client)
    await client.start_io(sys.executable, *command, cwd=REPOSITORY, env=env)
    return editor


async def quit_editor(editor: Editor) -> None:
    """Close the window; the server has to go, and to say that all is well."""
    client = editor.client
    server = client._server
    assert server
    try:
        await asyncio.wait_for(client.shutdown_session(), PATIENCE_S)
        assert client.error is None
        assert server.returncode == 0
    finally:
        if server.returncode is None:
            server.kill()
        await client.stop()


async def model_state(editor: Editor) -> Any:
    """What the scripted model is doing; see ``tests/e2e/scripted_server.py``."""
    return await editor.request(editor.client.protocol.send_request_async("test/state", {}))


async def until_state(editor: Editor, **wanted: int) -> None:
    """Wait until the scripted model's counters have these values."""

    async def poll() -> None:
        while True:
            state = await model_state(editor)
            if all(getattr(state, name) == value for name, value in wanted.items()):
                return
            await asyncio.sleep(0.01)

    await asyncio.wait_for(poll(), PATIENCE_S)


def release(editor: Editor) -> None:
    """Let held answers go on."""
    editor.client.protocol.notify("test/release", {})
