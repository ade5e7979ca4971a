"""Values in words that an assertion can use: expressions in which ``{}`` stands for one, and what they are equal to.

Both are code. It belongs to `shell_process` and runs where that runs: with the Python of the user's project, and
nothing but the standard library of Python 3.8.
"""

from __future__ import annotations

import ast
import contextlib
import itertools
import keyword
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType, ModuleType
from typing import Any

# A longer value is no expectation that anybody would read.
LONGEST_VALUE = 240
_LONGEST_TEXT = 500
_MOST_ITEMS, _MOST_OBJECTS = 50, 10
# Objects in objects are looked into so far.
_DEPTH = 2
_PLAIN: tuple[Callable[[Any], Any], ...] = (bool, int, float, complex, str, bytes, tuple, list, dict)


def ways_to_say(value: Any) -> list[list[tuple[str, str]]]:
    """What can be said of a value in each of the ways, the one that says most first; nothing where one does not fit."""
    ways = [_as_it_is(value), _as_a_list(value)]
    if isinstance(value, Iterator):
        # What was used up to be looked at cannot be asked again.
        return ways
    return [*ways, _attributes(value), _as_text(value), _as_a_count(value)]


def _plain(value: Any) -> str | None:
    """How Python code says a value that is equal to this one; None if it cannot in few words."""
    if value is None:
        return "None"
    with contextlib.suppress(Exception):
        for kind in _PLAIN:
            if isinstance(value, kind):  # type: ignore[arg-type]
                said = repr(kind(value))
                if _has_sets(value):
                    return None
                if len(said) <= (_LONGEST_TEXT if kind is str else LONGEST_VALUE) and value == ast.literal_eval(said):
                    return said
                return None
        if isinstance(value, (set, frozenset)):
            # In an order that stays.
            said = "{" + ", ".join(sorted(map(repr, value))) + "}"
            if value and len(said) <= LONGEST_VALUE and value == ast.literal_eval(said):
                return said
    return None


def _has_sets(value: Any, depth: int = 4) -> bool:
    """Whether there are sets in it, which come in another order each time."""
    if isinstance(value, (set, frozenset)):
        return True
    if not depth or isinstance(value, (str, bytes)):
        return False
    inside = [*value.keys(), *value.values()] if isinstance(value, dict) else value
    return isinstance(value, (tuple, list, dict)) and any(_has_sets(one, depth - 1) for one in inside)


def _as_it_is(value: Any) -> list[tuple[str, str]]:
    said = _plain(value)
    return [("{}", said)] if said is not None else []


def _as_a_list(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, (str, bytes, type, set, frozenset)):
        return []
    with contextlib.suppress(Exception):
        if isinstance(value, Mapping):
            said = _plain(dict(value))
            return [("dict({})", said)] if said is not None else []
        items = list(itertools.islice(iter(value), _MOST_ITEMS + 1))
        said = _plain(items) if len(items) <= _MOST_ITEMS else None
        return [("list({})", said)] if said is not None else _as_items(items)
    return []


def _as_items(items: list[Any]) -> list[tuple[str, str]]:
    """Of some objects each what it says of itself, else what it is."""
    if not 0 < len(items) <= _MOST_OBJECTS or _has_sets(items):
        return []
    for say, method in ((str, "__str__"), (repr, "__repr__")):
        if all(_has_its_own(type(item), method) for item in items):
            said = _plain([say(item) for item in items])
            if said is not None and " at 0x" not in said:
                return [(f"[{say.__name__}(one) for one in {{}}]", said)]
    said = _plain([type(item).__name__ for item in items])
    return [("[type(one).__name__ for one in {}]", said)] if said is not None else []


def _attributes(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, type):
        return [("{}.__name__", repr(value.__name__))]
    if isinstance(value, FunctionType):
        return [("{}.__name__", repr(value.__name__))] if value.__name__.isidentifier() else []
    return [(form, said) for form, said in state_of(value).items() if form != "{}" and said != "None"]


def _as_text(value: Any) -> list[tuple[str, str]]:
    kind = type(value)
    if callable(value) or isinstance(value, (set, frozenset)) or _has_sets(value):
        return []
    with contextlib.suppress(Exception):
        if _has_its_own(kind, "__str__") and len(str(value)) <= LONGEST_VALUE:
            return [("str({})", repr(str(value)))]
        if _has_its_own(kind, "__repr__") and len(repr(value)) <= LONGEST_VALUE:
            return [("repr({})", repr(repr(value)))]
    return []


def _as_a_count(value: Any) -> list[tuple[str, str]]:
    """Of what is too much to be said as a whole."""
    with contextlib.suppress(Exception):
        keys = _plain(sorted(value)) if isinstance(value, Mapping) else None
        return [("sorted({})", keys)] if keys else [("len({})", repr(len(value)))]
    return []


def _has_its_own(kind: type, method: str) -> bool:
    return getattr(kind, method) is not getattr(object, method)


def state_of(value: Any, depth: int = _DEPTH) -> dict[str, str]:
    """What can be seen of an object without calling anything of its own: form → how code says what it is.

    What is in objects that it holds comes behind its own.
    """
    found: dict[str, str] = {}
    deeper: dict[str, str] = {}
    try:
        whole = _plain(value)
        if whole is not None:
            return {"{}": whole}
        if not isinstance(value, (type, FunctionType, ModuleType)):
            for name, inside in list(vars(value).items()):
                if not _is_name(name) or name.startswith("_"):
                    continue
                said = _plain(inside)
                if said is not None:
                    found[f"{{}}.{name}"] = said
                elif type(inside) in (list, dict, tuple):
                    deeper[f"len({{}}.{name})"] = repr(len(inside))
                elif depth > 1:
                    below = state_of(inside, depth - 1).items()
                    deeper.update({form.replace("{}", f"{{}}.{name}"): now for form, now in below})
    except BaseException:
        return found
    return {**found, **deeper}


def _is_name(name: object) -> bool:
    """Whether code can have it behind a dot; objects may have anything among their attributes."""
    return isinstance(name, str) and name.isidentifier() and not keyword.iskeyword(name)
