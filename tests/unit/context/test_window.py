from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.window import PREFIX_CHARS, STRIDE_CHARS, SUFFIX_CHARS, window
from lsp_server.text.closers import front_end
from lsp_server.text.positions import LineIndex

LINE = "value = compute(value)  # 39 characters\n"
LONG = LINE * 400


def test_small_text_is_taken_whole() -> None:
    lines = LineIndex("a = 1\nb = 2\n")
    around = window(lines, 6)
    assert (around.prefix, around.suffix) == ("a = 1\n", "b = 2\n")


def test_cuts_are_at_line_starts() -> None:
    around = window(LineIndex(LONG), 200 * len(LINE))
    assert around.prefix.startswith(LINE)
    assert around.suffix.endswith("\n")
    assert PREFIX_CHARS - len(LINE) < len(around.prefix) <= PREFIX_CHARS + STRIDE_CHARS
    assert SUFFIX_CHARS - len(LINE) < len(around.suffix) <= SUFFIX_CHARS


def test_typing_only_appends_to_the_prefix_between_two_steps() -> None:
    at = 200 * len(LINE) + 4
    starts = set()
    for typed in range(STRIDE_CHARS):
        text = LONG[:at] + "x" * typed + LONG[at:]
        starts.add(at + typed - len(window(LineIndex(text), at + typed).prefix))
    assert len(starts) <= 2


def test_typing_in_a_line_longer_than_the_window_moves_the_cut_no_more_often() -> None:
    text = "x = [" + "1, " * 10_000
    offsets = range(20_000, 20_000 + STRIDE_CHARS)
    starts = {offset - len(window(LineIndex(text), offset).prefix) for offset in offsets}
    assert len(starts) <= 2


@pytest.mark.parametrize("closed", [")", '")', "\n}", "\n    })\n", "),", "  ", "\n" * 9])
def test_closers_behind_the_cursor_do_not_move_the_end(closed: str) -> None:
    for at in range(200 * len(LINE), 201 * len(LINE)):
        plain = window(LineIndex(LONG), at).suffix
        assert window(LineIndex(LONG[:at] + closed + LONG[at:]), at).suffix == closed + plain


def test_last_line_may_be_cut_when_it_holds_the_cursor() -> None:
    around = window(LineIndex("x" * 5000), 10)
    assert around.suffix == "x" * SUFFIX_CHARS


@given(
    st.text(st.sampled_from("ab \n\r😀"), max_size=40),
    st.sampled_from([1, 700, 3000]),
    st.floats(0, 1),
)
def test_is_the_text_around_the_cursor_within_bounds(text: str, times: int, where: float) -> None:
    text *= times
    offset = int(len(text) * where)
    around = window(LineIndex(text), offset)
    assert text[:offset].endswith(around.prefix)
    assert text[offset:].startswith(around.suffix)
    assert len(around.prefix) <= PREFIX_CHARS + STRIDE_CHARS
    assert len(around.suffix) <= SUFFIX_CHARS + front_end(text, offset) - offset
