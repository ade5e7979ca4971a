"""A window of an editor with its language server, whose requests are timed."""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from benchmarks.completion.editor import Editor, Suggested
from benchmarks.soak.record import Record
from lsp_server.text.positions import LineIndex, Position, PositionEncoding
from tools.demo.client import Client, capabilities

_REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE_S = 180.0


class LostError(Exception):
    """A request was not answered, or the server is gone."""


class Window(Editor):
    """One window.

    Attributes:
        popups: suggestions are shown in lists; else they are inline.
        watches: the server is told of all changes of files.
    """

    def __init__(self, root: Path, record: Record, *, popups: bool, watches: bool) -> None:
        self._client = Client()
        super().__init__(self._client)
        self.root, self.popups, self.watches = root, popups, watches
        self.server = psutil.Process()
        self._record = record

        def agree(_params: lsp.ApplyWorkspaceEditParams) -> lsp.ApplyWorkspaceEditResult:
            return lsp.ApplyWorkspaceEditResult(applied=False, failure_reason="this is only looked at")

        def told(params: lsp.ShowMessageParams) -> None:
            record.event("message", text=params.message)

        def ignored(_params: Any) -> None:
            return None

        self._client.feature(lsp.WORKSPACE_APPLY_EDIT)(agree)
        self._client.feature(lsp.WINDOW_SHOW_MESSAGE)(told)
        self._client.feature(lsp.WINDOW_LOG_MESSAGE)(ignored)
        self._client.feature(lsp.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)(ignored)
        self._client.feature("shardlight/status")(ignored)

    async def start(self, env: Mapping[str, str], settings: dict[str, Any]) -> None:
        """Start the server and tell it of the folder."""
        command = (sys.executable, "-m", "lsp_server", "serve")
        await self._client.start_io(*command, cwd=_REPOSITORY, env=dict(env))
        assert self._client._server  # noqa: S101 - it was started
        self.server = psutil.Process(self._client._server.pid)
        able = capabilities()
        assert able.workspace  # noqa: S101 - a current editor
        assert able.text_document  # noqa: S101
        able.workspace.configuration = False
        if self.watches:
            able.workspace.did_change_watched_files = lsp.DidChangeWatchedFilesClientCapabilities(True)
        if self.popups:
            able.text_document.inline_completion = None
            able.text_document.completion = lsp.CompletionClientCapabilities()
        params = lsp.InitializeParams(
            able,
            root_uri=self.root.as_uri(),
            workspace_folders=[lsp.WorkspaceFolder(self.root.as_uri(), self.root.name)],
            initialization_options={"settings": settings, "trusted": True, "status": True},
        )
        await self.ask("initialize", "initialize", params)
        self._client.initialized(lsp.InitializedParams())

    async def leave(self, *, rudely: bool = False) -> None:
        """End: with the protocol's farewell, or by closing the pipe. The server has to end by itself.

        Raises:
            LostError: it does not; it is killed then.
        """
        server = self._client._server
        assert server  # noqa: S101 - it was started
        if not rudely:
            await self.ask("shutdown", "shutdown", None)
            self._client.exit(None)
        if server.stdin:
            server.stdin.close()
        try:
            await asyncio.wait_for(server.wait(), PATIENCE_S)
        except asyncio.TimeoutError as error:
            server.kill()
            raise LostError("The server does not end.") from error
        finally:
            with suppress(Exception):
                await asyncio.wait_for(self._client.stop(), 10.0)  # type: ignore[no-untyped-call]

    async def ask(self, kind: str, method: str, params: Any, *, patience_s: float = PATIENCE_S) -> Any:
        """The answer to a request; None where the server refuses, or where it is cancelled after that time.

        Raises:
            LostError: no answer within `PATIENCE_S`.
            asyncio.CancelledError: somebody cancels this; then the request is cancelled, too.
        """
        number = uuid.uuid4().hex
        began = time.monotonic()
        answer = self.client.protocol.send_request_async(method, params, msg_id=number)
        try:
            done, _ = await asyncio.wait({answer}, timeout=patience_s)
            if not done:
                if patience_s >= PATIENCE_S:
                    raise LostError(f"{method} was not answered.")
                self._cancel(number)
                self._record.count(f"{kind}: cancelled")
                # The cancelled request is answered as well.
                done, _ = await asyncio.wait({answer}, timeout=PATIENCE_S)
                if not done:
                    raise LostError(f"{method} was cancelled and not answered.")
                if not answer.cancelled():
                    answer.exception()
                return None
        except asyncio.CancelledError:
            answer.add_done_callback(lambda late: late.cancelled() or late.exception())
            self._cancel(number)
            self._record.count(f"{kind}: cancelled")
            raise
        try:
            found = answer.result()
        except JsonRpcException as error:
            self._record.count(f"{kind}: refused")
            self._record.event("refused", request=kind, text=str(error)[:300])
            return None
        except RuntimeError as error:
            raise LostError(str(error)) from error
        nothing = not (found.items if hasattr(found, "items") else found)
        self._record.answered(f"{kind}, nothing" if nothing else kind, time.monotonic() - began)
        return found

    def _cancel(self, number: str) -> None:
        self.client.protocol.notify(lsp.CANCEL_REQUEST, lsp.CancelParams(id=number))

    async def suggestion(self, uri: str, offset: int, kind: str, *, invoked: bool = False) -> Suggested | None:
        """What is suggested at an offset, inline or in a list."""
        text = self.texts[uri]
        document, at = lsp.TextDocumentIdentifier(uri), self.at(uri, offset)
        kind = f"{'list' if self.popups else 'inline'}: {kind}"
        if self.popups:
            found = await self.ask(kind, lsp.TEXT_DOCUMENT_COMPLETION, lsp.CompletionParams(document, at))
            items = (
                [item.text_edit for item in found.items if isinstance(item.text_edit, lsp.TextEdit)] if found else []
            )
            edits: list[tuple[lsp.Range, str, lsp.Command | None]]
            edits = [(edit.range, edit.new_text, None) for edit in items]
        else:
            trigger = lsp.InlineCompletionTriggerKind.Invoked if invoked else lsp.InlineCompletionTriggerKind.Automatic
            params = lsp.InlineCompletionParams(lsp.InlineCompletionContext(trigger), document, at)
            found = await self.ask(kind, lsp.TEXT_DOCUMENT_INLINE_COMPLETION, params)
            listed = found.items if isinstance(found, lsp.InlineCompletionList) else found or []
            edits = [(item.range or lsp.Range(at, at), str(item.insert_text), item.command) for item in listed]
        if not edits:
            return None
        span, new, command = edits[0]
        lines = LineIndex(text)
        return Suggested(_offset(lines, span.start), _offset(lines, span.end), new, command)

    async def list_at(
        self, uri: str, at: lsp.Position, kind: str, problems: Sequence[lsp.Diagnostic] = ()
    ) -> list[lsp.CodeAction]:
        """The actions that are offered at a place where tools see those problems."""
        params = lsp.CodeActionParams(
            lsp.TextDocumentIdentifier(uri), lsp.Range(at, at), lsp.CodeActionContext(list(problems))
        )
        found = await self.ask(kind, lsp.TEXT_DOCUMENT_CODE_ACTION, params) or ()
        return [one for one in found if isinstance(one, lsp.CodeAction)]

    def at(self, uri: str, offset: int) -> lsp.Position:
        """An offset in a document, as the protocol has it."""
        return lsp.Position(*LineIndex(self.texts[uri]).position(offset, PositionEncoding.UTF16))

    def apply(self, edit: lsp.WorkspaceEdit) -> int:
        """Make the changes of an edit that are of open documents; returns their number."""
        made = 0
        for change in edit.document_changes or ():
            if not isinstance(change, lsp.TextDocumentEdit) or change.text_document.uri not in self.texts:
                continue
            uri = change.text_document.uri
            lines = LineIndex(self.texts[uri])
            spans = [
                (_offset(lines, one.range.start), _offset(lines, one.range.end), one.new_text)
                for one in change.edits
                if isinstance(one, (lsp.TextEdit, lsp.AnnotatedTextEdit))
            ]
            for start, end, new in sorted(spans, reverse=True):
                self.replace(uri, start, end, new)
                made += 1
        return made

    def save(self, uri: str, path: Path) -> None:
        """Write a document to its file."""
        path.write_text(self.texts[uri], encoding="utf-8")
        params = lsp.DidSaveTextDocumentParams(lsp.TextDocumentIdentifier(uri))
        self._client.text_document_did_save(params)
        self.changed_on_disk((path, lsp.FileChangeType.Changed))

    def changed_on_disk(self, *changes: tuple[Path, lsp.FileChangeType]) -> None:
        """Tell of changes of files, if that is wanted."""
        if self.watches:
            events = [lsp.FileEvent(path.as_uri(), kind) for path, kind in changes]
            self._client.workspace_did_change_watched_files(lsp.DidChangeWatchedFilesParams(events))

    def settings(self, settings: dict[str, Any]) -> None:
        """Tell of other settings."""
        params = lsp.DidChangeConfigurationParams({"shardlight": settings})
        self._client.workspace_did_change_configuration(params)


def _offset(lines: LineIndex, place: lsp.Position) -> int:
    return lines.offset(Position(place.line, place.character), PositionEncoding.UTF16)
