"""Options (a nested mapping from a wire or a file, all of it optional) → Settings + what was wrong with them.

A null stands for "not set": editors send it for an option that nobody has touched. A wrong value never stops anybody
from working: it is reported with its name and its default is used.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from lsp_server.settings.schema import LARGEST, Settings

Options = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the options.

    Attributes:
        name: dotted name of the setting, e.g. ``engine.n_ctx``.
        message: a sentence for the user.
    """

    name: str
    message: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """Settings that can be used, and what could not be taken over into them."""

    settings: Settings
    problems: tuple[Problem, ...]


def merge(*layers: Options) -> dict[str, Any]:
    """Later layers win, setting by setting."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            if value is None:
                continue
            below = merged.get(key)
            both = isinstance(below, Mapping) and isinstance(value, Mapping)
            merged[key] = merge(below, value) if both else value  # type: ignore[arg-type]
    return merged


def resolve(options: Options) -> Resolution:
    """Check the options field by field; an unusable value is reported and replaced by the default."""
    problems: list[Problem] = []
    settings = _section(Settings, options, "", problems)
    return Resolution(settings, tuple(problems))


def _section(cls: Any, options: Options, prefix: str, problems: list[Problem]) -> Any:
    hints = get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key in options:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            meant = f" Did you mean {prefix}{near[0]}?" if near else ""
            problems.append(Problem(f"{prefix}{key}", f"Unknown setting {prefix}{key}.{meant}"))
    values: dict[str, Any] = {}
    for name, declared in fields.items():
        kind = hints[name]
        if options.get(name) is None:
            continue
        if dataclasses.is_dataclass(kind):
            if isinstance(options[name], Mapping):
                values[name] = _section(kind, options[name], f"{prefix}{name}.", problems)
            else:
                problems.append(Problem(f"{prefix}{name}", f"{prefix}{name} must be a group of settings; ignored."))
            continue
        value, wrong = _value(options[name], kind, declared.metadata)
        if wrong:
            text = f"{prefix}{name} must be {wrong}, not {options[name]!r}. Using the default, {declared.default!r}."
            problems.append(Problem(f"{prefix}{name}", text))
        else:
            values[name] = value
    return cls(**values)


def _value(value: Any, kind: Any, metadata: Mapping[str, Any]) -> tuple[Any, str]:
    """The value in its declared type, or what it should have been."""
    if kind is bool:
        return value, "" if isinstance(value, bool) else "true or false"
    if kind is int:
        low, high = metadata["minimum"], metadata["maximum"]
        if isinstance(value, bool) or not isinstance(value, int):
            return None, "a whole number"
        if low is not None and value < low:
            return None, f"at least {low}"
        most = LARGEST if high is None else high
        if value > most:
            return None, f"at most {most}"
        return value, ""
    if kind is str:
        return value, "" if isinstance(value, str) else "a text"
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        return value, "" if value in choices else f"one of {', '.join(choices)}"
    if get_origin(kind) is tuple:
        if metadata["or_text"] and isinstance(value, str):
            value = [value] if value else []
        good = isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)
        wanted = "a text or a list of texts" if metadata["or_text"] else "a list of texts"
        return (tuple(value), "") if good else (None, wanted)
    raise TypeError(f"settings of type {kind} are not supported")
