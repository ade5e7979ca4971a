"""The backend for a server elsewhere: a llama-server, or any OpenAI-compatible one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import PurePath

import httpx

from lsp_server.errors import (
    BackendError,
    BackendGoneError,
    BackendKeyError,
    BackendRejectedError,
    BackendUnavailableError,
)
from lsp_server.inference import dialects
from lsp_server.inference.backend import ChatRequest, Chunk, InfillRequest, ScoreRequest, StopReason
from lsp_server.inference.events import events, reason_of
from lsp_server.inference.fim_text import TURN_END, conversation_text, hole_text, without
from lsp_server.inference.probing import Capabilities, probe
from lsp_server.inference.remote_spec import RemoteSpec, forget_keys
from lsp_server.models.catalog import MarkerTexts

# A long prompt is read in silence. Once it writes, it does not pause so long, unless the connection is half open.
_READING_S, _SILENCE_S = 120.0, 30.0
# How long a sign of life may take, of a server that says nothing else.
_LIFE_SIGN_S = 10.0
_AGAIN = "The next request tries again; `shardlight doctor` says more."


async def connect(spec: RemoteSpec, *, transport: httpx.AsyncBaseTransport | None = None) -> RemoteBackend:
    """A backend for a server, which is asked what it can do.

    Raises:
        BackendUnavailableError: it does not answer, or is not ready.
        BackendRejectedError: it refuses the key, or cannot do what the role takes.
    """
    client = httpx.AsyncClient(
        base_url=spec.url,
        headers={"Authorization": f"Bearer {spec.key}"} if spec.key else {},
        timeout=httpx.Timeout(_READING_S, connect=5.0, write=30.0),
        # A proxy of the environment is the way out of some networks, and none to one's own machine.
        trust_env=not spec.is_here,
        transport=transport,
    )
    try:
        can = await probe(client, spec, _Server(spec))
        if not can.goes_on and not (spec.role == "completion" and can.holes):
            raise BackendRejectedError(
                f"{spec.url} begins each answer anew, and what it would be asked goes on with a begun one.",
                hint=f"A llama-server does, and so does Shardlight's own engine: leave backend.{spec.role}_url empty.",
            )
    except BaseException:
        await client.aclose()
        raise
    return RemoteBackend(spec, client, can)


class RemoteBackend:
    """Talks to one server in the dialect that it knows. ``aclose()`` it when done."""

    def __init__(self, spec: RemoteSpec, client: httpx.AsyncClient, can: Capabilities) -> None:
        self.can = can
        self._spec = spec
        self._client = client
        self._asking: asyncio.Task[None] | None = None
        self._gone: BackendGoneError | None = None

    @property
    def name(self) -> str:
        """The model and where it is, for people."""
        # llama-server's names may be paths.
        model = PurePath(self.can.model).name
        return f"{model} at {self._spec.host}" if model else self._spec.host

    @property
    def description(self) -> str:
        """What it is and can do, for people."""
        kind = {"shardlight": "Shardlight's engine", "llama-server": "llama-server", "openai": "OpenAI-compatible"}
        holes = {"infill": "fills holes (/infill)", "text": "fills holes (/v1/completions)", "": "fills no holes"}
        begun = "goes on with begun answers" if self.can.goes_on else "does not go on with begun answers"
        scores = "tells likelihoods" if self.can.scores else "tells no likelihoods, so no bug hints"
        grammar = "follows grammars" if self.can.grammar else "follows no grammars"
        return f"{kind[self.can.kind]}, {holes[self.can.holes]}, {begun}, {grammar}, {scores}"

    @property
    def fills_holes(self) -> bool:
        """See ``Backend.fills_holes``."""
        return bool(self.can.holes)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._asking:
            self._asking.cancel()
            await asyncio.wait({self._asking})
        await self._client.aclose()

    async def load_notes(self) -> tuple[str, ...]:
        """How its model was loaded is its owner's business."""
        return ()

    def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        if self.can.kind == "shardlight":
            return self._chunks("/infill", dialects.infill(request), dialects.infill_chunk)
        if self.can.holes == "infill":
            return self._chunks("/infill", dialects.llama_infill(request), dialects.infill_chunk)
        return self._infill_text(request)

    async def _infill_text(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        if not (self.can.holes and self.can.markers):
            raise BackendRejectedError(f"The model at {self._spec.url} does not fill holes.")
        if request.max_tokens < 1:
            # To have it read ahead; some servers take 0 for "as many as you like".
            yield Chunk("", StopReason.LENGTH)
            return
        hole = hole_text(request, self.can.markers)
        body = dialects.openai_text(
            hole.prompt,
            self.can.model,
            max_tokens=request.max_tokens,
            stop=request.stop,
            temperature=request.temperature,
            seed=request.seed,
        )
        chunks = without(hole.repeated, self._chunks("/v1/completions", body, dialects.text_chunk), must=hole.must)
        async with aclosing(chunks) as answer:  # type: ignore[type-var]
            async for chunk in answer:
                yield chunk

    def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        begun = dialects.begun(request.messages)
        if begun and self.can.begun == "text" and self.can.markers:
            return self._chat_text(request, self.can.markers)
        body = {
            "shardlight": lambda: dialects.chat(request),
            "llama-server": lambda: dialects.llama_chat(request, self.can.model),
            "openai": lambda: dialects.openai_chat(request, self.can.model) | self._bound(request),
        }[self.can.kind]()
        if begun and self.can.begun == "asked":
            body |= dialects.GO_ON
        chunks = self._chunks("/v1/chat/completions", body, dialects.chat_chunk)
        return without(begun, chunks) if self.can.begun == "repeated" else chunks

    def _chat_text(self, request: ChatRequest, markers: MarkerTexts) -> AsyncIterator[Chunk]:
        body = dialects.openai_text(
            conversation_text(request.messages, markers),
            self.can.model,
            max_tokens=request.max_tokens,
            stop=(*request.stop, TURN_END),
            temperature=request.temperature,
            seed=request.seed,
        )
        return self._chunks("/v1/completions", body | self._bound(request), dialects.text_chunk)

    def _bound(self, request: ChatRequest) -> dialects.Body:
        return dialects.bound(request.grammar, self.can.grammar)

    def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.score``."""
        if not self.can.scores:
            raise BackendRejectedError(
                f"{self._spec.url} does not tell how likely a text is, which bugs are found by.",
                hint="Shardlight's own engine does: leave backend.assistant_url empty for bug hints.",
            )
        return self._chunks("/v1/completions", dialects.score(request), dialects.score_chunk)

    async def _chunks(
        self, path: str, body: dialects.Body, read: Callable[[dialects.Body], Chunk | None]
    ) -> AsyncIterator[Chunk]:
        if self._gone:
            raise self._gone
        # Closed here, not whenever it is collected: closing the connection is what stops the server's work.
        async with aclosing(events(self._client, path, body, _Server(self._spec), self._life_sign)) as messages:
            async for message in messages:
                if chunk := read(message):
                    yield chunk

    async def _life_sign(self) -> None:
        """One for all who wait. It is waited for also when they have left, as somebody does who types on."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_for_life_sign())
        await asyncio.shield(self._asking)
        if self._gone:
            raise self._gone

    async def _ask_for_life_sign(self) -> None:
        try:
            # Whatever it says to that, it is there.
            await self._client.get("/health", timeout=_LIFE_SIGN_S)
        except httpx.HTTPError:
            self._gone = BackendGoneError(f"{self._spec.url} has fallen silent: nothing comes any more.", hint=_AGAIN)


@dataclass(frozen=True, slots=True)
class _Server:
    """A server elsewhere, as ``events.Asked``. What it says is told with its address, and without the key."""

    spec: RemoteSpec

    @property
    def silence_s(self) -> float:
        return _SILENCE_S

    def refused(self, response: httpx.Response) -> BackendError:
        status, url, role = response.status_code, self.spec.url, self.spec.role
        if status in (401, 403):
            # Tried again with the key as it is then: keys change.
            forget_keys()
            what = "refuses the key" if self.spec.key else "wants a key"
            return BackendKeyError(
                f"{url} {what} ({status}).",
                hint=f"backend.{role}_key_env or backend.{role}_key_command says where it is.",
            )
        if status == 404:
            return BackendRejectedError(
                f"{url} has no {response.request.url.path}, or not the model (404).{self._reason(response)}",
                hint=f"backend.{role}_url is the server's own address, and backend.{role}_model one of its models.",
            )
        if status == 429:
            wait = response.headers.get("retry-after", "")
            again = f" It wants to be asked again in {wait} s." if wait.isdigit() else ""
            return BackendRejectedError(
                f"{url} is asked too often, or your allowance there is used up (429).{self._reason(response)}{again}"
            )
        if status < 500:
            return BackendRejectedError(f"{url} refuses this ({status}).{self._reason(response)}")
        state = "is not ready" if status == 503 else "failed"
        return BackendUnavailableError(f"{url} {state} ({status}).{self._reason(response)}", hint=_AGAIN)

    def unreachable(self, error: httpx.HTTPError) -> BackendError:
        url = self.spec.url
        if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
            reason = str(error) or "it takes too long"
            return BackendGoneError(
                f"{url} cannot be reached: {reason}.",
                hint=f"Is the server running, and backend.{self.spec.role}_url its address?",
            )
        if isinstance(error, httpx.TimeoutException):
            return BackendUnavailableError(f"{url} has fallen silent: nothing comes any more.", hint=_AGAIN)
        return BackendUnavailableError(f"The connection to {url} ended ({type(error).__name__}).", hint=_AGAIN)

    def failed(self, words: str) -> BackendError:
        return BackendUnavailableError(f"{self.spec.url} failed: {self._safe(words)}", hint=_AGAIN)

    def broke_off(self) -> BackendError:
        return BackendUnavailableError(f"The answer of {self.spec.url} broke off.", hint=_AGAIN)

    def _reason(self, response: httpx.Response) -> str:
        reason = reason_of(response) or reason_of(response, "detail") or reason_of(response, "message")
        return f" It says: {self._safe(reason)}" if reason else ""

    def _safe(self, words: str) -> str:
        return words.replace(self.spec.key, "…") if self.spec.key else words
