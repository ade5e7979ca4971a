from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lsp_server.features.inline_completion import Suggestion
from lsp_server.server.inline.question import Question
from lsp_server.server.session import Place
from lsp_server.syntax.snapshot import Snapshot
from tests.support.cursor import cursor


def place(marked: str) -> tuple[Place, int]:
    text, offset = cursor(marked)
    return Place("file:///a.py", Snapshot.open(text, "python"), Path("/a.py")), offset


@pytest.mark.parametrize(
    ("now", "fits"),
    [
        ("x = <|>\ny\n", True),
        ("x = f<|>\ny\n", True),
        ("x = foo(<|>)\ny\n", True),
        ("x = g<|>\ny\n", False),
        ("x = foo(a)<|>\ny\n", False),
        ("x =<|> \ny\n", False),
        ("x = <|>\nz\n", False),
        ("z = f<|>\ny\n", False),
    ],
)
def test_where_an_answer_will_do(now: str, fits: bool) -> None:
    asked = Question(*place("x = <|>\ny\n"))
    asked.wrote("foo(")
    assert asked.fits(*place(now)) is fits


@pytest.mark.parametrize(
    ("now", "ahead"),
    [
        ("x = <|>\ny\n", True),
        ("x = f(<|>)\ny\n", True),
        ("x = f(a)<|>\ny\n", True),
        ("x = f(a)\n<|>\ny\n", True),
        ("x = g<|>\ny\n", False),
        ("x = f(a)<|>\nz\n", False),
        ("x = f(a)\n\n<|>\ny\n", False),
    ],
)
def test_which_places_lead_to_it(now: str, ahead: bool) -> None:
    assert Question(*place("x = f(a)\n<|>\ny\n")).lies_ahead(*place(now)) is ahead


async def test_what_was_stopped_is_not_waited_for() -> None:
    async def work() -> tuple[Suggestion, ...]:
        await asyncio.Event().wait()
        return ()

    asked = Question(*place("x = <|>\n"))
    asked.task = asyncio.create_task(work())
    asked.stop()
    assert await asked.answer() == ()
    assert asked.stopped
    assert not asked.fits(*place("x = <|>\n"))
