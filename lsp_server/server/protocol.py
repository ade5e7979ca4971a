"""pygls' protocol, with some of what it does made ours.

* Documents: pygls splits lines where Python does (form feeds, U+2028 …); the protocol does not. Ours are kept in
  ``documents.py``, so pygls need not keep a second, different copy.
* Commands: pygls runs them inside a generator, where ``$/cancelRequest`` does not reach them.
* Memory: pygls keeps what came of each notification that a generator handles, which each change of a document is.
* What a client may not send: pygls leaves a request unanswered whose parameters are wrong, and any after ``shutdown``;
  it answers those before ``initialize`` as if nothing were missing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException, JsonRpcInternalError, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, lsp_method
from pygls.protocol.json_rpc import RPCMessage, RPCRequest

# Answers that are errors by the protocol's design: the user reads them in the editor, a traceback explains nothing.
_EXPECTED = {lsp.LSPErrorCodes.RequestFailed, lsp.LSPErrorCodes.ContentModified, lsp.LSPErrorCodes.RequestCancelled}


def is_news(record: logging.LogRecord) -> bool:
    """Whether a record of pygls' log says something that the client was not told; a filter for its logger."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, JsonRpcException) and error.code in {code.value for code in _EXPECTED})


logging.getLogger("pygls.protocol.json_rpc").addFilter(is_news)


class Protocol(LanguageServerProtocol):
    """See the module."""

    _was_initialized = False

    def structure_message(self, data: dict[str, Any]) -> Any:
        """As pygls has it; None for a message that says something else than its method allows.

        A request is told so; what is wrong stands in the log.
        """
        try:
            return super().structure_message(data)
        except (JsonRpcInvalidParams, JsonRpcInternalError):
            method = data.get("method")
            if "id" in data and method is not None:
                self._refuse(data["id"], JsonRpcInvalidParams(f"The parameters of {method} are not as it has them."))
            return None

    def handle_message(self, message: RPCMessage | None) -> None:
        """As pygls has it, for messages that may come now."""
        if message is None:
            return
        method = getattr(message, "method", None)
        if method == lsp.INITIALIZE:
            self._was_initialized = True
        elif method not in (None, lsp.EXIT) and (self._shutdown or not self._was_initialized):
            if isinstance(message, RPCRequest):
                wrong = "This session has ended." if self._shutdown else "`initialize` has to come first."
                code = lsp.ErrorCodes.InvalidRequest if self._shutdown else lsp.ErrorCodes.ServerNotInitialized
                self._refuse(message.id, JsonRpcException(wrong, code.value))
            return
        super().handle_message(message)

    def _execute_handler(
        self,
        msg_id: Any,
        handler: Callable[..., Any],
        callback: Callable[..., Any],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        def done(future: Any) -> None:
            self._request_futures.pop(msg_id, None)
            callback(future)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _refuse(self, msg_id: Any, error: JsonRpcException) -> None:
        self._send_response(msg_id, None, error.to_response_error())

    @property
    def was_shut_down(self) -> bool:
        """Whether the client has said goodbye; if not, the exit code is to be 1."""
        return bool(self._shutdown)

    @lsp_method(lsp.SHUTDOWN)
    def lsp_shutdown(self, *args: Any) -> Generator[Any, Any, None]:
        """As pygls has it, by a copy of what is under way: what is cancelled is not kept (see `_execute_handler`)."""
        yield self.fm.features[lsp.SHUTDOWN], args, None
        own = self.msg_id
        for msg_id, future in tuple(self._request_futures.items()):
            if msg_id != own:
                future.cancel()
        self._shutdown = True

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
