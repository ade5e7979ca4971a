"""Generation events → the JSON shapes of llama-server and of OpenAI."""

from __future__ import annotations

import time
import uuid
from typing import Any, Protocol

from lsp_server.engine.generation import Finished, StopReason, Timings

Json = dict[str, Any]


_STOP_TYPES = {
    StopReason.EOS: "eos",
    StopReason.STOP: "word",
    StopReason.LENGTH: "limit",
    StopReason.CANCELLED: "none",
}


class Shape(Protocol):
    """How one endpoint writes its answer: a piece of a stream, and the last (or only) message."""

    def piece(self, text: str) -> Json: ...
    def last(self, finished: Finished) -> Json: ...
    def whole(self, text: str, finished: Finished) -> Json: ...

    @property
    def done_marker(self) -> bool: ...


def timings(t: Timings) -> Json:
    """llama-server's ``timings``, and ours: ``ttft_ms``, ``total_ms``."""
    evaluated = t.prompt_tokens - t.reused_tokens
    return {
        "cache_n": t.reused_tokens,
        "prompt_n": evaluated,
        "prompt_ms": t.prompt_ms,
        "prompt_per_second": evaluated / t.prompt_ms * 1000 if t.prompt_ms else 0.0,
        "predicted_n": t.predicted_tokens,
        "predicted_ms": t.predicted_ms,
        "predicted_per_second": t.predicted_tokens / t.predicted_ms * 1000 if t.predicted_ms else 0.0,
        "ttft_ms": t.ttft_ms,
        "total_ms": t.total_ms,
    }


class InfillShape:
    """llama-server's ``/infill``."""

    done_marker = False

    def __init__(self, model: str) -> None:
        self._model = model

    def piece(self, text: str) -> Json:
        """A part of a stream."""
        return {"content": text, "stop": False}

    def last(self, finished: Finished) -> Json:
        """The end of a stream."""
        return self.whole("", finished)

    def whole(self, text: str, finished: Finished) -> Json:
        """The complete answer."""
        t = finished.timings
        return {
            "content": text,
            "stop": True,
            "model": self._model,
            "tokens_predicted": t.predicted_tokens,
            "tokens_evaluated": t.prompt_tokens,
            "tokens_cached": t.reused_tokens,
            "stop_type": _STOP_TYPES[finished.reason],
            "stopping_word": finished.stopping_word,
            "truncated": False,
            "timings": timings(t),
        }


class OpenAIShape:
    """OpenAI's ``/v1/completions`` and ``/v1/chat/completions``."""

    done_marker = True

    def __init__(self, model: str, *, chat: bool) -> None:
        self._chat = chat
        self._head: Json = {
            "id": f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": model,
        }

    def piece(self, text: str) -> Json:
        """A part of a stream."""
        content: Json = {"delta": {"content": text}} if self._chat else {"text": text}
        return self._message("chunk", {**content, "finish_reason": None})

    def last(self, finished: Finished) -> Json:
        """The end of a stream."""
        content: Json = {"delta": {}} if self._chat else {"text": ""}
        return self._finish("chunk", content, finished)

    def whole(self, text: str, finished: Finished) -> Json:
        """The complete answer."""
        content: Json = {"message": {"role": "assistant", "content": text}} if self._chat else {"text": text}
        return self._finish("", content, finished)

    def _finish(self, kind: str, content: Json, finished: Finished) -> Json:
        t = finished.timings
        message = self._message(
            kind, {**content, "finish_reason": "length" if finished.reason is StopReason.LENGTH else "stop"}
        )
        usage = {
            "prompt_tokens": t.prompt_tokens,
            "completion_tokens": t.predicted_tokens,
            "total_tokens": t.prompt_tokens + t.predicted_tokens,
            "prompt_tokens_details": {"cached_tokens": t.reused_tokens},
        }
        return {**message, "usage": usage, "timings": timings(t)}

    def _message(self, kind: str, choice: Json) -> Json:
        family = "chat.completion" if self._chat else "text_completion"
        name = f"{family}.chunk" if kind and self._chat else family
        return {**self._head, "object": name, "choices": [{"index": 0, "logprobs": None, **choice}]}
