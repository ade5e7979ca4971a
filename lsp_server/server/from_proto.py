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


def command_uri(arguments: list[Any]) -> str:
    """The ``uri`` of a command's one argument. Raises JsonRpcInvalidParams if there is none."""
    try:
        return str(_object(arguments[0] if arguments else None)["uri"])
    except (KeyError, TypeError) as error:
        raise JsonRpcInvalidParams('The command needs one argument, {"uri": "…"}.') from error


def _object(value: Any) -> Mapping[str, Any]:
    """A JSON object, however pygls has read it."""
    return value if isinstance(value, Mapping) else vars(value)
