from __future__ import annotations

from lsp_server.features.inline_completion import Suggestion
from lsp_server.inference.backend import Timings
from lsp_server.server.inline.outcome import Outcomes
from lsp_server.statistics.events import Accepted, AcceptedPart, Event, Rejected, Shown
from tests.support.cursor import cursor

DOCUMENT = "file:///a.py"


class Watched:
    """Outcomes of one document, on a clock of its own."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.outcomes = Outcomes(self.events.append)
        self.now = 10.0

    def shown(self, marked: str, text: str, replaces: int = 0) -> None:
        document, offset = cursor(marked)
        self.outcomes.shown(
            DOCUMENT,
            "python",
            document,
            offset,
            Suggestion(text, replaces, Timings()),
            asked=self.now - 0.25,
            now=self.now,
            from_memory=False,
        )

    def then(self, text: str, seconds: float = 1.0) -> list[Event]:
        self.now += seconds
        self.events.clear()
        self.outcomes.changed(DOCUMENT, text, self.now)
        return self.events


def test_shown() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo(a)")
    assert watched.events == [Shown("python", 6, latency_ms=250.0, from_cache=False)]


def test_accepted_whole() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo(a)")
    assert watched.then("x = foo(a)\n") == [Accepted("python", 6)]
    assert watched.then("x = foo(a) + 1\n") == []


def test_accepted_with_what_it_replaces() -> None:
    watched = Watched()
    watched.shown("x = f(<|>)\n", "a) + bcd", 1)
    assert watched.then("x = f(a) + bcd\n") == [Accepted("python", 8)]


def test_accepted_word_by_word() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo(a) + bar")
    assert watched.then("x = foo(\n") == []
    assert watched.then("x = foo(a) + bar\n") == [Accepted("python", 12)]


def test_a_part_and_then_something_else() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo(a) + bar")
    assert watched.then("x = foo(\n") == []
    assert watched.then("x = foo(b\n") == [AcceptedPart("python", 4)]


def test_typed_over() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo")
    assert watched.then("x = g\n") == [Rejected("python")]


def test_typed_over_before_anybody_saw_it() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo")
    assert watched.then("x = g\n", seconds=0.1) == []


def test_typed_by_hand_to_its_end() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "ab")
    assert watched.then("x = a\n") == []
    assert watched.then("x = ab\n") == []


def test_a_bracket_that_the_editor_closes_is_not_something_else() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo(a)")
    for text in ("x = f\n", "x = fo\n", "x = foo\n", "x = foo()\n"):
        assert watched.then(text) == []
    assert watched.then("x = foo(a)\n") == []


def test_going_back_a_little_keeps_it() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo")
    assert watched.then("x = f\n") == []
    assert watched.then("x = \n") == []
    assert watched.then("x = foo\n") == [Accepted("python", 3)]


def test_what_is_left_of_it_is_no_new_suggestion() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo(a)")
    assert watched.then("x = f\n") == []
    watched.shown("x = f<|>\n", "oo(a)")
    assert watched.events == []


def test_another_one_in_its_place() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo")
    watched.now += 1
    watched.events.clear()
    watched.shown("x = <|>\n", "bar")
    assert watched.events == [Rejected("python"), Shown("python", 3, latency_ms=250.0, from_cache=False)]


def test_closed() -> None:
    watched = Watched()
    watched.shown("x = <|>\n", "foo")
    watched.events.clear()
    watched.outcomes.closed(DOCUMENT, watched.now + 1)
    watched.outcomes.closed(DOCUMENT, watched.now + 2)
    assert watched.events == [Rejected("python")]


def test_documents_without_a_suggestion() -> None:
    assert Watched().then("x\n") == []
