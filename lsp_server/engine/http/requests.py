"""JSON bodies → typed requests; a wrong field is answered with its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lsp_server.engine.chat import Message
from lsp_server.engine.layout import Hole
from lsp_server.engine.native.sampler import SamplingParams
from lsp_server.engine.scheduler import Priority
from lsp_server.errors import InvalidRequestError
from lsp_server.text.snippet import Snippet

T = TypeVar("T")

Body = Mapping[str, Any]
_PRIORITIES = {"inline": Priority.INLINE, "action": Priority.ACTION, "background": Priority.BACKGROUND}
_UNLIMITED = 4096  # llama-server's n_predict -1 means "until it ends"; a runaway generation ends here all the same.


@dataclass(frozen=True, slots=True)
class CommonOptions:
    """What every generating endpoint takes."""

    max_tokens: int
    sampling: SamplingParams
    stop: tuple[str, ...]
    stream: bool
    priority: Priority
    document: str
    time_limit_ms: float
    timings_per_token: bool


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
    stop: Any = field(body, "stop", (str, list), [])
    if isinstance(stop, list) and not all(isinstance(s, str) for s in stop):
        raise InvalidRequestError("stop must be a text or a list of texts.")
    name = field(body, "priority", str, priority)
    if name not in _PRIORITIES:
        raise InvalidRequestError(f"priority must be one of {', '.join(_PRIORITIES)}, not {name!r}.")
    number = (int, float)
    seed = field(body, "seed", int, -1)
    sampling = SamplingParams(
        temperature=float(field(body, "temperature", number, 0.0)),
        top_k=field(body, "top_k", int, 40),
        top_p=float(field(body, "top_p", number, 0.95)),
        min_p=float(field(body, "min_p", number, 0.05)),
        repeat_penalty=float(field(body, "repeat_penalty", number, 1.0)),
        repeat_last_n=field(body, "repeat_last_n", int, 64),
        seed=None if seed < 0 else seed,
        grammar=field(body, "grammar", str, "") or None,
    )
    return CommonOptions(
        max_tokens=_UNLIMITED if limit < 0 else limit,
        sampling=sampling,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
        stream=field(body, "stream", bool, False),
        priority=_PRIORITIES[name],
        document=field(body, "document", str, ""),
        time_limit_ms=float(field(body, "t_max_predict_ms", number, 0.0)),
        timings_per_token=field(body, "timings_per_token", bool, False),
    )


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
        result.append(Message(field(item, "role", str, "user"), content))
    return result
