"""An editor's window on a server with a real model, in which actions are chosen."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException

from lsp_server.text.edits import TextEdit, apply_edits
from lsp_server.text.positions import LineIndex, Position, PositionEncoding
from tools.demo.client import Client, capabilities

_REPOSITORY = Path(__file__).resolve().parents[2]
_PATIENCE_S = 600.0


class RefusedActionError(Exception):
    """The action was not done; the reason that the user is told."""


class Window:
    """An editor that asks for actions; ``progress`` gets a token for each whose progress the server shows."""

    def __init__(self, client: Client, progress: asyncio.Queue[lsp.ProgressToken]) -> None:
        self.client = client
        self.progress = progress

    async def act(self, path: Path, text: str, language: str, offset: int, kind: str) -> str:
        """The document after an action of a kind at an offset.

        Raises:
            RefusedActionError: the server's reason; also where no such action is listed.
        """
        uri, lines = path.as_uri(), LineIndex(text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(lsp.TextDocumentItem(uri, language, 1, text)))
        try:
            at = lsp.Position(*lines.position(offset, PositionEncoding.UTF16))
            context = lsp.CodeActionContext([], [kind])
            params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), lsp.Range(at, at), context)
            listed = await self._answer(self.client.text_document_code_action_async(params)) or []
            if not listed:
                raise RefusedActionError(f"nothing of the kind {kind} is listed")
            action = await self._answer(self.client.code_action_resolve_async(listed[0]))
            (change,) = action.edit.document_changes
            edits = [
                TextEdit(_offset(lines, edit.range.start), _offset(lines, edit.range.end), edit.new_text)
                for edit in change.edits
            ]
            return apply_edits(text, edits)
        finally:
            self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))

    async def list(self, uri: str, at: lsp.Position) -> list[Any]:
        """The actions at a place of an open document."""
        params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), lsp.Range(at, at), lsp.CodeActionContext([]))
        return list(await self._answer(self.client.text_document_code_action_async(params)) or [])

    async def _answer(self, request: Any) -> Any:
        try:
            return await asyncio.wait_for(request, _PATIENCE_S)
        except JsonRpcException as error:
            raise RefusedActionError(error.message) from error


def _offset(lines: LineIndex, place: lsp.Position) -> int:
    return lines.offset(Position(place.line, place.character), PositionEncoding.UTF16)


@asynccontextmanager
async def window(root: Path, settings: dict[str, Any]) -> AsyncIterator[Window]:
    """A window on a folder. Raises RuntimeError with the server's last words if it does not answer."""
    client = Client()
    progress: asyncio.Queue[lsp.ProgressToken] = asyncio.Queue()
    client.feature(lsp.WINDOW_WORK_DONE_PROGRESS_CREATE)(lambda params: progress.put_nowait(params.token))
    client.feature(lsp.CLIENT_REGISTER_CAPABILITY)(lambda _params: None)
    client.feature(lsp.PROGRESS)(lambda _params: None)
    client.feature(lsp.WORKSPACE_CONFIGURATION)(lambda params: [None] * len(params.items))
    await client.start_io(sys.executable, "-m", "lsp_server", "serve", cwd=_REPOSITORY, env=dict(os.environ))
    try:
        params = lsp.InitializeParams(
            capabilities(),
            root_uri=root.as_uri(),
            workspace_folders=[lsp.WorkspaceFolder(root.as_uri(), root.name)],
            initialization_options={"settings": settings},
        )
        await asyncio.wait_for(client.initialize_async(params), _PATIENCE_S)
        client.initialized(lsp.InitializedParams())
        yield Window(client, progress)
        await asyncio.wait_for(client.shutdown_async(None), _PATIENCE_S)
        client.exit(None)
    except (asyncio.TimeoutError, ConnectionError) as error:
        raise RuntimeError(f"The server does not answer: {' / '.join(client.last_words)}") from error
    finally:
        await client.stop()  # type: ignore[no-untyped-call]
