"""The protocol's types → ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from lsp_server.text.positions import LineIndex, Position, PositionEncoding


def offset(position: lsp.Position, lines: LineIndex, encoding: PositionEncoding) -> int:
    """A position, clamped into the text, as an offset."""
    return lines.offset(Position(position.line, position.character), encoding)


def span(range_: lsp.Range, lines: LineIndex, encoding: PositionEncoding) -> tuple[int, int]:
    """A range as (start, end) offsets."""
    return offset(range_.start, lines, encoding), offset(range_.end, lines, encoding)


@dataclass(frozen=True, slots=True)
class CommandTarget:
    """The argument of our commands: ``{"uri": …, "position": {"line": …, "character": …}}``."""

    uri: str
    position: lsp.Position


@dataclass(frozen=True, slots=True)
class CommandRange:
    """The argument of commands on a selection: ``{"uri": …, "range": {"start": …, "end": …}, …}``.

    Attributes:
        said: ``instruction`` or ``problem``: what is to be done, or what is wrong; empty where nothing is.
    """

    uri: str
    range: lsp.Range
    said: str


def command_target(arguments: list[Any]) -> CommandTarget:
    """The one argument of a command on a function. Raises JsonRpcInvalidParams if it is something else."""
    try:
        plain = _object(arguments[0] if arguments else None)
        place = _object(plain["position"])
        return CommandTarget(str(plain["uri"]), lsp.Position(int(place["line"]), int(place["character"])))
    except (KeyError, TypeError, ValueError) as error:
        raise JsonRpcInvalidParams(
            'The command needs one argument, {"uri": "…", "position": {"line": 0, "character": 0}}.'
        ) from error


def command_range(arguments: list[Any], said: str) -> CommandRange:
    """The one argument of a command on a selection, of which ``said`` is the name of what is said, if that is to be.

    Raises:
        JsonRpcInvalidParams: it is something else.
    """
    try:
        plain = _object(arguments[0] if arguments else None)
        places = _object(plain["range"])
        start, end = (_object(places[name]) for name in ("start", "end"))
        span = lsp.Range(*(lsp.Position(int(p["line"]), int(p["character"])) for p in (start, end)))
        return CommandRange(str(plain["uri"]), span, str(plain[said]) if said else "")
    except (KeyError, TypeError, ValueError) as error:
        place = '{"line": 0, "character": 0}'
        there = f'{{"start": {place}, "end": {place}}}'
        raise JsonRpcInvalidParams(
            f'The command needs one argument, {{"uri": "…", "range": {there}, "{said}": "…"}}.'
        ) from error


def given(arguments: list[Any]) -> Mapping[str, Any]:
    """The names that a command's one argument has, with what they are; none if it has no argument."""
    try:
        plain = _object(arguments[0] if arguments else None)
        if "range" not in plain:
            return plain
        places = _object(plain["range"])
        return {**plain, "range": {name: dict(_object(places[name])) for name in ("start", "end")}}
    except (KeyError, TypeError):
        return {}


def command_uri(arguments: list[Any]) -> str:
    """The ``uri`` of a command's one argument. Raises JsonRpcInvalidParams if there is none."""
    try:
        return str(_object(arguments[0] if arguments else None)["uri"])
    except (KeyError, TypeError) as error:
        raise JsonRpcInvalidParams('The command needs one argument, {"uri": "…"}.') from error


def _object(value: Any) -> Mapping[str, Any]:
    """A JSON object, however pygls has read it."""
    return value if isinstance(value, Mapping) else vars(value)
