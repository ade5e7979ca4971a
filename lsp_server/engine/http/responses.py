"""Generation events → the JSON shapes of llama-server and of OpenAI."""

from __future__ import annotations

import codecs
import time
import uuid
from collections.abc import Sequence
from typing import Any, Protocol

from lsp_server.engine.generation_types import Finished, StopReason, Timings
from lsp_server.engine.native.logprobs import TokenLogprob
from lsp_server.engine.native.model import NativeModel

Json = dict[str, Any]
Logprobs = Sequence[TokenLogprob]

_STOP_TYPES = {
    StopReason.EOS: "eos",
    StopReason.STOP: "word",
    StopReason.LENGTH: "limit",
    StopReason.CANCELLED: "none",
}


# What an endless improbability is written as; JSON has no infinity, and OpenAI writes this.
_LEAST_LOGPROB = -9999.0


class Shape(Protocol):
    """How one endpoint writes its answer: a piece of a stream, the messages that end it, or the only message.

    ``logprobs`` are those of the piece's tokens, of all tokens in the only message; ``thought`` is what the model
    thought before its answer.
    """

    def piece(self, text: str, logprobs: Logprobs = (), thought: str = "") -> Json: ...
    def last(self, finished: Finished) -> list[Json]: ...
    def whole(self, text: str, finished: Finished, logprobs: Logprobs = (), thought: str = "") -> Json: ...

    @property
    def done_marker(self) -> bool: ...


def facts(model: NativeModel) -> Json:
    """What a model is, as llama-server's ``meta`` has it."""
    return {
        "description": model.description,
        "architecture": model.architecture,
        "n_params": model.n_params,
        "n_ctx_train": model.n_ctx_train,
        "size": model.size_bytes,
        "n_vocab": model.n_vocab,
    }


def timings(t: Timings) -> Json:
    """llama-server's ``timings``, and ours: ``ttft_ms``, ``total_ms``."""
    drafted = {"draft_n": t.draft_tokens, "draft_n_accepted": t.draft_accepted_tokens} if t.draft_tokens else {}
    return {
        "cache_n": t.reused_tokens,
        **_rates("prompt", t.evaluated_tokens, t.prompt_ms),
        **_rates("predicted", t.predicted_tokens, t.predicted_ms),
        **drafted,
        "ttft_ms": t.ttft_ms,
        "total_ms": t.total_ms,
    }


def _rates(name: str, count: int, ms: float) -> Json:
    return {
        f"{name}_n": count,
        f"{name}_ms": ms,
        f"{name}_per_token_ms": ms / count if count else 0.0,
        f"{name}_per_second": count / ms * 1000 if ms else 0.0,
    }


class LlamaServerShape:
    """llama-server's ``/infill`` and ``/completion``.

    Args:
        response_fields: paths of the fields that the last message is to have; empty for all of them.
    """

    done_marker = False

    def __init__(self, model: str, response_fields: Sequence[str] = ()) -> None:
        self._model = model
        self._fields = tuple(response_fields)

    def piece(self, text: str, logprobs: Logprobs = (), thought: str = "") -> Json:
        """A part of a stream."""
        return {"content": text, "stop": False, **self._probabilities(logprobs)}

    def last(self, finished: Finished) -> list[Json]:
        """The end of a stream."""
        return [self.whole("", finished)]

    def whole(self, text: str, finished: Finished, logprobs: Logprobs = (), thought: str = "") -> Json:
        """The complete answer."""
        t = finished.timings
        answer = {
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
            **self._probabilities(logprobs),
        }
        return _selected(answer, self._fields) if self._fields else answer

    def _probabilities(self, logprobs: Logprobs) -> Json:
        return {"completion_probabilities": [_with_top(one) for one in logprobs]} if logprobs else {}


