"""llama-server's own endpoints, as llama.vim, llama.vscode and other tools ask them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lsp_server import __version__
from lsp_server.engine import metrics
from lsp_server.engine.http import inputs, refused
from lsp_server.engine.http.answering import Handlers
from lsp_server.engine.http.fields import field, json_body
from lsp_server.engine.http.generating import answer, generation, hole_filling, own_prompt
from lsp_server.engine.http.requests import common_options
from lsp_server.engine.http.responses import LlamaServerShape, facts
from lsp_server.engine.lanes import Lane
from lsp_server.engine.leases import Leases
from lsp_server.engine.native import library
from lsp_server.engine.service import EngineService


class LlamaServer:
    """The handlers, over one engine."""

    def __init__(self, service: EngineService, leases: Leases) -> None:
        self._service = service
        self._leases = leases

    @property
    def handlers(self) -> Handlers:
        """By method and path."""
        return {
            ("GET", "/props"): self.props,
            ("GET", "/slots"): self.slots,
            ("GET", "/metrics"): self.metrics,
            ("POST", "/tokenize"): self.tokenize,
            ("POST", "/detokenize"): self.detokenize,
            ("POST", "/apply-template"): self.apply_template,
            ("POST", "/infill"): self.infill,
            ("POST", "/completion"): self.completion,
            ("POST", "/completions"): self.completion,
        }

    async def props(self, _request: Request) -> Response:
        """What the engine and its model are."""
        service = self._service
        model = service.model
        return JSONResponse(
            {
                "model_alias": service.config.model_id,
                "model_path": str(service.config.path),
                "total_slots": len(service.slots()),
                "default_generation_settings": {"n_ctx": service.n_ctx},
                "chat_template": model.chat_template or "",
                "bos_token": model.bos_text,
                "eos_token": model.eos_text,
                "build_info": f"shardlight {__version__}, {library.system_info()}",
                "fim": model.fim is not None,
                "clients": self._leases.clients,
                "unused": self._leases.ended_at is not None and not service.busy,
                "plan": service.load.as_json() if service.load else None,
                "model": facts(model),
            }
        )

    async def slots(self, _request: Request) -> Response:
        """The sequences."""
        return JSONResponse(self._service.slots())

    async def metrics(self, _request: Request) -> Response:
        """What was counted."""
        return Response(self._service.metrics_page(), media_type=metrics.CONTENT_TYPE)

    async def tokenize(self, request: Request) -> Response:
        """A text's token ids."""
        body = await json_body(request)
        text = field(body, "content", str, "")
        special = field(body, "parse_special", bool, False)
        model = self._service.model
        tokens = model.tokenize(text, parse_special=special)
        if field(body, "add_special", bool, False):
            tokens = model.bos + tokens
        if field(body, "with_pieces", bool, False):
            pieces = [_piece(model.piece(token, special=True)) for token in tokens]
            return JSONResponse(
                {"tokens": [{"id": token, "piece": piece} for token, piece in zip(tokens, pieces, strict=True)]}
            )
        return JSONResponse({"tokens": tokens})

    async def detokenize(self, request: Request) -> Response:
        """The text of token ids."""
        body = await json_body(request)
        model = self._service.model
        tokens = inputs.token_ids("tokens", field(body, "tokens", list, []), model.n_vocab)
        return JSONResponse({"content": model.detokenize(tokens).decode("utf-8", "replace")})

    async def apply_template(self, request: Request) -> Response:
        """A conversation as the text that ``/completion`` goes on with."""
        body = await json_body(request)
        refused.check(body)
        return JSONResponse({"prompt": await asyncio.to_thread(self._service.chat_text, inputs.messages(body))})

    async def infill(self, request: Request) -> Response:
        """Fill a hole."""
        body = await json_body(request)
        options = common_options(body, priority="inline")
        hole, names, known_names = inputs.hole(body), inputs.names(body), inputs.known_names(body)
        filling = hole_filling(self._service, hole, options, names, known_names)
        shape = LlamaServerShape(self._service.config.model_id, options.response_fields)
        return await answer(self._service, request, shape, options, Lane.COMPLETION, filling)

    async def completion(self, request: Request) -> Response:
        """Go on with a text that the client has laid out: control tokens in it are such, as in llama-server."""
        body = await json_body(request)
        options = common_options(body, priority="action", max_tokens=-1)
        special = field(body, "parse_special", bool, True)
        tokens, _ = own_prompt(self._service, inputs.prompt(body), parse_special=special)
        shape = LlamaServerShape(self._service.config.model_id, options.response_fields)
        asked = replace(generation(options), prompt=tokens)
        return await answer(self._service, request, shape, options, Lane.ASSISTANT, asked)


def _piece(piece: bytes) -> Any:
    """A token's text, or its bytes where it is only a part of a character."""
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return list(piece)
