"""Fields of a JSON body, read with their type; a wrong one is answered with its name."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, TypeVar

from starlette.requests import Request

from lsp_server.engine.sampling import check_range
from lsp_server.errors import InvalidRequestError

T = TypeVar("T")

Body = Mapping[str, Any]


async def json_body(request: Request) -> dict[str, Any]:
    """The body of a request.

    Raises:
        InvalidRequestError: it is no JSON object.
    """
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequestError(f"The body is not JSON: {error}.") from error
    if not isinstance(body, dict):
        raise InvalidRequestError("The body must be a JSON object.")
    return body


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


def number(body: Body, name: str, default: float = math.nan) -> float:
    """A number; one that is too large for a float is infinite."""
    value = field(body, name, (int, float), default)
    try:
        return float(value)
    except OverflowError:
        return math.inf


def count(body: Body, name: str, high: int = 2**31 - 1) -> int | None:
    """A number of things; None if the field is absent."""
    if body.get(name) is None:
        return None
    found = field(body, name, int, 0)
    check_range(name, found, 0, high)
    return found


def texts(body: Body, name: str, kinds: type | tuple[type, ...] = list) -> Any:
    """A list of texts as a tuple, empty if the field is absent; or a text where ``kinds`` has that."""
    value: Any = field(body, name, kinds, [])
    if isinstance(value, str):
        return value
    if not all(isinstance(one, str) for one in value):
        alternative = "" if kinds is list else "a text or "
        raise InvalidRequestError(f"{name} must be {alternative}a list of texts.")
    return tuple(value)
