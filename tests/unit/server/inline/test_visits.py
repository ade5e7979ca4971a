from __future__ import annotations

from pathlib import Path

from lsp_server.context.ring import RecentChunks
from lsp_server.server.inline.visits import Visits
from lsp_server.text.positions import LineIndex

A, B = Path("/w/a.py"), Path("/w/b.py")
LINES = LineIndex("".join(f"name_{n} = other_{n} + third_{n}\n" for n in range(200)))


def chunks(recent: RecentChunks) -> list[tuple[Path, bool]]:
    return [(chunk.path, chunk.edited) for chunk in recent.latest()]


def visited(*places: tuple[Path, int, bool]) -> RecentChunks:
    recent = RecentChunks()
    visits = Visits(recent)
    for path, line, edited in places:
        visits.at(path, LINES, LINES.line_start(line), edited=edited)
    return recent


def test_where_the_cursor_is_nothing_is_remembered() -> None:
    assert chunks(visited((A, 10, True), (A, 12, True))) == []


def test_a_place_that_was_left_is() -> None:
    assert chunks(visited((A, 10, True), (B, 10, False))) == [(A, True)]
    assert chunks(visited((A, 10, False), (A, 100, False))) == [(A, False)]


def test_that_it_was_edited_is_not_forgotten_while_the_cursor_moves_about() -> None:
    assert chunks(visited((A, 10, True), (A, 20, False), (B, 10, False))) == [(A, True)]


def test_the_text_is_that_of_the_last_moment() -> None:
    recent = RecentChunks()
    visits = Visits(recent)
    visits.at(A, LineIndex("first = second + third\n"), 0, edited=True)
    visits.at(A, LineIndex("first = second + fourth\n"), 0, edited=True)
    visits.at(B, LINES, 0, edited=False)
    assert [chunk.text for chunk in recent.latest()] == ["first = second + fourth\n"]
