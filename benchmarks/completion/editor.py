"""The editor's side of inline completion: documents kept in step, requests that newer ones cancel, Tab."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from lsp_server.text.positions import LineIndex, Position, PositionEncoding
from tools.demo.client import Client, capabilities, plain

_REPOSITORY = Path(__file__).resolve().parents[2]
_PATIENCE_S = 300.0
_QUIET_S = 3.0


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggestion, as offsets in the text that it was asked for.

    Attributes:
        command: what accepting it runs, if anything.
    """

    start: int
    end: int
    text: str
    command: lsp.Command | None = None

    def applied(self, text: str) -> str:
        """The document after Tab."""
        return text[: self.start] + self.text + text[self.end :]


class Editor:
    """One window."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.texts: dict[str, str] = {}
        self._versions: dict[str, int] = {}
        self._working: set[str | int] = set()
        self._quiet_since = time.monotonic()

        def progress(params: lsp.ProgressParams) -> None:
            ended = plain(params.value).get("kind") == "end"
            (self._working.discard if ended else self._working.add)(params.token)
            self._quiet_since = time.monotonic()

        def configuration(params: lsp.ConfigurationParams) -> list[None]:
            return [None] * len(params.items)

        def agree(_params: Any) -> None:
            return None

        client.feature(lsp.WINDOW_WORK_DONE_PROGRESS_CREATE)(agree)
        client.feature(lsp.CLIENT_REGISTER_CAPABILITY)(agree)
        client.feature(lsp.PROGRESS)(progress)
        client.feature(lsp.WORKSPACE_CONFIGURATION)(configuration)

    def open(self, path: Path, text: str) -> str:
        """Open a document; returns its URI."""
        uri = path.as_uri()
        self.texts[uri], self._versions[uri] = text, 1
        item = lsp.TextDocumentItem(uri, "python", 1, text)
        self.client.text_document_did_open(lsp.DidOpenTextDocumentParams(item))
        return uri

    def close(self, uri: str) -> None:
        """Close a document."""
        del self.texts[uri]
        self.client.text_document_did_close(lsp.DidCloseTextDocumentParams(lsp.TextDocumentIdentifier(uri)))

    def replace(self, uri: str, start: int, end: int, new: str) -> None:
        """Change a part of a document."""
        text = self.texts[uri]
        lines = LineIndex(text)
        self._versions[uri] += 1
        self.texts[uri] = text[:start] + new + text[end:]
        change = lsp.TextDocumentContentChangePartial(lsp.Range(_at(lines, start), _at(lines, end)), new)
        identifier = lsp.VersionedTextDocumentIdentifier(version=self._versions[uri], uri=uri)
        self.client.text_document_did_change(lsp.DidChangeTextDocumentParams(identifier, [change]))

    async def suggest(self, uri: str, offset: int, *, invoked: bool = False) -> Suggested | None:
        """The suggestion at an offset, None if there is none. Cancelled, it tells the server so."""
        text = self.texts[uri]
        lines = LineIndex(text)
        kind = lsp.InlineCompletionTriggerKind.Invoked if invoked else lsp.InlineCompletionTriggerKind.Automatic
        params = lsp.InlineCompletionParams(
            lsp.InlineCompletionContext(kind), lsp.TextDocumentIdentifier(uri), _at(lines, offset)
        )
        number = uuid.uuid4().hex
        answer = self.client.protocol.send_request_async(lsp.TEXT_DOCUMENT_INLINE_COMPLETION, params, msg_id=number)
        try:
            # Shielded: pygls would not know what to do with the answer to a future that was cancelled.
            found = await asyncio.wait_for(asyncio.shield(answer), _PATIENCE_S)
        except asyncio.CancelledError:
            answer.add_done_callback(lambda done: done.cancelled() or done.exception())
            self.client.protocol.notify(lsp.CANCEL_REQUEST, lsp.CancelParams(id=number))
            raise
        items = found.items if isinstance(found, lsp.InlineCompletionList) else found or []
        return _suggested(items[0], lines, offset) if items else None

    async def accept(self, uri: str, suggested: Suggested) -> int:
        """Tab; returns where the cursor is then."""
        self.replace(uri, suggested.start, suggested.end, suggested.text)
        if suggested.command:
            params = lsp.ExecuteCommandParams(suggested.command.command, arguments=suggested.command.arguments)
            await asyncio.wait_for(self.client.workspace_execute_command_async(params), _PATIENCE_S)
        return suggested.start + len(suggested.text)

    async def until_quiet(self) -> None:
        """Wait until the server shows no progress any more: it has read the workspace, and the model is loaded."""
        deadline = time.monotonic() + _PATIENCE_S
        while self._working or time.monotonic() - self._quiet_since < _QUIET_S:
            if time.monotonic() > deadline:
                raise RuntimeError(f"The server did not come to rest within {_PATIENCE_S:.0f} s.")
            await asyncio.sleep(0.05)


@asynccontextmanager
async def editor(root: Path, settings: dict[str, Any]) -> AsyncIterator[Editor]:
    """A window with a folder, its server at rest and its model loaded.

    Raises:
        RuntimeError: the server did not start; its last words.
    """
    client = Client()
    window = Editor(client)
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
        # Asked for expressly, a suggestion waits for the model.
        uri = window.open(root / "warm_up.py", "def warm_up():\n    \n")
        await window.suggest(uri, len("def warm_up():\n    "), invoked=True)
        window.close(uri)
        await window.until_quiet()
        yield window
        await asyncio.wait_for(client.shutdown_async(None), _PATIENCE_S)
        client.exit(None)
    except (asyncio.TimeoutError, ConnectionError) as error:
        raise RuntimeError(f"The server does not answer: {' / '.join(client.last_words)}") from error
    finally:
        await client.stop()  # type: ignore[no-untyped-call]


def _at(lines: LineIndex, offset: int) -> lsp.Position:
    return lsp.Position(*lines.position(offset, PositionEncoding.UTF16))


def _suggested(item: lsp.InlineCompletionItem, lines: LineIndex, offset: int) -> Suggested:
    text = item.insert_text if isinstance(item.insert_text, str) else item.insert_text.value
    if item.range is None:
        return Suggested(offset, offset, text, item.command)
    start, end = (
        lines.offset(Position(place.line, place.character), PositionEncoding.UTF16)
        for place in (item.range.start, item.range.end)
    )
    return Suggested(start, end, text, item.command)
