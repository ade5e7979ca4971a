"""JSON bodies → typed requests; a wrong field is answered with its name."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from lsp_server.engine.chat import Message
from lsp_server.engine.layout import Hole
from lsp_server.engine.sampling import Biases, Order, SamplingParams, check_range, sampler_order
from lsp_server.engine.scheduler import Priority
from lsp_server.errors import InvalidRequestError
from lsp_server.text.known_names import KnownNames
from lsp_server.text.snippet import Snippet

T = TypeVar("T")

Body = Mapping[str, Any]
_PRIORITIES = {"inline": Priority.INLINE, "action": Priority.ACTION, "background": Priority.BACKGROUND}
_UNLIMITED = 4096  # llama-server's n_predict -1 means "until it ends"; a runaway generation ends here all the same.
_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
# Each is looked for with every token.
_MOST_STOPS, _LONGEST_STOP = 64, 1000
_MOST_NAMES, _LONGEST_NAME = 1000, 200
_MOST_KNOWN = 10_000
_MOST_PROBS = 1000  # Each is spelled out for each token.


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """What every generating endpoint takes.

    Attributes:
        n_indent: the answer ends before a line that is indented less; 0 for no such end.
        n_probs: so many of the likeliest tokens are told with each token's own probability; None if neither is wanted.
        speculative_n_max: most tokens that are drafted at once; None if the client leaves it to us.
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
    priority: Priority
    document: str
    time_limit_ms: float
    timings_per_token: bool
    response_fields: tuple[str, ...]


def field(body: Body, name: str, kind: type[T] | tuple[type, ...], default: T) -> T:
    """One field of the body, or its default if it is absent or null.

    Raises:
        InvalidRequestError: it has another type.
    """
    value = body.get(name)
    if value is None:
        return default
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        wanted = " or ".join(k.__name__ for k in kinds)
        raise InvalidRequestError(f"{name} must be of type {wanted}, not {type(value).__name__}.")
    return value  # type: ignore[return-value]


def common_options(body: Body, *, priority: str, max_tokens: int = 128) -> CommonOptions:
    """The shared fields, in llama-server's and OpenAI's spellings."""
    limit = field(
        body, "n_predict", int, field(body, "max_completion_tokens", int, field(body, "max_tokens", int, max_tokens))
    )
    stop = _texts(body, "stop", (str, list))
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
        n_indent=_count(body, "n_indent") or 0,
        n_probs=_n_probs(body),
        speculative_n_max=_count(body, "speculative.n_max"),
        stream=field(body, "stream", bool, False),
        priority=_PRIORITIES[name],
        document=field(body, "document", str, ""),
        time_limit_ms=max(0.0, _float(body, "t_max_predict_ms", 0.0)),
        timings_per_token=field(body, "timings_per_token", bool, False),
        response_fields=_texts(body, "response_fields", list),
    )


def sampling(body: Body) -> SamplingParams:
    """The fields of ``SamplingParams``, by their names there.

    Raises:
        InvalidRequestError: one has another type, or is out of range.
    """
    given = (declared for declared in fields(SamplingParams) if body.get(declared.name) is not None)
    return SamplingParams(**{one.name: _READERS[str(one.type)](body, one.name) for one in given})


def _float(body: Body, name: str, default: float = math.nan) -> float:
    value = field(body, name, (int, float), default)
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _seed(body: Body, name: str) -> int | None:
    seed = field(body, name, int, -1)
    return None if seed < 0 else seed


def _count(body: Body, name: str, high: int = 2**31 - 1) -> int | None:
    """A number of things; None if the field is absent."""
    if body.get(name) is None:
        return None
    count = field(body, name, int, 0)
    check_range(name, count, 0, high)
    return count


def _n_probs(body: Body) -> int | None:
    """llama-server's ``n_probs``; or ``logprobs``, a number or a yes to which ``top_logprobs`` adds the number."""
    if n_probs := _count(body, "n_probs", _MOST_PROBS):
        return n_probs
    told = field(body, "logprobs", (bool, int), False)
    top = _count(body, "top_logprobs", _MOST_PROBS)
    if told is False:
        if top:
            raise InvalidRequestError("top_logprobs needs logprobs to be true.")
        return None
    return (top or 0) if told is True else _count(body, "logprobs", _MOST_PROBS)


