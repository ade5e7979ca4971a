"""How a request is to be answered: the fields that every generating endpoint takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from lsp_server.engine.http import answer_form, refused
from lsp_server.engine.http.fields import Body, count, field, number, texts
from lsp_server.engine.lanes import Priority
from lsp_server.engine.sampling import Biases, Order, SamplingParams, sampler_order
from lsp_server.errors import InvalidRequestError

_PRIORITIES = {"inline": Priority.INLINE, "action": Priority.ACTION, "background": Priority.BACKGROUND}
_UNLIMITED = 4096  # llama-server's n_predict -1 means "until it ends"; a runaway generation ends here all the same.
# Each is looked for with every token.
_MOST_STOPS, _LONGEST_STOP = 64, 1000
_MOST_PROBS = 1000  # Each is spelled out for each token.


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """What every generating endpoint takes.

    Attributes:
        n_indent: the answer ends before a line that is indented less; 0 for no such end.
        n_probs: so many of the likeliest tokens are told with each token's own probability; None if neither is wanted.
        speculative_n_max: most tokens that are drafted at once; None if the client leaves it to us.
        include_usage: a stream ends with what it cost.
        time_limit_ms: see ``GenerationRequest``.
        response_fields: paths of the fields that the answer is to have, as in llama-server; empty for all.
    """

    max_tokens: int
    sampling: SamplingParams
    stop: tuple[str, ...]
    n_indent: int
    n_probs: int | None
    speculative_n_max: int | None
    stream: bool
    include_usage: bool
    priority: Priority
    document: str
    time_limit_ms: float
    timings_per_token: bool
    response_fields: tuple[str, ...]


def common_options(body: Body, *, priority: str, max_tokens: int = 128) -> CommonOptions:
    """The shared fields, in llama-server's and OpenAI's spellings.

    Raises:
        InvalidRequestError: one has another type, is out of range, or asks for what is not done here.
    """
    refused.check(body)
    limit = field(
        body, "n_predict", int, field(body, "max_completion_tokens", int, field(body, "max_tokens", int, max_tokens))
    )
    stop = texts(body, "stop", (str, list))
    stops = (stop,) if isinstance(stop, str) else stop
    if len(stops) > _MOST_STOPS or any(len(text) > _LONGEST_STOP for text in stops):
        raise InvalidRequestError(f"stop may have {_MOST_STOPS} texts of {_LONGEST_STOP:,} characters at most.")
    name = field(body, "priority", str, priority)
    if name not in _PRIORITIES:
        raise InvalidRequestError(f"priority must be one of {', '.join(_PRIORITIES)}, not {name!r}.")
    return CommonOptions(
        max_tokens=_UNLIMITED if limit < 0 else limit,
        sampling=sampling(body),
        stop=stops,
        n_indent=count(body, "n_indent") or 0,
        n_probs=_n_probs(body),
        speculative_n_max=count(body, "speculative.n_max"),
        stream=field(body, "stream", bool, False),
        include_usage=field(field(body, "stream_options", dict, {}), "include_usage", bool, False),
        priority=_PRIORITIES[name],
        document=field(body, "document", str, ""),
        time_limit_ms=max(0.0, number(body, "t_max_predict_ms", 0.0)),
        timings_per_token=field(body, "timings_per_token", bool, False),
        response_fields=texts(body, "response_fields"),
    )


def sampling(body: Body) -> SamplingParams:
    """The fields of ``SamplingParams``, by their names there.

    Raises:
        InvalidRequestError: one has another type, or is out of range.
    """
    if form := answer_form.grammar(body):
        body = {**body, "grammar": form}
    given = (declared for declared in fields(SamplingParams) if body.get(declared.name) is not None)
    return SamplingParams(**{one.name: _READERS[str(one.type)](body, one.name) for one in given})


def _seed(body: Body, name: str) -> int | None:
    seed = field(body, name, int, -1)
    return None if seed < 0 else seed


def _n_probs(body: Body) -> int | None:
    """llama-server's ``n_probs``; or ``logprobs``, a number or a yes to which ``top_logprobs`` adds the number."""
    if n_probs := count(body, "n_probs", _MOST_PROBS):
        return n_probs
    told = field(body, "logprobs", (bool, int), False)
    top = count(body, "top_logprobs", _MOST_PROBS)
    if told is False:
        if top:
            raise InvalidRequestError("top_logprobs needs logprobs to be true.")
        return None
    return (top or 0) if told is True else count(body, "logprobs", _MOST_PROBS)


def _order(body: Body, name: str) -> Order:
    return sampler_order(texts(body, name, (str, list)))


def _biases(body: Body, name: str) -> Biases:
    """llama-server's ``logit_bias``: pairs, or an object by token; numbers that are texts are ids there."""
    value: Any = field(body, name, (list, dict), [])
    pairs = [[int(k) if k.isdecimal() else k, bias] for k, bias in value.items()] if isinstance(value, dict) else value
    found = []
    for i, pair in enumerate(pairs):
        match pair:
            case [(int() | str()) as token, bias] if not isinstance(token, bool) and _is_bias(bias):
                found.append((token, -math.inf if bias is False else number({name: bias}, name)))
            case _:
                raise InvalidRequestError(f"{name}[{i}] must be a token's id or a text, and a number or false.")
    return tuple(found)


def _is_bias(value: object) -> bool:
    return value is False or (isinstance(value, (int, float)) and value is not True)


# How a field is read, by the type that it is declared with.
_READERS: dict[str, Callable[[Body, str], Any]] = {
    "float": number,
    "int": lambda body, name: field(body, name, int, 0),
    "int | None": _seed,
    "bool": lambda body, name: field(body, name, bool, False),
    "str | None": lambda body, name: field(body, name, str, "") or None,
    "Texts": lambda body, name: texts(body, name),
    "Order": _order,
    "Biases": _biases,
}
