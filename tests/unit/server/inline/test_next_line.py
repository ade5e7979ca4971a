from __future__ import annotations

import pytest

from lsp_server.features.inline_completion import Suggestion
from lsp_server.inference.backend import Timings
from lsp_server.server.inline.next_line import next_line
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor


@pytest.mark.parametrize(
    ("marked", "text", "replaces", "then"),
    [
        ("x = <|>\ny\n", "1", 0, "x = 1\n<|>\ny\n"),
        ("def f():\n    x = <|>\n", "1", 0, "def f():\n    x = 1\n    <|>\n"),
        ("def f():\n    <|>\n", "if x:", 0, "def f():\n    if x:\n        <|>\n"),
        ("def f():\n    <|>\n", "if x:\n        y", 0, "def f():\n    if x:\n        y\n        <|>\n"),
        ("x = f(<|>)\n", "a)", 1, "x = f(a)\n<|>\n"),
        ("\tx = <|>\r\n", "1", 0, "\tx = 1\r\n\t<|>\r\n"),
    ],
)
def test_the_cursor_after_enter(marked: str, text: str, replaces: int, then: str) -> None:
    before, offset = cursor(marked)
    after, at = cursor(then)
    found = next_line(Snapshot.open(before, "python", 7), offset, Suggestion(text, replaces, Timings()))
    assert found is not None
    assert (found[0].text, found[0].version, found[1]) == (after, 7, at)


def test_not_where_something_stands_behind() -> None:
    text, offset = cursor("f(<|>, b)\n")
    assert next_line(Snapshot.open(text, "python"), offset, Suggestion("a", 0, Timings())) is None