def _texts(body: Body, name: str, kinds: type | tuple[type, ...]) -> Any:
    """A list of texts as a tuple, empty if the field is absent; or a text where ``kinds`` has that."""
    value: Any = field(body, name, kinds, [])
    if isinstance(value, str):
        return value
    if not all(isinstance(one, str) for one in value):
        alternative = "" if kinds is list else "a text or "
        raise InvalidRequestError(f"{name} must be {alternative}a list of texts.")
    return tuple(value)


def _order(body: Body, name: str) -> Order:
    return sampler_order(_texts(body, name, (str, list)))


def _biases(body: Body, name: str) -> Biases:
    """llama-server's ``logit_bias``: pairs, or an object by token; numbers that are texts are ids there."""
    value: Any = field(body, name, (list, dict), [])
    pairs = [[int(k) if k.isdecimal() else k, bias] for k, bias in value.items()] if isinstance(value, dict) else value
    found = []
    for i, pair in enumerate(pairs):
        match pair:
            case [(int() | str()) as token, bias] if not isinstance(token, bool) and _is_bias(bias):
                found.append((token, -math.inf if bias is False else _float({name: bias}, name)))
            case _:
                raise InvalidRequestError(f"{name}[{i}] must be a token's id or a text, and a number or false.")
    return tuple(found)


def _is_bias(value: object) -> bool:
    return value is False or (isinstance(value, (int, float)) and value is not True)


# How a field is read, by the type that it is declared with.
_READERS: dict[str, Callable[[Body, str], Any]] = {
    "float": _float,
    "int": lambda body, name: field(body, name, int, 0),
    "int | None": _seed,
    "bool": lambda body, name: field(body, name, bool, False),
    "str | None": lambda body, name: field(body, name, str, "") or None,
    "Texts": lambda body, name: _texts(body, name, list),
    "Order": _order,
    "Biases": _biases,
}


def hole(body: Body) -> Hole:
    """The fields of ``/infill``. llama-server's ``prompt`` is the start of the answer; it goes to the prefix."""
    extra = field(body, "input_extra", list, [])
    files = []
    for i, item in enumerate(extra):
        if not isinstance(item, Mapping):
            raise InvalidRequestError(f"input_extra[{i}] must be an object with filename and text.")
        files.append(Snippet(field(item, "filename", str, ""), field(item, "text", str, "")))
    return Hole(
        prefix=field(body, "input_prefix", str, "") + field(body, "prompt", str, ""),
        suffix=field(body, "input_suffix", str, ""),
        path=field(body, "input_path", str, ""),
        repository=field(body, "repository", str, "repository"),
        extra=tuple(files),
    )


def names(body: Body) -> tuple[str, ...]:
    """The names of which one is wanted at the cursor of ``/infill``; empty if anything is."""
    return _names(body, "names")


def known_names(body: Body) -> tuple[KnownNames, ...]:
    """What may stand behind dots in the answer of ``/infill``."""
    found = []
    for i, item in enumerate(field(body, "known_names", list, [])):
        if not isinstance(item, Mapping):
            raise InvalidRequestError(f"known_names[{i}] must be an object with of and names.")
        may_be_new = field(item, "may_be_new", bool, False)
        found.append(KnownNames(field(item, "of", str, ""), _names(item, "names"), may_be_new))
    if sum(len(one.names) for one in found) > _MOST_KNOWN:
        raise InvalidRequestError(f"known_names may have {_MOST_KNOWN:,} names at most.")
    return tuple(found)


def _names(body: Body, name: str) -> tuple[str, ...]:
    found: tuple[str, ...] = _texts(body, name, list)
    if len(found) > _MOST_NAMES or any(len(one) > _LONGEST_NAME for one in found):
        raise InvalidRequestError(f"{name} may have {_MOST_NAMES:,} texts of {_LONGEST_NAME} characters at most.")
    return found


def messages(body: Body) -> list[Message]:
    """The fields of ``/v1/chat/completions``; content may be a text or OpenAI's list of text parts."""
    result = []
    for i, item in enumerate(field(body, "messages", list, [])):
        if not isinstance(item, Mapping):
            raise InvalidRequestError(f"messages[{i}] must be an object with role and content.")
        content = item.get("content")
        if isinstance(content, list):
            content = "".join(str(p.get("text", "")) for p in content if isinstance(p, Mapping))
        if not isinstance(content, str):
            raise InvalidRequestError(f"messages[{i}].content must be a text.")
        role = field(item, "role", str, "user")
        if role not in _ROLES:
            # It stands in the template as it is, where a control token would be one.
            raise InvalidRequestError(f"messages[{i}].role must be one of {', '.join(_ROLES)}, not {role!r}.")
        result.append(Message(role, content))
    return result