class OpenAIShape:
    """OpenAI's ``/v1/completions`` and ``/v1/chat/completions``, for one answer.

    Args:
        include_usage: a stream ends with a message of its own that says what it cost, as OpenAI's
            ``stream_options.include_usage`` has it.
    """

    done_marker = True

    def __init__(self, model: str, *, chat: bool, include_usage: bool = False) -> None:
        self._chat = chat
        self._include_usage = include_usage
        self._head: Json = {
            "id": f"{'chatcmpl' if chat else 'cmpl'}-{uuid.uuid4().hex}",
            "created": int(time.time()),
            "model": model,
        }
        self._role: Json = {"role": "assistant"}
        self._offsets = codecs.getincrementaldecoder("utf-8")("replace")
        self._offset = 0

    def piece(self, text: str, logprobs: Logprobs = (), thought: str = "") -> Json:
        """A part of a stream."""
        said = {**({"content": text} if text or not thought else {}), **_reasoning(thought)}
        return self._chunk({**self._delta(text, said), "logprobs": self._logprobs(logprobs), "finish_reason": None})

    def last(self, finished: Finished) -> list[Json]:
        """The end of a stream."""
        end = self._chunk({**self._delta("", {}), "finish_reason": _finish_reason(finished)})
        messages = [{**end, "timings": timings(finished.timings)}]
        if self._include_usage:
            messages.append({**end, "choices": [], "usage": _usage(finished.timings)})
        return messages

    def whole(self, text: str, finished: Finished, logprobs: Logprobs = (), thought: str = "") -> Json:
        """The complete answer."""
        message = {"role": "assistant", "content": text, **_reasoning(thought.rstrip())}
        content: Json = {"message": message} if self._chat else {"text": text}
        choice = {**content, "logprobs": self._logprobs(logprobs), "finish_reason": _finish_reason(finished)}
        answer = self._message("chat.completion" if self._chat else "text_completion", choice)
        return {**answer, "usage": _usage(finished.timings), "timings": timings(finished.timings)}

    def _delta(self, text: str, said: Json) -> Json:
        """What is new; a chat's first says who speaks."""
        if not self._chat:
            return {"text": text}
        role, self._role = self._role, {}
        return {"delta": {**role, **said}}

    def _chunk(self, choice: Json) -> Json:
        message = self._message("chat.completion.chunk" if self._chat else "text_completion", choice)
        return {**message, "usage": None} if self._include_usage else message

    def _message(self, name: str, choice: Json) -> Json:
        return {**self._head, "object": name, "choices": [{"index": 0, "logprobs": None, **choice}]}

    def _logprobs(self, logprobs: Logprobs) -> Json | None:
        if not logprobs:
            return None
        if self._chat:
            return {"content": [_with_top(one) for one in logprobs]}
        offsets = []
        for one in logprobs:
            offsets.append(self._offset)
            self._offset += len(self._offsets.decode(one.piece))
        return {
            "tokens": [_token_text(one.piece) for one in logprobs],
            "token_logprobs": [_finite(one.logprob) for one in logprobs],
            "top_logprobs": [{_token_text(piece): _finite(p) for _, piece, p in reversed(one.top)} for one in logprobs],
            "text_offset": offsets,
        }


def _finish_reason(finished: Finished) -> str:
    return "length" if finished.reason is StopReason.LENGTH else "stop"


def _usage(t: Timings) -> Json:
    return {
        "prompt_tokens": t.prompt_tokens,
        "completion_tokens": t.predicted_tokens,
        "total_tokens": t.prompt_tokens + t.predicted_tokens,
        "prompt_tokens_details": {"cached_tokens": t.reused_tokens},
    }


def _reasoning(thought: str) -> Json:
    return {"reasoning_content": thought} if thought else {}


def _with_top(one: TokenLogprob) -> Json:
    """A token's probability as OpenAI's chat answers and llama-server have it (the id is llama-server's)."""
    top = [_entry(*other) for other in one.top]
    return {**_entry(one.token, one.piece, one.logprob), "top_logprobs": top}


def _entry(token: int, piece: bytes, logprob: float) -> Json:
    return {"id": token, "token": _token_text(piece), "logprob": _finite(logprob), "bytes": list(piece)}


def _token_text(piece: bytes) -> str:
    return piece.decode("utf-8", "replace")


def _finite(logprob: float) -> float:
    return max(logprob, _LEAST_LOGPROB)


def _selected(answer: Json, paths: Sequence[str]) -> Json:
    """The fields at these paths (``a`` or ``a/b``), by their paths; those that are not there are left out."""
    found: Json = {}
    for path in paths:
        value: Any = answer
        for key in path.split("/"):
            if not isinstance(value, dict) or key not in value:
                break
            value = value[key]
        else:
            found[path] = value
    return found
