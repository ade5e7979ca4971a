from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.similarity import WINDOW_LINES, jaccard, passages, words

WORD_SETS = st.frozensets(st.sampled_from(["alpha", "beta", "gamma", "delta"]))


def test_words_are_identifiers_of_three_letters_and_more() -> None:
    assert words("for i in items_2: größe += 1234 or x9z") == {"items_2", "größe", "x9z"}


def test_jaccard() -> None:
    assert jaccard(words("one two"), words("two six")) == 1 / 3
    assert jaccard(frozenset(), frozenset()) == 0


@given(WORD_SETS, WORD_SETS)
def test_jaccard_is_symmetric_and_one_only_for_the_same(first: frozenset[str], second: frozenset[str]) -> None:
    assert jaccard(first, second) == jaccard(second, first)
    assert (jaccard(first, second) == 1) == (first == second and bool(first))


def test_passages_cover_the_text_and_show_what_follows() -> None:
    text = "".join(f"line_{n}\n" for n in range(100))
    found = passages(text)
    assert text[found[0].start : found[0].end].startswith("line_0\n")
    assert set().union(*(piece.words for piece in found)) == words(text)
    # What is shown goes on behind what is compared.
    assert f"line_{WINDOW_LINES}" in text[found[0].start : found[0].end]
    assert f"line_{WINDOW_LINES}" not in found[0].words


@given(st.text(st.sampled_from("ab_\n \r"), max_size=400))
def test_passages_are_whole_lines_of_the_text(text: str) -> None:
    for piece in passages(text):
        assert 0 <= piece.start <= piece.end <= len(text)
        assert piece.start == 0 or text[piece.start - 1] in "\r\n"
