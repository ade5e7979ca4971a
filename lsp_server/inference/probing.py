"""What a server can do: asked once, when it is attached."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

import httpx

from lsp_server.errors import BackendRejectedError
from lsp_server.inference import dialects
from lsp_server.inference.backend import ChatRequest, InfillRequest, Message
from lsp_server.inference.events import Asked
from lsp_server.inference.fim_text import conversation_text, hole_text
from lsp_server.inference.remote_spec import RemoteSpec
from lsp_server.models.catalog import Catalog, MarkerTexts

Kind = Literal["shardlight", "llama-server", "openai"]
Begun = Literal["continued", "repeated", "asked", "text", "anew", ""]
Grammar = Literal["structured_outputs", "guided_grammar", "grammar", ""]
# Some servers load the model when something is first asked of it.
_PAGE_S, _ANSWER_S = 10.0, 60.0
# What ends the questions. A key need not be good for pages that are only about the server.
_BUSY = (429, 502, 503, 504)
_REFUSED = (401, 403, *_BUSY)
_HOLE = InfillRequest("def add(a, b):\n    return a +", "\n\n\nprint(add(1, 2))\n", 4)
_COUNT, _BEGUN, _NEXT = "Count from 1 to 9, with commas.", "1, 2, 3, 4,", "5"
_TALK = ChatRequest((Message("user", _COUNT), Message("assistant", _BEGUN)), 4)
# What nobody says to that who is free to say anything else.
_BOUND = ChatRequest((Message("user", _COUNT),), 4, grammar='root ::= "zebra"')


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a server can do.

    Attributes:
        kind: whose dialect it speaks.
        model: the model to ask it for.
        holes: how it fills holes: told to ``/infill``, or as a text of markers; empty: not at all.
        begun: what it does with an answer that is begun for it: goes on; says it again and goes on; goes on if asked
            to, or if all is one text; begins anew, which is of no use; empty: it does not talk.
        markers: how its model's control tokens are spelled, if that is known.
        grammar: the field in which it takes a grammar that the answer follows; empty: it takes none.
    """

    kind: Kind
    model: str
    holes: Literal["infill", "text", ""]
    begun: Begun
    markers: MarkerTexts | None = None
    grammar: Grammar = ""

    @property
    def goes_on(self) -> bool:
        """Whether it goes on with a begun answer in some way."""
        return self.begun in ("continued", "repeated", "asked", "text")

    @property
    def scores(self) -> bool:
        """Whether it tells how likely a text is."""
        return self.kind == "shardlight"


async def probe(client: httpx.AsyncClient, spec: RemoteSpec, asked: Asked) -> Capabilities:
    """Find out what a server can do.

    Raises:
        BackendError: it does not answer, or not us, or it can do nothing of what is needed.
    """
    one = _Prober(client, asked)
    props = await one.get("/props")
    kind: Kind = "openai"
    if "default_generation_settings" in props:
        kind = "llama-server"
    if "fim" in props:
        kind = "shardlight"
    model = spec.model or _first(await one.get("/v1/models"))
    if kind == "shardlight":
        return Capabilities(kind, model, "infill" if props["fim"] else "", "continued", grammar="grammar")
    markers = Catalog.load().spelled(model)
    holes = await one.holes(kind, model, markers)
    begun: Begun = await one.begun(kind, model)
    if begun in ("anew", "") and holes == "text" and markers and markers.turns:
        begun = "text"
    if not holes and not begun:
        raise BackendRejectedError(
            f"{spec.url} has neither /infill nor /v1/completions nor /v1/chat/completions for the model {model!r}.",
            hint=f"Is backend.{spec.role}_url the address of a llama-server or an OpenAI-compatible server?",
        )
    grammar: Grammar = "grammar" if kind == "llama-server" else await one.grammar(model, begun, markers)
    return Capabilities(kind, model, holes, begun, markers, grammar)


class _Prober:
    """Asks one question at a time, and does not wait for ever."""

    def __init__(self, client: httpx.AsyncClient, asked: Asked) -> None:
        self._client = client
        self._asked = asked

    async def holes(self, kind: Kind, model: str, markers: MarkerTexts | None) -> Literal["infill", "text", ""]:
        """How it fills holes."""
        if kind == "llama-server":
            body = dialects.llama_infill(_HOLE) | {"stream": False}
            return "infill" if await self._post("/infill", body) else ""
        if markers is None:
            return ""
        prompt = hole_text(_HOLE, markers).prompt
        body = dialects.openai_text(prompt, model, max_tokens=_HOLE.max_tokens, stop=(), temperature=0.0, seed=None)
        answer = await self._post("/v1/completions", body | {"stream": False})
        return "text" if _choice(answer).get("text") else ""

    async def begun(self, kind: Kind, model: str) -> Begun:
        """What it does with a begun answer."""
        ask = dialects.llama_chat if kind == "llama-server" else dialects.openai_chat
        begun = await self._counts(ask(_TALK, model))
        if begun in ("anew", "") and await self._counts(ask(_TALK, model) | dialects.GO_ON) == "continued":
            return "asked"
        return begun

    async def grammar(self, model: str, begun: Begun, markers: MarkerTexts | None) -> Grammar:
        """The field in which it takes a grammar, there where it would be asked."""
        path, body = "/v1/chat/completions", dialects.openai_chat(_BOUND, model)
        if begun == "text" and markers:
            path = "/v1/completions"
            body = dialects.openai_text(
                conversation_text(_BOUND.messages, markers),
                model,
                max_tokens=_BOUND.max_tokens,
                stop=(),
                temperature=0.0,
                seed=None,
            )
        for field in ("structured_outputs", "guided_grammar", "grammar"):
            choice = _choice(await self._post(path, body | dialects.bound(_BOUND.grammar, field) | {"stream": False}))
            said = choice.get("text") or (choice.get("message") or {}).get("content") or ""
            if said and "zebra".startswith(said.strip()):
                return field
        return ""

    async def _counts(self, body: dialects.Body) -> Begun:
        answer = await self._post("/v1/chat/completions", body | {"stream": False})
        text = ((_choice(answer).get("message") or {}).get("content") or "").lstrip()
        if not answer:
            return ""
        # More than it may write, unless that was there already.
        return "repeated" if text.startswith(_BEGUN) else "continued" if text.startswith(_NEXT) else "anew"

    async def get(self, path: str) -> dict[str, Any]:
        """A page; empty if there is none."""
        return await self._send(self._client.build_request("GET", path, timeout=_PAGE_S), _BUSY)

    async def _post(self, path: str, body: dialects.Body) -> dict[str, Any]:
        return await self._send(self._client.build_request("POST", path, json=body, timeout=_ANSWER_S), _REFUSED)

    async def _send(self, request: httpx.Request, final: Collection[int]) -> dict[str, Any]:
        try:
            response = await self._client.send(request)
        except httpx.HTTPError as error:
            raise self._asked.unreachable(error) from error
        if response.status_code in final:
            raise self._asked.refused(response)
        try:
            told = response.json() if response.status_code == 200 else {}
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


def _choice(answer: dict[str, Any]) -> dict[str, Any]:
    choices = answer.get("choices") or [{}]
    return choices[0] if isinstance(choices[0], dict) else {}


def _first(models: dict[str, Any]) -> str:
    """The first of the models that a server lists; empty if it lists none."""
    listed = models.get("data")
    return str(listed[0].get("id", "")) if isinstance(listed, list) and listed and isinstance(listed[0], dict) else ""
