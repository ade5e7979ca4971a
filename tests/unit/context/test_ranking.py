from __future__ import annotations

import itertools
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.candidates import Candidate, Kind
from lsp_server.context.ranking import LEAST_SCORE, choose, cost, with_bodies
from lsp_server.syntax.outline import Symbol

A, B = Path("/w/a.py"), Path("/w/b.py")
TEXT = "".join(f"line number {n}\n" for n in range(100))


def piece(start: int, end: int, score: float = 0.5, path: Path = A, text: str | None = None) -> Candidate:
    shown = TEXT[start:end] if text is None else text
    return Candidate(Kind.SIMILAR, path, start, end, "similar code", score, text=shown)


def stub(name: str, start: int, end: int, score: float = 0.5, path: Path = A) -> Candidate:
    symbol = Symbol(name, "function", start, end, f"def {name}():")
    return Candidate(Kind.DEFINITION, path, start, end, "used here", score, symbol)


def test_the_best_that_fit() -> None:
    good, large, small = stub("good", 0, 9, 0.9), piece(0, 1000, 0.8, B), stub("small", 10, 19, 0.3)
    assert choose([small, large, good], 30) == (good, small)
    assert choose([small, large, good], 1000) == (good, large, small)


def test_what_hardly_helps_is_left_out() -> None:
    assert choose([stub("weak", 0, 9, LEAST_SCORE - 0.01)], 1000) == ()


def test_a_symbol_that_a_piece_of_text_shows_is_left_out() -> None:
    outside = stub("outside", 500, 520)
    for stub_score, piece_score in ((0.9, 0.6), (0.6, 0.9)):
        chosen = choose([stub("inside", 16, 30, stub_score), piece(0, 64, piece_score), outside], 1000)
        assert chosen == (piece(0, 64, piece_score), outside)


def test_a_piece_that_consists_of_chosen_functions_is_left_out() -> None:
    functions = [stub("one", 0, 30, 0.9), stub("two", 32, 60, 0.9)]
    assert choose([*functions, piece(0, 64, 0.5)], 1000) == tuple(functions)


def test_overlapping_pieces_become_one() -> None:
    (joined,) = choose([piece(0, 64, 0.6), piece(48, 160, 0.5)], 1000)
    assert (joined.start, joined.end, joined.text) == (0, 160, TEXT[:160])


def test_a_path_and_the_head_of_a_class_take_room_as_well() -> None:
    first, second = method(), method(signature="def area(self, more):")
    assert choose([first], cost(first) + 20) == ()
    assert choose([first], cost(first) + 30) == (first,)
    assert len(choose([first, second], cost(first) + cost(second) + 30)) == 2


def test_pieces_of_other_files_stay_apart() -> None:
    assert len(choose([piece(0, 64), piece(48, 160, path=B)], 1000)) == 2


def test_a_chunk_that_says_the_same_as_a_piece_is_left_out() -> None:
    chunk = piece(-1, -1, 0.4, text=TEXT[:64])
    assert choose([piece(0, 160), chunk], 1000) == (piece(0, 160),)
    assert len(choose([piece(640, 800), chunk], 1000)) == 2


@given(
    st.lists(
        st.builds(
            lambda start, length, score, path: piece(start, start + length, score, path),
            st.integers(0, 800),
            st.integers(1, 300),
            st.floats(0, 1),
            st.sampled_from([A, B]),
        ),
        max_size=12,
    ),
    st.integers(0, 400),
)
def test_within_the_budget_and_nothing_twice(candidates: list[Candidate], budget: int) -> None:
    chosen = choose(candidates, budget)
    assert sum(map(cost, chosen)) <= budget
    for path in (A, B):
        spans = sorted((c.start, c.end) for c in chosen if c.path == path)
        assert all(end < start for (_, end), (start, _) in itertools.pairwise(spans))
        assert all(TEXT[c.start : c.end] == c.text for c in chosen)


FUNCTION = "class A:\n    @cached\n    def area(self):\n        return 1\n"


def method(score: float = 0.9, signature: str = "@cached\ndef area(self):") -> Candidate:
    start, end = FUNCTION.index("@"), len(FUNCTION) - 1
    symbol = Symbol("area", "method", start, end, signature, container="A")
    return Candidate(Kind.DEFINITION, A, start, end, "used here", score, symbol)


def test_short_functions_are_shown_whole() -> None:
    (whole,) = with_bodies([method()], lambda _path: FUNCTION, 1000)
    assert whole.symbol
    assert whole.symbol.signature == "@cached\ndef area(self):\n    return 1"


def test_a_function_that_is_shown_whole_shows_its_attributes() -> None:
    start = FUNCTION.index("return")
    inside = Symbol("x", "attribute", start, start + 6, "self.x = 1", container="A")
    beyond = Candidate(Kind.SIMILAR, A, start, len(FUNCTION) + 50, "similar", 0.5, text="return 1\n\nmore\n")
    attribute = Candidate(Kind.DEFINITION, A, start, start + 6, "used here", 0.9, inside)
    whole, *rest = with_bodies([method(), attribute, beyond], lambda _path: FUNCTION, 1000)
    assert whole.symbol
    assert rest == [beyond]
    # Where there is no room for the body, they are shown by themselves.
    assert attribute in with_bodies([method(), attribute], lambda _path: None, 1000)


def test_bodies_take_only_the_room_that_is_left() -> None:
    assert with_bodies([method()], lambda _path: FUNCTION, cost(method()) + 30) == (method(),)


def test_what_is_hardly_used_is_not_worth_a_body() -> None:
    assert with_bodies([method(0.3)], lambda _path: FUNCTION, 1000) == (method(0.3),)


def test_no_body_of_a_file_that_has_changed_or_gone() -> None:
    for text in (None, "", "x" * 10 + FUNCTION, FUNCTION.replace("@cached", "@other!")):
        assert with_bodies([method()], lambda _path, text=text: text, 1000) == (method(),)
