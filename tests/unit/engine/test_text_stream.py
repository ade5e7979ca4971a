from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.text_stream import TextStream, Thoughts


def feed(stream: TextStream, pieces: Iterable[bytes]) -> list[str]:
    """What each piece shows, and the flush at the end; nothing is fed once it ended, as in a generation."""
    texts = []
    for piece in pieces:
        texts.append(stream.feed(piece))
        if stream.ended:
            break
    return [*texts, stream.flush()]


def shown(pieces: Iterable[bytes], stop: Iterable[str] = (), drop_prefix: str = "", n_indent: int = 0) -> list[str]:
    return feed(TextStream(tuple(stop), drop_prefix, n_indent=n_indent), pieces)


def answered(pieces: Iterable[bytes], stop: Iterable[str] = (), *, begun: bool = False) -> tuple[str, str]:
    """(the thought, the text)"""
    thoughts = Thoughts(begun=begun)
    text = "".join(feed(TextStream(tuple(stop), thoughts=thoughts), pieces))
    return thoughts.take(), text


def letters(text: str) -> list[bytes]:
    return [letter.encode() for letter in text]


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


@pytest.mark.parametrize(
    ("text", "n_indent", "before"),
    [
        ("a\n  b\nc", 2, "a\n  b\n"),
        ("a\n  b\n c", 2, "a\n  b\n"),
        ("a\n  b\n   c\n", 2, None),
        ("a\n\n  b", 2, None),
        ("a\n \n\t\t\n  b\n\nc", 2, "a\n \n\t\t\n  b\n\n"),
        ("a\r\n\r\n  b\r\nc", 2, "a\r\n\r\n  b\r\n"),
        ("a\n\tb\nc", 1, "a\n\tb\n"),
        ("a\n\tb", 2, "a\n"),
        ("  a\n  b", 4, "  a\n"),
        ("a\nb", 0, None),
        ("\nb", 1, "\n"),
        ("a\n   ", 4, None),
        ("a\n\u00a0\u00a0b", 2, "a\n"),
    ],
)
def test_the_answer_ends_before_a_line_that_is_indented_less(text: str, n_indent: int, before: str | None) -> None:
    for pieces in ([text.encode()], letters(text)):
        stream = TextStream(n_indent=n_indent)
        assert "".join(feed(stream, pieces)) == (text if before is None else before)
        assert stream.ended == (before is not None)
        assert stream.matched == ""


def test_a_lines_blanks_are_held_back_until_it_is_decided() -> None:
    assert shown([b"a\n", b"  ", b" ", b"b", b" c"], n_indent=3) == ["a\n", "", "", "   b", " c", ""]
    assert shown([b"a\n ", b"\n ", b"b"], n_indent=3) == ["a\n", " \n", "", ""]


def test_nothing_is_fed_through_once_it_ended() -> None:
    stream = TextStream(("x",), n_indent=2)

    assert [stream.feed(b"a\nb"), stream.feed(b"c\n    d"), stream.flush()] == ["a\n", "", ""]


@pytest.mark.parametrize(
    ("text", "stop", "before", "matched"),
    [
        # What ends first ends it.
        ("a\nb\n```", "```", "a\n", ""),
        ("a```\nb", "```", "a", "```"),
        ("a\nb", "\nb", "a", "\nb"),
        ("a\nb", "\nbc", "a\n", ""),
        ("a\n  bc", "\n  bcd", "a\n  bc", ""),
    ],
)
def test_stop_strings_and_indentation_together(text: str, stop: str, before: str, matched: str) -> None:
    for pieces in ([text.encode()], letters(text)):
        stream = TextStream((stop,), n_indent=2)
        assert "".join(feed(stream, pieces)) == before
        assert stream.matched == matched


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("<think>Well.</think>Yes.", "Well.", "Yes."),
        ("\n<think>\nWell.\n</think>\n\nYes.\n", "Well.\n", "Yes.\n"),
        ("<think>\n\n</think>\n\nYes.", "", "Yes."),
        ("<think></think>Yes.", "", "Yes."),
        ("<think>Well </thin </think> Yes.", "Well </thin ", "Yes."),
        ("<think>It never ends</thi", "It never ends</thi", ""),
        ("<think>Well.</think>\n", "Well.", ""),
        ("Yes. <think>Well.</think>", "", "Yes. <think>Well.</think>"),
        ("<thinking>", "", "<thinking>"),
        ("  <thi", "", "  <thi"),
        ("  Yes", "", "  Yes"),
        ("", "", ""),
    ],
)
def test_a_thought_at_the_beginning_is_kept_apart(text: str, thought: str, answer: str) -> None:
    assert answered([text.encode()]) == answered(letters(text)) == (thought, answer)


