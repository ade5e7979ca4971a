"""The backend over HTTP: our engine's dialect, which is llama-server's and OpenAI's."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import asdict
from typing import Any

import httpx

from lsp_server.errors import BackendGoneError, BackendRejectedError, BackendUnavailableError
from lsp_server.inference.backend import (
    ChatRequest,
    Chunk,
    InfillRequest,
    ScoredToken,
    ScoreRequest,
    StopReason,
    Timings,
)

# Prefill of a long prompt on a slow machine sends nothing for a while; a dead engine resets the connection at once.
_TIMEOUT = httpx.Timeout(600.0, connect=3.0)
_JSON = {"Content-Type": "application/json"}
_STOP_TYPES = {"eos": StopReason.EOS, "word": StopReason.STOP, "limit": StopReason.LENGTH}


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
        body: dict[str, Any] = {
            "input_prefix": request.prefix,
            "input_suffix": request.suffix,
            "input_extra": [{"filename": f.path, "text": f.text} for f in request.extra],
            "input_path": request.path,
            "repository": request.repository,
            "n_predict": request.max_tokens,
            "stop": list(request.stop),
            "temperature": request.temperature,
            "t_max_predict_ms": request.time_limit_ms,
            "cache_prompt": True,
            "stream": True,
            "timings_per_token": True,
            "priority": request.priority.value,
            "document": request.document,
            "names": list(request.names),
            "known_names": [asdict(known) for known in request.known_names],
        }
        if request.seed is not None:
            body["seed"] = request.seed
        # Closed here, not whenever it is collected: closing the connection is what stops the engine's work.
        async with aclosing(self._events("/infill", body)) as messages:
            async for message in messages:
                stopped = bool(message.get("stop"))
                reason = _STOP_TYPES.get(message.get("stop_type", ""), StopReason.CANCELLED) if stopped else None
                yield Chunk(message.get("content", ""), reason, _timings(message))

    async def chat(self, request: ChatRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.chat``."""
        body: dict[str, Any] = {
            "messages": [{"role": m.role, "content": m.content} for m in request.messages],
            "max_tokens": request.max_tokens,
            "stop": list(request.stop),
            "temperature": request.temperature,
            "repeat_penalty": request.repeat_penalty,
            "stream": True,
            "timings_per_token": True,
            "priority": request.priority.value,
        }
        if request.seed is not None:
            body["seed"] = request.seed
        if request.grammar is not None:
            body["grammar"] = request.grammar
        async with aclosing(self._events("/v1/chat/completions", body)) as messages:
            async for message in messages:
                # The last one may bring nothing but figures.
                if not message.get("choices"):
                    continue
                choice = message["choices"][0]
                finish = choice.get("finish_reason")
                reason = None if finish is None else StopReason.LENGTH if finish == "length" else StopReason.EOS
                yield Chunk(choice["delta"].get("content") or "", reason, _timings(message))

    async def score(self, request: ScoreRequest) -> AsyncIterator[Chunk]:
        """See ``Backend.score``; ``context`` is ours, all else is OpenAI's."""
        body = {
            "context": request.context,
            "prompt": request.text,
            "echo": True,
            "max_tokens": 0,
            "logprobs": request.n_alternatives,
            "stream": True,
            "timings_per_token": True,
            "priority": request.priority.value,
        }
        async with aclosing(self._events("/v1/completions", body)) as messages:
            async for message in messages:
                if not message.get("choices"):
                    continue
                choice = message["choices"][0]
                reason = StopReason.LENGTH if choice.get("finish_reason") else None
                yield Chunk(choice.get("text") or "", reason, _timings(message), _scored(choice.get("logprobs")))

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

    async def _events(self, path: str, body: dict[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The server-sent events of an answer, up to and including the last one."""
        try:
            # In ASCII: half a character, which an editor may have in its text, cannot be sent in any other way.
            async with self._client.stream("POST", path, content=json.dumps(body), headers=_JSON) as response:
                if response.status_code != 200:
                    await response.aread()
                    error = BackendRejectedError if response.status_code < 500 else BackendUnavailableError
                    raise error(_reason(response))
                async for line in response.aiter_lines():
                    name, _, data = line.partition(":")
                    if name != "data" or data.strip() == "[DONE]":
                        continue
                    try:
                        message = json.loads(data)
                    except ValueError:
                        break
                    if "error" in message:
                        raise BackendUnavailableError(_words(message["error"]))
                    yield message
                    if message.get("stop") is True or (message.get("choices") or [{}])[0].get("finish_reason"):
                        return
        except httpx.HTTPError as error:
            raise BackendUnavailableError(
                f"The engine stopped answering ({type(error).__name__}).", hint="The next request starts it again."
            ) from error
        raise BackendUnavailableError("The engine's answer broke off.", hint="The next request starts it again.")


def _scored(told: dict[str, Any] | None) -> tuple[ScoredToken, ...]:
    if not told:
        return ()
    tops = told.get("top_logprobs") or [{}] * len(told["tokens"])
    return tuple(
        ScoredToken(text, logprob, tuple(sorted((top or {}).items(), key=lambda one: -one[1])))
        for text, logprob, top in zip(told["tokens"], told["token_logprobs"], tops, strict=True)
    )


def _timings(message: dict[str, Any]) -> Timings:
    t = message.get("timings") or {}
    reused = int(t.get("cache_n", 0))
    return Timings(
        prompt_tokens=int(t.get("prompt_n", 0)) + reused,
        reused_tokens=reused,
        predicted_tokens=int(t.get("predicted_n", 0)),
        ttft_ms=float(t.get("ttft_ms", t.get("prompt_ms", 0.0))),
        total_ms=float(t.get("total_ms", t.get("prompt_ms", 0.0) + t.get("predicted_ms", 0.0))),
        predicted_per_second=float(t.get("predicted_per_second", 0.0)),
        prompt_ms=float(t.get("prompt_ms", 0.0)),
    )


def _progress(response: httpx.Response) -> float:
    """How far a server that is not ready says it is; 0 if it does not say."""
    try:
        return float(response.json().get("progress", 0.0))
    except (ValueError, AttributeError, TypeError):
        return 0.0


def _reason(response: httpx.Response) -> str:
    try:
        return _words(response.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"The engine answered {response.status_code}."


def _words(error: Any) -> str:
    """What an error object says; some servers send a bare text."""
    return str(error.get("message", error) if isinstance(error, dict) else error)
