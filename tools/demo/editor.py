"""An editor without a screen: documents, edits and progress over the language server protocol on stdio."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls import uris

from lsp_server import __version__
from lsp_server.text.edits import TextEdit, apply_edits
from lsp_server.text.positions import LineIndex, Position, PositionEncoding
from tools.demo.client import Client, capabilities, plain

SERVER = (sys.executable, "-m", "lsp_server", "serve")
_LANGUAGES = {".py": "python", ".ts": "typescript"}
# How long a server may take to leave.
_PATIENCE_S = 30.0


@dataclass
class Document:
    """An open file: what the editor's buffer holds, which need not be what is on disk.

    ``original`` is what it held when it was opened.
    """

    path: Path
    language: str
    text: str
    original: str
    version: int = 1

    @property
    def uri(self) -> str:
        """Its URI."""
        return _uri(self.path)


class Editor:
    """One window on one workspace, whose user trusts it and agrees to downloads.

    Args:
        root: the workspace folder.
        settings: what the user has set under ``shardlight``.
        on_progress: called with a few words and percent (None where unknown) whenever the server reports progress.
        server: the command that starts the server.
        environ: the server's environment; None for our own.

    Attributes:
        initialize_s: seconds from starting the server to its answer to ``initialize``.
        messages: what the server told the user, in order.
    """

    def __init__(
        self,
        root: Path,
        settings: Mapping[str, Any],
        on_progress: Callable[[str, int | None], None],
        *,
        server: Sequence[str] = SERVER,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.root = root
        self.initialize_s = 0.0
        self.messages: list[str] = []
        self._settings = dict(settings)
        self._on_progress = on_progress
        self._server = server
        self._environ = environ
        self._documents: dict[str, Document] = {}
        self._diagnostics: dict[str, list[lsp.Diagnostic]] = {}
        self._titles: dict[lsp.ProgressToken, str] = {}
        # Displays about loading or downloading that are on, since when there has been one, and seconds before that.
        self._loading: set[lsp.ProgressToken] = set()
        self._loading_since = 0.0
        self._loaded_s = 0.0
        self._client = Client()
        self._answer_server()

    async def start(self) -> None:
        """Start the server and shake hands."""
        begun = time.monotonic()
        await self._client.start_io(*self._server, env=self._environ)
        folder = lsp.WorkspaceFolder(_uri(self.root), self.root.name)
        await self._client.initialize_async(
            lsp.InitializeParams(
                capabilities=capabilities(),
                client_info=lsp.ClientInfo("shardlight-demo", __version__),
                root_uri=folder.uri,
                workspace_folders=[folder],
                initialization_options={"trusted": True, "settings": self._settings},
            )
        )
        self.initialize_s = time.monotonic() - begun
        self._client.initialized(lsp.InitializedParams())

    async def close(self) -> None:
        """End the server as the protocol has it, and one that does not answer all the same.

        The engine stays, as it does when an editor is closed.
        """
        if not self.gone:
            try:
                await asyncio.wait_for(self._client.shutdown_async(None), _PATIENCE_S)
                self._client.exit(None)
            except asyncio.TimeoutError:
                self._client.kill()
        await self._client.stop()  # type: ignore[no-untyped-call]

    @property
    def loading_s(self) -> float:
        """Seconds in which the server has shown that it loads or downloads a model, so far."""
        return self._loaded_s + (time.monotonic() - self._loading_since if self._loading else 0.0)

    @property
    def gone(self) -> bool:
        """Whether the server has ended."""
        return self._client.stopped

    def last_words(self) -> str:
        """The end of what the server printed to stderr."""
        return " ".join(self._client.last_words) or "it said nothing"

    def open(self, relative: str) -> Document:
        """The document of a file of the workspace; opened if it is not open yet."""
        path = self.root / relative
        if document := self._documents.get(_uri(path)):
            return document
        text = path.read_text(encoding="utf-8")
        document = Document(path, _LANGUAGES[path.suffix], text, original=text)
        self._documents[document.uri] = document
        item = lsp.TextDocumentItem(document.uri, document.language, document.version, document.text)
        self._client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return document

    def edit(self, document: Document, start: int, end: int, new_text: str) -> None:
        """Replace ``text[start:end]`` of the buffer, and tell the server."""
        span = _range(document.text, start, end)
        document.text = apply_edits(document.text, [TextEdit(start, end, new_text)])
        document.version += 1
        identifier = lsp.VersionedTextDocumentIdentifier(document.version, document.uri)
        change = lsp.TextDocumentContentChangePartial(text=new_text, range=span)
        self._client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [change]))

    def save(self, document: Document) -> None:
        """Write the buffer to disk, and tell the server."""
        document.path.write_text(document.text, encoding="utf-8")
        identifier = lsp.TextDocumentIdentifier(document.uri)
        self._client.text_document_did_save(lsp.DidSaveTextDocumentParams(identifier))

    def texts(self) -> dict[str, str]:
        """The buffers' texts by URI."""
        return {uri: document.text for uri, document in self._documents.items()}

    def restore(self, texts: Mapping[str, str]) -> None:
        """Give all buffers, and their files, the texts that they had; those opened later, their first one."""
        for uri, document in self._documents.items():
            text = texts.get(uri, document.original)
            if document.text != text:
                self.edit(document, 0, len(document.text), text)
                self.save(document)

    def relative(self, path: Path) -> str:
        """A path as people write it."""
        return path.relative_to(self.root).as_posix()

    def offset(self, document: Document, position: lsp.Position) -> int:
        """A place in the buffer that the server has named."""
        return _offset(document.text, position)

    async def suggestion(self, document: Document, offset: int) -> tuple[str, int] | None:
        """The inline completion at a place, as when the user asks for it by key, and where what it replaces ends."""
        result = await self._client.text_document_inline_completion_async(
            lsp.InlineCompletionParams(
                lsp.InlineCompletionContext(lsp.InlineCompletionTriggerKind.Invoked),
                lsp.TextDocumentIdentifier(document.uri),
                _position(document.text, offset),
            )
        )
        items = result.items if isinstance(result, lsp.InlineCompletionList) else result or ()
        if not items:
            return None
        text, replaced = items[0].insert_text, items[0].range
        end = _offset(document.text, replaced.end) if replaced else offset
        return text if isinstance(text, str) else text.value, end

    async def actions(self, document: Document, offset: int, only: lsp.CodeActionKind | str) -> list[lsp.CodeAction]:
        """The code actions of a kind that are offered at a place."""
        at = _position(document.text, offset)
        diagnostics = [d for d in self.diagnostics(document) if d.range.start.line <= at.line <= d.range.end.line]
        context = lsp.CodeActionContext(diagnostics, only=[only])
        identifier = lsp.TextDocumentIdentifier(document.uri)
        answer = await self._client.text_document_code_action_async(
            lsp.CodeActionParams(identifier, lsp.Range(at, at), context)
        )
        return [action for action in answer or () if isinstance(action, lsp.CodeAction)]

    async def apply(self, action: lsp.CodeAction) -> list[Path]:
        """Have an action computed, if it is not yet, and apply it; returns the files that it changed."""
        resolved = action if action.edit else await self._client.code_action_resolve_async(action)
        return self._apply_edit(resolved.edit) if resolved.edit else []

    async def command(self, name: str, document: Document | None = None, offset: int = 0) -> Mapping[str, Any]:
        """Run a command, on the function at a place if a document is given."""
        arguments: list[Any] = []
        if document:
            at = _position(document.text, offset)
            arguments = [{"uri": document.uri, "position": {"line": at.line, "character": at.character}}]
        answer = await self._client.workspace_execute_command_async(lsp.ExecuteCommandParams(name, arguments))
        return plain(answer) or {}

    def diagnostics(self, document: Document) -> list[lsp.Diagnostic]:
        """What the server has published last for a document."""
        return self._diagnostics.get(document.uri, [])

    def _apply_edit(self, edit: lsp.WorkspaceEdit) -> list[Path]:
        changed: list[Path] = []
        for change in edit.document_changes or ():
            if isinstance(change, lsp.CreateFile):
                path = Path(uris.to_fs_path(change.uri) or "")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.open("x", encoding="utf-8").close()
            elif isinstance(change, lsp.TextDocumentEdit):
                changed.append(self._apply_text_edits(change))
        return changed

    def _apply_text_edits(self, change: lsp.TextDocumentEdit) -> Path:
        """Apply edits to the buffer if the file is open, else to the file."""
        uri = change.text_document.uri
        document = self._documents.get(uri)
        path = document.path if document else Path(uris.to_fs_path(uri) or "")
        text = document.text if document else path.read_text(encoding="utf-8")
        edits = [_text_edit(text, e) for e in change.edits if not isinstance(e, lsp.SnippetTextEdit)]
        if document:
            # From the end to the start: then none moves the places that the others mean.
            for one in sorted(edits, key=lambda e: e.start, reverse=True):
                self.edit(document, one.start, one.end, one.new_text)
        else:
            path.write_text(apply_edits(text, edits), encoding="utf-8")
        return path

    def _answer_server(self) -> None:
        """What the server may ask of the editor, and what it tells it."""

        def configuration(params: lsp.ConfigurationParams) -> list[Any]:
            return [self._settings if item.section == "shardlight" else None for item in params.items]

        def accept(_params: lsp.RegistrationParams | lsp.WorkDoneProgressCreateParams) -> None:
            return None

        def progress(params: lsp.ProgressParams) -> None:
            self._note_progress(params.token, plain(params.value))

        def message(params: lsp.ShowMessageParams | lsp.LogMessageParams) -> None:
            self.messages.append(params.message)

        def question(params: lsp.ShowMessageRequestParams) -> lsp.MessageActionItem | None:
            self.messages.append(params.message)
            return next((a for a in params.actions or () if a.title == "Download"), None)

        def apply_edit(params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
            self._apply_edit(params.edit)
            return lsp.ApplyWorkspaceEditResult(applied=True)

        def diagnostics(params: lsp.PublishDiagnosticsParams) -> None:
            self._diagnostics[params.uri] = list(params.diagnostics)

        answers: dict[str, Callable[[Any], Any]] = {
            lsp.WORKSPACE_CONFIGURATION: configuration,
            lsp.CLIENT_REGISTER_CAPABILITY: accept,
            lsp.WINDOW_WORK_DONE_PROGRESS_CREATE: accept,
            lsp.PROGRESS: progress,
            lsp.WINDOW_SHOW_MESSAGE: message,
            lsp.WINDOW_LOG_MESSAGE: message,
            lsp.WINDOW_SHOW_MESSAGE_REQUEST: question,
            lsp.WORKSPACE_APPLY_EDIT: apply_edit,
            lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS: diagnostics,
        }
        for method, answer in answers.items():
            self._client.feature(method)(answer)

    def _note_progress(self, token: lsp.ProgressToken, value: Mapping[str, Any]) -> None:
        kind, message = value["kind"], value.get("message") or ""
        if kind == "end":
            self._titles.pop(token, None)
            if token in self._loading:
                loaded_s = self.loading_s
                self._loading.discard(token)
                self._loaded_s = loaded_s if not self._loading else self._loaded_s
            return
        title = self._titles.setdefault(token, value.get("title", ""))
        if kind == "begin" and title.startswith(("Loading", "Downloading")):
            self._loading_since = self._loading_since if self._loading else time.monotonic()
            self._loading.add(token)
        self._on_progress(f"{title}: {message}" if message else title, value.get("percentage"))


def _uri(path: Path) -> str:
    """pygls' spelling: the server builds its own from paths with it."""
    return uris.from_fs_path(str(path)) or ""


def _position(text: str, offset: int) -> lsp.Position:
    line, character = LineIndex(text).position(offset, PositionEncoding.UTF16)
    return lsp.Position(line, character)


def _range(text: str, start: int, end: int) -> lsp.Range:
    return lsp.Range(_position(text, start), _position(text, end))


def _offset(text: str, position: lsp.Position) -> int:
    return LineIndex(text).offset(Position(position.line, position.character), PositionEncoding.UTF16)


def _text_edit(text: str, edit: lsp.TextEdit | lsp.AnnotatedTextEdit) -> TextEdit:
    return TextEdit(_offset(text, edit.range.start), _offset(text, edit.range.end), edit.new_text)
