"""The editor's end of the wire: pygls' client, and what the editor declares that it can do."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from lsprotocol import types as lsp
from pygls.lsp.client import LanguageClient

from lsp_server import __version__

_LAST_WORDS = 20


class Client(LanguageClient):
    """pygls' client, which keeps the server's last words for when it dies."""

    def __init__(self) -> None:
        super().__init__("shardlight-demo", __version__)
        self.last_words: deque[str] = deque(maxlen=_LAST_WORDS)

    async def start_io(self, cmd: str, *args: Any, **kwargs: Any) -> None:
        """Start the server and read along what it prints to stderr: a full pipe would block it."""
        await super().start_io(cmd, *args, **kwargs)
        self._async_tasks.append(asyncio.create_task(self._listen()))

    def kill(self) -> None:
        """End a server that does not leave by itself."""
        if self._server and self._server.returncode is None:
            self._server.kill()

    async def _listen(self) -> None:
        stream = self._server.stderr if self._server else None
        while stream and (line := await stream.readline()):
            self.last_words.append(line.decode("utf-8", "replace").rstrip())


def capabilities() -> lsp.ClientCapabilities:
    """What a current editor declares."""
    resolve = lsp.ClientCodeActionResolveOptions(properties=["edit"])
    literal = lsp.ClientCodeActionLiteralOptions(
        lsp.ClientCodeActionKindOptions(["quickfix", "refactor", "refactor.rewrite", "source"])
    )
    return lsp.ClientCapabilities(
        general=lsp.GeneralClientCapabilities(position_encodings=[lsp.PositionEncodingKind.Utf16]),
        window=lsp.WindowClientCapabilities(
            work_done_progress=True, show_message=lsp.ShowMessageRequestClientCapabilities()
        ),
        workspace=lsp.WorkspaceClientCapabilities(
            apply_edit=True,
            configuration=True,
            workspace_folders=True,
            workspace_edit=lsp.WorkspaceEditClientCapabilities(
                document_changes=True, resource_operations=[lsp.ResourceOperationKind.Create]
            ),
            did_change_configuration=lsp.DidChangeConfigurationClientCapabilities(dynamic_registration=True),
        ),
        text_document=lsp.TextDocumentClientCapabilities(
            inline_completion=lsp.InlineCompletionClientCapabilities(),
            publish_diagnostics=lsp.PublishDiagnosticsClientCapabilities(version_support=True),
            code_action=lsp.CodeActionClientCapabilities(
                data_support=True, resolve_support=resolve, code_action_literal_support=literal
            ),
        ),
    )


def plain(value: Any) -> Any:
    """JSON as dicts and lists, however pygls has read it."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
