from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.features.inline_completion import Suggestion
from lsp_server.inference.backend import Timings
from lsp_server.server.inline.memory import SuggestionMemory
from tests.support.cursor import cursor

DOCUMENT = "file:///a.py"


def suggestion(text: str, replaces: int = 0) -> Suggestion:
    return Suggestion(text, replaces, Timings(predicted_tokens=3))


def found(memory: SuggestionMemory, marked: str, document: str = DOCUMENT) -> list[tuple[str, int]]:
    text, offset = cursor(marked)
    newline = text.find("\n", offset)
    return [
        (one.text, one.replaces) for one in memory.find(document, text, offset, len(text) if newline < 0 else newline)
    ]


def remembering(marked: str, *suggestions: Suggestion) -> SuggestionMemory:
    memory = SuggestionMemory()
    text, offset = cursor(marked)
    memory.add(DOCUMENT, text, offset, suggestions)
    return memory


@pytest.mark.parametrize(
    ("now", "rest"),
    [
        ("x = <|>\ny\n", "foo(a, b)"),
        ("x = f<|>\ny\n", "oo(a, b)"),
        ("x = foo(a, <|>\ny\n", "b)"),
        ("x = foo(a, b<|>\ny\n", ")"),
        ("x = foo(a, b)<|>\ny\n", None),
        ("x = g<|>\ny\n", None),
        ("x =<|>\ny\n", None),
        ("y = f<|>\ny\n", None),
        ("x = f<|>\nz\n", None),
        ("x = f<|> + 1\ny\n", None),
    ],
)
def test_what_is_typed_as_suggested_needs_no_model(now: str, rest: str | None) -> None:
    memory = remembering("x = <|>\ny\n", suggestion("foo(a, b)"))
    assert found(memory, now) == ([(rest, 0)] if rest else [])


def test_a_bracket_that_the_editor_closes_gives_way() -> None:
    memory = remembering("x = <|>\ny\n", suggestion("foo(a, b)"))
    assert found(memory, "x = foo(<|>)\ny\n") == [("a, b)", 1)]
    assert found(memory, "x = foo(a<|>)\ny\n") == [(", b)", 1)]


def test_a_closer_that_was_typed_over_is_not_replaced_again() -> None:
    memory = remembering("x = f(<|>)\ny\n", suggestion("a) + b", 1))
    assert found(memory, "x = f(a<|>)\ny\n") == [(") + b", 1)]
    assert found(memory, "x = f(a)<|>\ny\n") == [(" + b", 0)]


def test_a_block_is_typed_through_line_by_line() -> None:
    memory = remembering("def f():\n    <|>\n", suggestion("a = 1\n    return a"))
    assert found(memory, "def f():\n    a = 1\n    <|>\n") == [("return a", 0)]


def test_blanks_alone_are_no_suggestion() -> None:
    memory = remembering("x = <|>\n", suggestion("a  "))
    assert found(memory, "x = a<|>\n") == []


def test_going_back_finds_the_first_suggestion_again() -> None:
    memory = remembering("x = <|>\n", suggestion("foo"))
    memory.add(DOCUMENT, "x = b\n", 5, [suggestion("ar")])
    assert found(memory, "x = b<|>\n") == [("ar", 0)]
    assert found(memory, "x = <|>\n") == [("foo", 0)]


def test_the_best_comes_first_and_each_once() -> None:
    memory = remembering("x = <|>\n", suggestion("foo"), suggestion("bar"))
    assert found(memory, "x = <|>\n") == [("foo", 0), ("bar", 0)]
    memory.add(DOCUMENT, "x = \n", 4, [suggestion("bar")])
    assert found(memory, "x = <|>\n") == [("bar", 0), ("foo", 0)]


def test_the_place_may_have_moved_in_the_file() -> None:
    """Only what is around it counts, so what changes far away makes no difference."""
    around = "x\n" * 600
    memory = remembering(f"{around}y = <|>\n{around}", suggestion("foo"))
    assert found(memory, f"new\n{around}y = f<|>\n{around}new\n") == [("oo", 0)]


def test_the_start_of_a_document_is_not_the_middle_of_another() -> None:
    memory = remembering("x = <|>\n", suggestion("foo"))
    assert found(memory, "z\nx = <|>\n") == []


def test_documents_are_kept_apart_and_forgotten() -> None:
    memory = remembering("x = <|>\n", suggestion("foo"))
    assert found(memory, "x = <|>\n", "file:///b.py") == []
    memory.forget(DOCUMENT)
    assert found(memory, "x = <|>\n") == []


def test_old_places_and_documents_go() -> None:
    memory = remembering("x = <|>\n", suggestion("foo"))
    for number in range(60):
        memory.add(DOCUMENT, f"y{number} = \n", len(f"y{number} = "), [suggestion("a")])
    assert found(memory, "x = <|>\n") == []
    for number in range(20):
        memory.add(f"file:///{number}.py", "x = \n", 4, [suggestion("b")])
    assert found(memory, "y59 = <|>\n") == []


@given(
    st.text(st.sampled_from("ab(\n"), max_size=8),
    st.text(st.sampled_from("ab()\n"), min_size=1, max_size=8),
    st.text(st.sampled_from("ab)\n"), max_size=8),
    st.integers(0, 8),
)
def test_accepting_the_rest_gives_the_same_document(before: str, text: str, after: str, typed: int) -> None:
    memory = SuggestionMemory()
    memory.add(DOCUMENT, before + after, len(before), [suggestion(text)])
    wanted = before + text + after
    now = before + text[:typed] + after
    offset = len(before + text[:typed])
    newline = now.find("\n", offset)
    for one in memory.find(DOCUMENT, now, offset, len(now) if newline < 0 else newline):
        assert now[:offset] + one.text + now[offset + one.replaces :] == wanted
