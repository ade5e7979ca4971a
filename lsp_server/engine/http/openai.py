"""OpenAI's endpoints, as its client libraries ask them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from lsp_server.engine.http import inputs
from lsp_server.engine.http.answering import Handlers, refusal
from lsp_server.engine.http.fields import field, json_body
from lsp_server.engine.http.generating import answer, generation, hole_filling, own_prompt
from lsp_server.engine.http.requests import common_options
from lsp_server.engine.http.responses import OpenAIShape, facts
from lsp_server.engine.lanes import Lane
from lsp_server.engine.layout import Hole
from lsp_server.engine.service import EngineService, Phase
from lsp_server.errors import InvalidRequestError
from lsp_server.models.planning.settings import MOST_OUTPUTS

_NO_EMBEDDINGS = "Embeddings are not made here: the model writes."
UNSERVED: Mapping[str, str] = {
    "/v1/embeddings": _NO_EMBEDDINGS,
    "/embeddings": _NO_EMBEDDINGS,
    "/embedding": _NO_EMBEDDINGS,
    "/v1/responses": "Conversations are not kept here. /v1/chat/completions answers one that is sent whole.",
}
"""Paths that clients may well ask for, and what is said instead."""


class OpenAI:
    """The handlers, over one engine."""

    def __init__(self, service: EngineService) -> None:
        self._service = service
        self._since = int(time.time())

    @property
    def handlers(self) -> Handlers:
        """By method and path."""
        return {
            ("GET", "/v1/models"): self.models,
            ("GET", "/models"): self.models,
            ("GET", "/v1/models/{model:path}"): self.one_model,
            ("POST", "/v1/completions"): self.completions,
            ("POST", "/v1/chat/completions"): self.chat_completions,
            ("POST", "/chat/completions"): self.chat_completions,
            **{("POST", path): self.unserved for path in UNSERVED},
        }

    async def models(self, _request: Request) -> Response:
        """The one model that there is."""
        return JSONResponse({"object": "list", "data": [self._model()]})

    async def one_model(self, request: Request) -> Response:
        """The model of this name."""
        name = request.path_params["model"]
        if name != self._service.config.model_id:
            return refusal(404, "not_found_error", f"There is no model {name!r} here.")
        return JSONResponse(self._model())

    def _model(self) -> dict[str, Any]:
        service = self._service
        entry = {"id": service.config.model_id, "object": "model", "created": self._since, "owned_by": "local"}
        return {**entry, "meta": facts(service.model)} if service.phase is Phase.READY else entry

    async def completions(self, request: Request) -> Response:
        """Go on with a text; with a suffix, fill what is between."""
        body = await json_body(request)
        options = common_options(body, priority="action")
        shape = OpenAIShape(self._service.config.model_id, chat=False, include_usage=options.include_usage)
        prompt = inputs.prompt(body)
        suffix = field(body, "suffix", str, "")
        if suffix:
            if not isinstance(prompt, str):
                raise InvalidRequestError("prompt must be a text where there is a suffix.")
            filling = hole_filling(self._service, Hole(prefix=prompt, suffix=suffix), options)
            return await answer(self._service, request, shape, options, Lane.COMPLETION, filling)
        # A text may go on for long: it must not have the sequences that suggestions need.
        tokens, n_own = own_prompt(
            self._service,
            prompt,
            parse_special=field(body, "parse_special", bool, False),
            context=field(body, "context", str, ""),
        )
        n_echoed = n_own if field(body, "echo", bool, False) else 0
        asked = replace(generation(options), prompt=tokens, n_echoed=n_echoed)
        return await answer(self._service, request, shape, options, Lane.ASSISTANT, asked)

    async def chat_completions(self, request: Request) -> Response:
        """Answer a conversation."""
        body = await json_body(request)
        options = common_options(body, priority="action", max_tokens=1024)
        prompt = await asyncio.to_thread(self._service.chat, inputs.messages(body))
        shape = OpenAIShape(self._service.config.model_id, chat=True, include_usage=options.include_usage)
        asked = replace(
            # An edit repeats its input, a completion seldom does.
            generation(options, guesses=MOST_OUTPUTS),
            prompt=prompt.tokens,
            boundaries=(prompt.shared,),
            shared=prompt.shared,
            thinks=prompt.thinks,
            begun_thought=prompt.begun,
        )
        return await answer(self._service, request, shape, options, Lane.ASSISTANT, asked)

    async def unserved(self, request: Request) -> Response:
        """Say that this is not done here."""
        return refusal(501, "not_supported_error", UNSERVED[request.url.path])
