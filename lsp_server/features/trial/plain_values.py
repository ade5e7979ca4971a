"""Plain values for a function's parameters, as far as its annotations say what they are: calls that need no model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsp_server.syntax.scopes import Parameter

# Annotation → a value of it. The first that fits is taken.
_BY_ANNOTATION = (
    (r"(?:typing\.|t\.)?(?:Any|object)", ""),
    (r"str|(?:typing\.|t\.)?AnyStr|(?:typing\.|t\.)?Text", "'a b'"),
    (r"bytes", "b'a b'"),
    (r"bool", "True"),
    (r"int", "2"),
    (r"float|complex|numbers\.\w+", "1.5"),
    (r"(?:\w+\.)*(?:list|List|Sequence|Iterable|Collection|tuple|Tuple)\[.*str.*\]", "['a', 'b']"),
    (r"(?:\w+\.)*(?:list|List|Sequence|Iterable|Iterator|Collection|tuple|Tuple)\b.*", "[1, 2]"),
    (r"(?:\w+\.)*(?:set|Set|frozenset|FrozenSet)\b.*", "{1, 2}"),
    (r"(?:\w+\.)*(?:dict|Dict|Mapping|MutableMapping)\b.*", "{'a': 1}"),
    (r"(?:\w+\.)*Callable\b.*", "str"),
    (r"(?:\w+\.)*[A-Z]\w*", "{}()"),
)
# For what nothing is said of.
_OTHERWISE = ("'a b'", "2", "[1, 2]")


def plain_values(parameters: Sequence[Parameter]) -> list[list[str]]:
    """For parameters that a call cannot do without, some assignments of values to them."""
    values = [_value(parameter.annotation or "") for parameter in parameters]
    tries = _OTHERWISE if "" in values else ("",)
    return [
        [f"{parameter.name} = {value or other}" for parameter, value in zip(parameters, values, strict=True)]
        for other in tries
    ]


def _value(annotation: str) -> str:
    plain = annotation.strip("'\" ")
    optional = re.fullmatch(r"(?:\w+\.)*Optional\[(.*)\]", plain)
    plain = optional[1] if optional else plain
    first = (
        next((part.strip() for part in plain.split("|") if part.strip() != "None"), "") if "[" not in plain else plain
    )
    for pattern, value in _BY_ANNOTATION:
        if re.fullmatch(pattern, first):
            return value.format(first) if value.startswith("{}") and value.endswith("()") else value
    return ""
