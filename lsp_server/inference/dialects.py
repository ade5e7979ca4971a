"""What is posted to a server and what its messages mean, in each of the dialects: ours, llama-server's, OpenAI's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lsp_server.inference.backend import (
    ChatRequest,
    Chunk,
    InfillRequest,
    Message,
    ScoredToken,
    ScoreRequest,
    StopReason,
    Timings,
)

Body = dict[str, Any]
# How vLLM is told to go on with a begun answer.
GO_ON: Body = {"continue_final_message": True, "add_generation_prompt": False}
_STOP_TYPES = {"eos": StopReason.EOS, "word": StopReason.STOP, "limit": StopReason.LENGTH}


def infill(request: InfillRequest) -> Body:
    """``/infill`` for our engine: llama-server's fields, and ours."""
    return {
        **llama_infill(request),
        "input_path": request.path,
        "repository": request.repository,
        "priority": request.priority.value,
        "document": request.document,
        "names": list(request.names),
        "known_names": [asdict(known) for known in request.known_names],
    }


def llama_infill(request: InfillRequest) -> Body:
    """``/infill`` as llama-server knows it."""
    body: Body = {
        "input_prefix": request.prefix,
        "input_suffix": request.suffix,
        "input_extra": [{"filename": file.path, "text": file.text} for file in request.extra],
        "n_predict": request.max_tokens,
        "stop": list(request.stop),
        "temperature": request.temperature,
        "t_max_predict_ms": request.time_limit_ms,
        "cache_prompt": True,
        "stream": True,
        "timings_per_token": True,
    }
    return body | _seed(request.seed)


def chat(request: ChatRequest) -> Body:
    """``/v1/chat/completions`` for our engine."""
    return {**llama_chat(request), "priority": request.priority.value}


def llama_chat(request: ChatRequest, model: str = "") -> Body:
    """``/v1/chat/completions`` with what llama-server adds to OpenAI's fields."""
    body = {**openai_chat(request, model), "repeat_penalty": request.repeat_penalty, "timings_per_token": True}
    if request.grammar is not None:
        body["grammar"] = request.grammar
    return body


def openai_chat(request: ChatRequest, model: str) -> Body:
    """``/v1/chat/completions`` in OpenAI's fields alone: strict servers refuse all others."""
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    fields = _openai(model, request.max_tokens, request.stop, request.temperature, request.seed)
    return {"messages": messages, **fields}


def openai_text(
    prompt: str, model: str, *, max_tokens: int, stop: Sequence[str], temperature: float, seed: int | None
) -> Body:
    """``/v1/completions`` in OpenAI's fields alone."""
    return {"prompt": prompt, **_openai(model, max_tokens, stop, temperature, seed)}


def bound(grammar: str | None, field: str) -> Body:
    """The field of an OpenAI-compatible server that binds an answer to a grammar (GBNF).

    Args:
        field: ``structured_outputs`` (vLLM 0.12 and newer), ``guided_grammar`` (vLLM before), ``grammar``
            (llama-cpp-python); empty where a server takes none, which leaves the answer free.
    """
    if grammar is None or not field:
        return {}
    return {field: {"grammar": grammar} if field == "structured_outputs" else grammar}


def score(request: ScoreRequest) -> Body:
    """``/v1/completions`` that writes nothing; ``context`` is ours, all else is OpenAI's."""
    return {
        "context": request.context,
        "prompt": request.text,
        "echo": True,
        "max_tokens": 0,
        "logprobs": request.n_alternatives,
        "stream": True,
        "timings_per_token": True,
        "priority": request.priority.value,
    }


def infill_chunk(message: Body) -> Chunk:
    """A message of ``/infill``."""
    stopped = bool(message.get("stop"))
    reason = _STOP_TYPES.get(message.get("stop_type", ""), StopReason.CANCELLED) if stopped else None
    return Chunk(message.get("content", ""), reason, _timings(message))


def chat_chunk(message: Body) -> Chunk | None:
    """A message of ``/v1/chat/completions``; None for one that brings nothing but figures."""
    if not message.get("choices"):
        return None
    choice = message["choices"][0]
    text = (choice.get("delta") or {}).get("content") or ""
    return Chunk(text, _reason(choice), _timings(message))


def text_chunk(message: Body) -> Chunk | None:
    """A message of ``/v1/completions``; None for one that brings nothing but figures."""
    if not message.get("choices"):
        return None
    choice = message["choices"][0]
    return Chunk(choice.get("text") or "", _reason(choice), _timings(message))


def score_chunk(message: Body) -> Chunk | None:
    """A message of ``/v1/completions`` to whom ``score`` was posted."""
    if not message.get("choices"):
        return None
    choice = message["choices"][0]
    reason = StopReason.LENGTH if choice.get("finish_reason") else None
    return Chunk(choice.get("text") or "", reason, _timings(message), _scored(choice.get("logprobs")))


def begun(messages: Sequence[Message]) -> str:
    """The answer that a conversation has begun; empty if it is the model's to begin."""
    return messages[-1].content if messages and messages[-1].role == "assistant" else ""


def _openai(model: str, max_tokens: int, stop: Sequence[str], temperature: float, seed: int | None) -> Body:
    body: Body = {"max_tokens": max_tokens, "stop": list(stop), "temperature": temperature, "stream": True}
    # Servers that do not know a field, or not as null, are not bothered with it.
    return body | ({"model": model} if model else {}) | _seed(seed)


def _seed(seed: int | None) -> Body:
    return {} if seed is None else {"seed": seed}


def _reason(choice: Body) -> StopReason | None:
    finish = choice.get("finish_reason")
    return None if finish is None else StopReason.LENGTH if finish == "length" else StopReason.EOS


def _scored(told: Body | None) -> tuple[ScoredToken, ...]:
    if not told:
        return ()
    tops = told.get("top_logprobs") or [{}] * len(told["tokens"])
    return tuple(
        ScoredToken(text, logprob, tuple(sorted((top or {}).items(), key=lambda one: -one[1])))
        for text, logprob, top in zip(told["tokens"], told["token_logprobs"], tops, strict=True)
    )


def _timings(message: Body) -> Timings:
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
