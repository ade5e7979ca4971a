"""The backend over HTTP: an engine of this machine, in its dialect."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import httpx

from lsp_server.errors import BackendError, BackendGoneError, BackendRejectedError, BackendUnavailableError
from lsp_server.inference import dialects
from lsp_server.inference.backend import ChatRequest, Chunk, InfillRequest, ScoreRequest
from lsp_server.inference.events import events, reason_of

# Prefill of a long prompt on a slow machine sends nothing for a while; a dead engine resets the connection at once.
_TIMEOUT = httpx.Timeout(600.0, connect=3.0)
_AGAIN = "The next request starts it again."


class HttpBackend:
    """Talks to one base URL. ``aclose()`` it when done."""

    def __init__(self, url: str, token: str, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._fills_holes = True
        # trust_env off: a proxy from the environment must never see what goes to loopback.
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
            trust_env=False,
            transport=transport,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def fills_holes(self) -> bool:
        """See ``Backend.fills_holes``; true as long as nobody has asked, or the server does not say."""
        return self._fills_holes

    async def learn(self) -> None:
        """Ask what the model can do. A server that does not tell changes nothing."""
        self._fills_holes = (await self._props()).get("fim", True) is not False

    async def load_notes(self) -> tuple[str, ...]:
        """What a user should know of how the model was loaded, a sentence each; none if the server does not say."""
        plan = (await self._props()).get("plan")
        if not isinstance(plan, dict):
            return ()
        notes = [str(step) for step in plan.get("steps", ())]
        if plan.get("verdict") == "from disk":
            rate = plan["predicted"]["decode_tokens_per_s"]
            notes.append(
                f"{plan['model']} is larger than the memory it may use and is read from disk, which makes about "
                f"{rate:.2g} tokens/s. `shardlight plan` says what would be faster."
            )
        return tuple(notes)

    async def _props(self) -> dict[str, Any]:
        """What the server tells of itself; empty if it does not."""
        try:
            props = (await self._client.get("/props", timeout=5.0)).json()
        except (httpx.HTTPError, ValueError):
            return {}
        return props if isinstance(props, dict) else {}

    async def infill(self, request: InfillRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.infill``."""
        # Closed here, not whenever it is collected: closing the connection is what stops the engine's work.
        async with aclosing(self._events("/infill", dialects.infill(request))) as messages:
            async for message in messages:
                yield dialects.infill_chunk(message)

    async def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        async with aclosing(self._events("/v1/chat/completions", dialects.chat(request))) as messages:
            async for message in messages:
                if chunk := dialects.chat_chunk(message):
                    yield chunk

    async def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.score``."""
        async with aclosing(self._events("/v1/completions", dialects.score(request))) as messages:
            async for message in messages:
                if chunk := dialects.score_chunk(message):
                    yield chunk

    async def health(self) -> tuple[bool, float]:
        """(ready, loaded fraction 0..1).

        Raises:
            BackendUnavailableError: nobody answers, or the model could not be loaded.
            BackendGoneError: nobody listens there.
        """
        try:
            response = await self._client.get("/health", timeout=5.0)
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            # One that only takes too long is still there.
            kind = BackendUnavailableError if isinstance(error, httpx.TimeoutException) else BackendGoneError
            raise kind(f"The engine does not answer: {reason}.") from error
        if response.status_code == 200:
            return True, 1.0
        if response.status_code == 503:
            return False, _progress(response)
        raise BackendUnavailableError(_reason(response))

    def _events(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        return events(self._client, path, body, _Engine())


class _Engine:
    """An engine of this machine, as ``events.Asked``: one that is stuck is somebody else's to notice."""

    silence_s = None

    def refused(self, response: httpx.Response) -> BackendError:
        kind = BackendRejectedError if response.status_code < 500 else BackendUnavailableError
        return kind(_reason(response))

    def unreachable(self, error: httpx.HTTPError) -> BackendError:
        return BackendUnavailableError(f"The engine stopped answering ({type(error).__name__}).", hint=_AGAIN)

    def failed(self, words: str) -> BackendError:
        return BackendUnavailableError(words)

    def broke_off(self) -> BackendError:
        return BackendUnavailableError("The engine's answer broke off.", hint=_AGAIN)


def _progress(response: httpx.Response) -> float:
    """How far a server that is not ready says it is; 0 if it does not say."""
    try:
        return float(response.json().get("progress", 0.0))
    except (ValueError, AttributeError, TypeError):
        return 0.0


def _reason(response: httpx.Response) -> str:
    return reason_of(response) or f"The engine answered {response.status_code}."
