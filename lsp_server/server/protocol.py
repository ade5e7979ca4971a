"""pygls' protocol, with three of its built-in methods made ours.

* Documents: pygls splits lines where Python does (form feeds, U+2028 …); the protocol does not. Ours are kept in
  ``documents.py``, so pygls need not keep a second, different copy.
* Commands: pygls runs them inside a generator, where ``$/cancelRequest`` does not reach them.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, lsp_method

# Answers that are errors by the protocol's design: the user reads them in the editor, a traceback explains nothing.
_EXPECTED = {lsp.LSPErrorCodes.RequestFailed, lsp.LSPErrorCodes.ContentModified, lsp.LSPErrorCodes.RequestCancelled}


def is_news(record: logging.LogRecord) -> bool:
    """Whether a record of pygls' log says something that the client was not told; a filter for its logger."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, JsonRpcException) and error.code in {code.value for code in _EXPECTED})


logging.getLogger("pygls.protocol.json_rpc").addFilter(is_news)


class Protocol(LanguageServerProtocol):
    """See the module."""

    @property
    def was_shut_down(self) -> bool:
        """Whether the client has said goodbye; if not, the exit code is to be 1."""
        return bool(self._shutdown)

    @lsp_method(lsp.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: lsp.DidOpenTextDocumentParams) -> Generator[Any, Any, None]:
        """Hand over to our handler."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_OPEN], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: lsp.DidChangeTextDocumentParams) -> Generator[Any, Any, None]:
        """Hand over to our handler."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CHANGE], (params,), None

    @lsp_method(lsp.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: lsp.DidCloseTextDocumentParams) -> Generator[Any, Any, None]:
        """Hand over to our handler."""
        yield self.fm.features[lsp.TEXT_DOCUMENT_DID_CLOSE], (params,), None

    @lsp_method(lsp.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]
        self, params: lsp.ExecuteCommandParams
    ) -> Any:
        """Run one of our commands, all of which take the list of arguments."""
        handler = self.fm.commands.get(params.command)
        if handler is None:
            raise JsonRpcInvalidParams(f"There is no command {params.command!r}.")
        return await handler(params.arguments or [])
