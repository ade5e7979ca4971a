"""What a request is about: a hole, a text or a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lsp_server.engine.chat import Message
from lsp_server.engine.http.fields import Body, field, texts
from lsp_server.engine.layout import Hole
from lsp_server.errors import InvalidRequestError
from lsp_server.text.known_names import KnownNames
from lsp_server.text.snippet import Snippet

_ROLES = ("system", "developer", "user", "assistant", "tool", "function")
_MOST_NAMES, _LONGEST_NAME = 1000, 200
_MOST_KNOWN = 10_000


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
    found: tuple[str, ...] = texts(body, name)
    if len(found) > _MOST_NAMES or any(len(one) > _LONGEST_NAME for one in found):
        raise InvalidRequestError(f"{name} may have {_MOST_NAMES:,} texts of {_LONGEST_NAME} characters at most.")
    return found


def prompt(body: Body) -> str | list[int]:
    """``prompt`` of a completion: a text or token ids, also as a list of one such.

    Raises:
        InvalidRequestError: it is something else, or several.
    """
    given = body.get("prompt")
    value = given[0] if isinstance(given, list) and len(given) == 1 and isinstance(given[0], (str, list)) else given
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, list) and all(isinstance(one, int) and not isinstance(one, bool) for one in value):
        return value
    raise InvalidRequestError("prompt must be one text or one list of token ids.", hint="Send each in its own request.")


def token_ids(name: str, ids: Sequence[object], n_vocab: int) -> list[int]:
    """These ids, checked: llama.cpp ends the process over one that is not in the vocabulary.

    Raises:
        InvalidRequestError: one is not a token's id; it is named.
    """
    for i, token in enumerate(ids):
        if not isinstance(token, int) or isinstance(token, bool) or not 0 <= token < n_vocab:
            raise InvalidRequestError(f"{name}[{i}] must be the id of a token, from 0 to {n_vocab - 1}.")
    return list(ids)  # type: ignore[arg-type]


def messages(body: Body) -> list[Message]:
    """The fields of ``/v1/chat/completions``; content may be a text or OpenAI's list of text parts."""
    result = []
    for i, item in enumerate(field(body, "messages", list, [])):
        if not isinstance(item, Mapping):
            raise InvalidRequestError(f"messages[{i}] must be an object with role and content.")
        if called := [name for name in ("tool_calls", "function_call") if item.get(name)]:
            raise InvalidRequestError(f"messages[{i}].{called[0]} is not supported.")
        role = field(item, "role", str, "user")
        if role not in _ROLES:
            # It stands in the template as it is, where a control token would be one.
            raise InvalidRequestError(f"messages[{i}].role must be one of {', '.join(_ROLES)}, not {role!r}.")
        result.append(Message(role, _content(item.get("content"), f"messages[{i}].content")))
    return result


def _content(given: Any, name: str) -> str:
    if not isinstance(given, list):
        if not isinstance(given, str):
            raise InvalidRequestError(f"{name} must be a text.")
        return given
    for i, part in enumerate(given):
        if not isinstance(part, Mapping) or not isinstance(part.get("text"), str):
            raise InvalidRequestError(f"{name}[{i}] must be a text: the model takes neither pictures nor sounds.")
    return "".join(part["text"] for part in given)
