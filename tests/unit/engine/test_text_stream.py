from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.text_stream import TextStream


def shown(pieces: Iterable[bytes], stop: Iterable[str] = (), drop_prefix: str = "") -> list[str]:
    """What each piece shows, and the flush at the end; nothing is fed after a match, as in a generation."""
    stream = TextStream(tuple(stop), drop_prefix)
    texts = []
    for piece in pieces:
        texts.append(stream.feed(piece))
        if stream.matched:
            break
    return [*texts, stream.flush()]


def test_without_stop_strings_everything_is_shown_at_once() -> None:
    assert shown([b"one ", b"two"]) == ["one ", "two", ""]


def test_a_character_split_over_tokens_is_shown_when_it_is_whole() -> None:
    assert shown([b"a\xe2", b"\x82", b"\xacb"]) == ["a", "", "€b", ""]


def test_a_character_that_never_becomes_whole_is_shown_as_a_replacement() -> None:
    assert shown([b"a\xe2\x82"]) == ["a", "\ufffd"]


def test_a_stop_string_across_pieces_is_never_shown() -> None:
    assert shown([b"code\n``", b"`", b"more"], ["```"]) == ["code\n", "", ""]


def test_what_looked_like_a_stop_string_is_shown_as_soon_as_it_is_not() -> None:
    assert shown([b"a``", b"b", b"c"], ["```"]) == ["a", "``b", "c", ""]


def test_the_start_of_a_stop_string_at_the_very_end_is_text() -> None:
    assert shown([b"a``"], ["```"]) == ["a", "``"]


def test_a_match_within_one_piece_drops_what_follows() -> None:
    stream = TextStream(("\n\n",))

    assert stream.feed(b"x = 1\n\ny = 2") == "x = 1"
    assert stream.matched == "\n\n"
    assert stream.flush() == ""


def test_half_a_character_behind_a_match_is_dropped_with_the_rest() -> None:
    assert shown([b"a```\xe2"], ["```"]) == ["a", ""]


@pytest.mark.parametrize(
    ("text", "stop", "before", "matched"),
    [
        ("a b c", ("c", "b"), "a ", "b"),
        ("xabc", ("abc", "b"), "xa", "b"),
        ("xabc", ("bc", "abc"), "x", "abc"),
        ("ab", ("a", "ab"), "", "a"),
        ("xab", ("ab", "b"), "x", "ab"),
    ],
)
def test_the_stop_string_that_is_complete_first_wins_and_of_those_the_longest(
    text: str, stop: tuple[str, ...], before: str, matched: str
) -> None:
    for pieces in ([text.encode()], [c.encode() for c in text]):
        stream = TextStream(stop)
        assert "".join(stream.feed(piece) for piece in pieces if not stream.matched) == before
        assert stream.matched == matched


def test_empty_stop_strings_are_ignored() -> None:
    assert shown([b"ab"], ["", "b"]) == ["a", ""]


@pytest.mark.parametrize(
    ("pieces", "drop", "text"),
    [
        ([b"    return 1"], "    ", "return 1"),
        ([b"  ", b"  ", b"  return 1"], "    ", "  return 1"),
        ([b"return 1"], "    ", "return 1"),
        ([b"  return 1\n    x"], "    ", "return 1\n    x"),
        ([b"\treturn 1"], "\t", "return 1"),
        ([b"\n    return 1"], "    ", "\n    return 1"),
        ([b"\xc2", b"\xa0x"], "    ", "\xa0x"),
        ([b"    "], "    ", ""),
    ],
)
def test_repeated_indentation_is_swallowed_once(pieces: list[bytes], drop: str, text: str) -> None:
    assert "".join(shown(pieces, drop_prefix=drop)) == text


# Few letters, so that stop strings occur, overlap and contain each other; stray bytes, so that characters break.
STOPS = st.lists(st.text("ab", min_size=1, max_size=3), max_size=3)
TEXTS = st.text("ab", max_size=4) | st.text(" ab€", max_size=4)
PIECES = st.lists(TEXTS.map(str.encode) | st.binary(max_size=2), max_size=12)


@given(PIECES, STOPS, st.sampled_from(["", "  ", "    "]))
def test_any_split_into_pieces_gives_the_same_text(pieces: list[bytes], stop: list[str], drop: str) -> None:
    whole = b"".join(pieces)
    one_by_one = [whole[i : i + 1] for i in range(len(whole))]

    expected = "".join(shown([whole], stop, drop))

    assert "".join(shown(pieces, stop, drop)) == expected
    assert "".join(shown(one_by_one, stop, drop)) == expected


@given(PIECES, STOPS)
def test_no_stop_string_is_ever_shown(pieces: list[bytes], stop: list[str]) -> None:
    text = "".join(shown(pieces, stop))

    assert not any(s in text for s in stop if s)
    assert b"".join(pieces).decode("utf-8", "replace").startswith(text)
