"""The backend over HTTP: an engine of this machine, in its dialect."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

import httpx

from lsp_server.errors import (
    BackendError,
    BackendGoneError,
    BackendRejectedError,
    BackendStuckError,
    BackendUnavailableError,
)
from lsp_server.inference import dialects
from lsp_server.inference.backend import ChatRequest, Chunk, InfillRequest, ScoreRequest
from lsp_server.inference.events import events, reason_of
from lsp_server.inference.watchdog import Watchdog

# A long prompt on a slow machine, or a lease, says nothing for minutes; an engine that is dead resets the connection at
# once, and one that is stuck is the watchdog's to notice.
_TIMEOUT = httpx.Timeout(None, connect=3.0)
_HEALTH_S = 5.0
_AGAIN = "The next request starts it again."


class HttpBackend:
    """Talks to one base URL. ``aclose()`` it when done.

    Args:
        end: ends the engine's process; called when nothing comes of what is asked, and it does not say that it is well.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        end: Callable[[], None] = lambda: None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._watchdog = Watchdog(self.health, end)
        self._fills_holes = True
        self._lease: httpx.Response | None = None
        # trust_env off: a proxy from the environment must never see what goes to loopback.
        self._client = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_TIMEOUT,
            trust_env=False,
            transport=transport,
        )

    async def aclose(self) -> None:
        """Close the connections, and give the lease back."""
        await self._watchdog.aclose()
        if self._lease:
            await self._lease.aclose()
        await self._client.aclose()

    async def hold(self) -> None:
        """Tell the engine that somebody is there, for as long as this backend is not closed.

        Raises:
            BackendGoneError, BackendStuckError: as ``health``.
        """
        # What comes after the first words is not read, so that its silence ends nothing.
        asked = self._client.build_request("POST", "/lease", params={"pid": os.getpid()}, timeout=_HEALTH_S)
        try:
            self._lease = await self._client.send(asked, stream=True)
        except httpx.HTTPError as error:
            raise _no_answer(error) from error

    @property
    def fills_holes(self) -> bool:
        """See ``Backend.fills_holes``; true as long as nobody has asked, or the server does not say."""
        return self._fills_holes

    async def learn(self) -> None:
        """Ask what the model can do. A server that does not tell changes nothing."""
        self._fills_holes = (await self.props()).get("fim", True) is not False

    async def load_notes(self) -> tuple[str, ...]:
        """What a user should know of how the model was loaded, a sentence each; none if the server does not say."""
        plan = (await self.props()).get("plan")
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

    async def props(self) -> dict[str, Any]:
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

    async def go_on(
        self, text: str, *, max_tokens: int, stop: Sequence[str] = (), temperature: float = 0.0, seed: int | None = None
    ) -> AsyncIterator[Chunk]:
        """Write on behind a text, as a model does that nobody has taught to converse.

        Raises: as ``Backend.chat``.
        """
        body = dialects.openai_text(text, "", max_tokens=max_tokens, stop=stop, temperature=temperature, seed=seed)
        async with aclosing(self._events("/v1/completions", {**body, "timings_per_token": True})) as messages:
            async for message in messages:
                if chunk := dialects.text_chunk(message):
                    yield chunk

    async def health(self) -> tuple[bool, float]:
        """(ready, loaded fraction 0..1).

        Raises:
            BackendUnavailableError: nobody answers, or the model could not be loaded.
            BackendGoneError: nobody listens there.
            BackendStuckError: somebody does, and does not answer, or says that nothing moves any more.
        """
        try:
            response = await self._client.get("/health", timeout=_HEALTH_S)
        except httpx.HTTPError as error:
            raise _no_answer(error) from error
        if response.status_code == 200:
            return True, 1.0
        if response.status_code == 503:
            said = _said(response)
            if said.get("status") == "stuck":
                raise BackendStuckError(_reason(response))
            return False, _progress(said)
        raise BackendUnavailableError(_reason(response))

    async def _events(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        asked = events(self._client, path, body, _Engine(self._watchdog))
        with self._watchdog.waits():
            async with aclosing(asked) as messages:
                async for message in messages:
                    self._watchdog.hears()
                    yield message


class _Engine:
    """An engine of this machine, as ``events.Asked``: one that is stuck is the watchdog's to notice."""

    silence_s = None

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog

    def refused(self, response: httpx.Response) -> BackendError:
        kind = BackendRejectedError if response.status_code < 500 else BackendUnavailableError
        return kind(_reason(response))

    def unreachable(self, error: httpx.HTTPError) -> BackendError:
        if self._watchdog.ended:
            return BackendStuckError("The engine did nothing any more and was ended.", hint=_AGAIN)
        return BackendUnavailableError(f"The engine stopped answering ({type(error).__name__}).", hint=_AGAIN)

    def failed(self, words: str) -> BackendError:
        return BackendUnavailableError(words)

    def broke_off(self) -> BackendError:
        return BackendUnavailableError("The engine's answer broke off.", hint=_AGAIN)


def _no_answer(error: httpx.HTTPError) -> BackendUnavailableError:
    # One that only takes too long is still there.
    kind = BackendStuckError if isinstance(error, httpx.TimeoutException) else BackendGoneError
    return kind(f"The engine does not answer: {str(error) or type(error).__name__}.")


def _said(response: httpx.Response) -> dict[str, Any]:
    """The object that a server answered with; empty if it is none."""
    try:
        said = response.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _progress(said: dict[str, Any]) -> float:
    """How far a server that is not ready says it is; 0 if it does not say."""
    try:
        return float(said.get("progress", 0.0))
    except (ValueError, TypeError):
        return 0.0


def _reason(response: httpx.Response) -> str:
    return reason_of(response) or f"The engine answered {response.status_code}."
