from __future__ import annotations

from collections import namedtuple
from typing import Any

import pytest
from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcInvalidParams

from lsp_server.server.from_proto import CommandTarget, command_target, offset, span
from lsp_server.text.positions import LineIndex, PositionEncoding

LINES = LineIndex("a😀b\nc")


@pytest.mark.parametrize(("encoding", "column"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_offset(encoding: str, column: int) -> None:
    assert offset(lsp.Position(0, column), LINES, PositionEncoding(encoding)) == 2


def test_outside_the_text_is_its_edge() -> None:
    assert offset(lsp.Position(0, 99), LINES, PositionEncoding.UTF16) == 3
    assert offset(lsp.Position(9, 0), LINES, PositionEncoding.UTF16) == 5
    assert span(lsp.Range(lsp.Position(0, 0), lsp.Position(9, 9)), LINES, PositionEncoding.UTF16) == (0, 5)


def test_command_target() -> None:
    argument = {"uri": "file:///a.py", "position": {"line": 3, "character": 7}, "more": True}
    assert command_target([argument]) == CommandTarget("file:///a.py", lsp.Position(3, 7))


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [None],
        ["file:///a.py"],
        [{}],
        [{"uri": "file:///a.py"}],
        [{"uri": "file:///a.py", "position": None}],
        [{"uri": "file:///a.py", "position": {"line": 1}}],
        [{"uri": "file:///a.py", "position": {"line": "x", "character": 0}}],
        [{"uri": "file:///a.py", "position": {"line": -1, "character": 0}}],
        [namedtuple("Position", "line")(1)],
    ],
)
def test_a_wrong_argument_says_what_is_wanted(arguments: list[Any]) -> None:
    with pytest.raises(JsonRpcInvalidParams, match=r'The command needs one argument, \{"uri"'):
        command_target(arguments)
