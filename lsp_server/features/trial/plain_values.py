"""Plain values for a function's parameters, as far as its annotations say what they are: calls that need no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

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
)
# Of the standard library: annotation → a value, and what it needs.
_STANDARD = (
    (r"datetime", "datetime(2024, 2, 29, 12, 30)", "from datetime import datetime"),
    (r"date", "date(2024, 2, 29)", "from datetime import date"),
    (r"time", "time(12, 30)", "from datetime import time"),
    (r"timedelta", "timedelta(hours=1)", "from datetime import timedelta"),
    (r"Decimal", "Decimal('1.5')", "from decimal import Decimal"),
    (r"Fraction", "Fraction(1, 2)", "from fractions import Fraction"),
    (r"UUID", "UUID(int=1)", "from uuid import UUID"),
    (r"(?:Pure)?(?:Posix)?Path", "Path('a.txt')", "from pathlib import Path"),
    (r"(?:BinaryIO|IO\[bytes\]|BytesIO)", "io.BytesIO(b'a b')", "import io"),
    (r"(?:TextIO|IO(?:\[.*\])?|StringIO)", "io.StringIO('a b')", "import io"),
    (r"Pattern\b.*", "re.compile('a')", "import re"),
)
_MATCH = re.compile(r"(?:\w+\.)*Match\b.*")
_CLASS = re.compile(r"(?:\w+\.)*([A-Z]\w*)")
# For what nothing is said of.
_OTHERWISE = ("'a b'", "2", "[1, 2]")


@dataclass(frozen=True, slots=True)
class Made:
    """An expression that makes something, and the imports that it needs."""

    code: str
    imports: tuple[str, ...] = ()


ANY_TEXT = Made("'a b'")


def is_object(made: Made) -> bool:
    """Whether it is made of a class of the project or of the standard library, or is a member of one."""
    capital = re.match(r"(?:\w+\.)*[A-Z]", made.code) and made.code not in ("True", "False", "None")
    return bool(capital or made.imports)


def options(annotation: str, code: str = "") -> list[Made]:
    """Values for what is annotated so: one, or some where it says too little.

    Args:
        code: of the function: a match has the groups that it asks for.
    """
    if _MATCH.fullmatch(annotation):
        return [_match(re.findall(r"\bgroup\(['\"](\w+)['\"]\)", code))]
    for pattern, value, needed in _STANDARD:
        if re.fullmatch(rf"(?:\w+\.)*{pattern}", annotation):
            return [Made(value, (needed,))]
    for pattern, value in _BY_ANNOTATION:
        if value and re.fullmatch(pattern, annotation):
            return [Made(value)]
    if class_in(annotation):
        return [Made(f"{annotation}()")]
    return [Made(value) for value in _OTHERWISE]


def _match(groups: Sequence[str]) -> Made:
    names = list(dict.fromkeys(groups))
    pattern = " ".join(rf"(?P<{name}>\S*)" for name in names) or r"(\S*) (\S*)"
    # A word for each.
    text = " ".join("abcdefghijklmnopqrstuvwxyz"[: max(2, len(names))])
    return Made(f"re.match(r'{pattern}', {text!r})", ("import re",))


def class_in(annotation: str) -> str:
    """The name of the class that an annotation asks for an object of; empty if a plain value will do."""
    if any(re.fullmatch(pattern, annotation) for pattern, _ in _BY_ANNOTATION):
        return ""
    found = _CLASS.fullmatch(annotation)
    return found[1] if found else ""


def parts(annotation: str) -> list[str]:
    """What may be given, each without quotes; None is left out."""
    plain = re.sub(r"['\"]", "", annotation).strip()
    wrapped = re.fullmatch(r"(?:\w+\.)*(?:Optional|Union)\[(.*)\]", plain)
    found = [part.strip() for part in re.split(r"[|,](?![^\[]*\])", wrapped[1] if wrapped else plain)]
    return [part for part in found if part not in ("None", "")]