def test_a_thought_that_the_prompt_began() -> None:
    assert answered([b"Well.</thi", b"nk>Yes."], begun=True) == ("Well.", "Yes.")


def test_a_thought_is_told_as_it_comes() -> None:
    thoughts = Thoughts()
    stream = TextStream(thoughts=thoughts)
    told = []
    for piece in (b"<thi", b"nk>\n", b"We", b"ll</", b"think>", b"Y"):
        told.append((stream.feed(piece), thoughts.take()))

    assert told == [("", ""), ("", ""), ("", "We"), ("", "ll"), ("", ""), ("Y", "")]


def test_a_stop_string_in_a_thought_stops_nothing() -> None:
    assert answered([b"<think>a```b</think>c```d"], ["```"]) == ("a```b", "c")


def test_without_anybody_to_keep_thoughts_they_are_text() -> None:
    assert "".join(shown([b"<think>a</think>b"])) == "<think>a</think>b"


# Few letters, so that stop strings occur, overlap and contain each other; stray bytes, so that characters break.
STOPS = st.lists(st.text("ab", min_size=1, max_size=3), max_size=3)
TEXTS = st.text("ab", max_size=4) | st.text(" ab€", max_size=4)
PIECES = st.lists(TEXTS.map(str.encode) | st.binary(max_size=2), max_size=12)


LINES = st.lists(st.text(" \t\r\nab€", max_size=5).map(str.encode), max_size=12)
DROPS = st.sampled_from(["", "  ", "    "])
TAGS = st.sampled_from(["<think>", "</think>", "<thi", "nk>", "</thi", "<", "\n", " ", "a", "b", "€"])
THINKING = st.lists(TAGS.map(str.encode) | st.binary(max_size=2), max_size=12)


def splits(pieces: list[bytes]) -> list[list[bytes]]:
    whole = b"".join(pieces)
    return [[whole], pieces, [whole[i : i + 1] for i in range(len(whole))]]


@given(PIECES | LINES, STOPS, DROPS, st.integers(0, 3))
def test_any_split_into_pieces_gives_the_same_text(
    pieces: list[bytes], stop: list[str], drop: str, n_indent: int
) -> None:
    found = set()
    for split in splits(pieces):
        stream = TextStream(tuple(stop), drop, n_indent=n_indent)
        found.add(("".join(feed(stream, split)), stream.matched, stream.ended))

    assert len(found) == 1


@given(THINKING, STOPS)
def test_any_split_gives_the_same_thought(pieces: list[bytes], stop: list[str]) -> None:
    assert len({answered(split, stop) for split in splits(pieces)}) == 1


@given(LINES, st.integers(1, 3))
def test_no_line_but_the_first_is_indented_less(pieces: list[bytes], n_indent: int) -> None:
    text = "".join(shown(pieces, n_indent=n_indent))

    assert b"".join(pieces).decode().startswith(text)
    for line in text.split("\n")[1:]:
        assert not line.strip(" \t\r") or len(line) - len(line.lstrip(" \t")) >= n_indent


@given(PIECES, STOPS)
def test_no_stop_string_is_ever_shown(pieces: list[bytes], stop: list[str]) -> None:
    text = "".join(shown(pieces, stop))

    assert not any(s in text for s in stop if s)
    assert b"".join(pieces).decode("utf-8", "replace").startswith(text)
