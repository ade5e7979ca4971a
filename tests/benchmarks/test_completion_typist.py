from __future__ import annotations

import pytest

from benchmarks.completion.typed import Stroke
from benchmarks.completion.typist import Edit, accepts, after_accepting, keys

TEXT = "if a:\n    b = compute(1)\n\n    return b"


@pytest.mark.parametrize("seed", range(5))
def test_what_is_typed_is_the_text_with_a_pause_at_each_new_line(seed: int) -> None:
    typed = keys(TEXT, seed)

    assert "".join(key.text for key in typed) == TEXT
    assert all(key.pause == (key.text != "\n") for key in typed if key.text.startswith("\n"))
    assert all(0.05 <= key.then_s <= 4.0 for key in typed)
    assert keys(TEXT, seed) == typed
    assert keys(TEXT, seed + 1) != typed


def test_only_what_will_be_written_anyway_is_accepted() -> None:
    assert accepts("compute(1)", "compute(1)\n\n    return b")
    assert not accepts("compute(2)", "compute(1)")
    assert not accepts("compute", "compute(1)")
    assert not accepts("", "compute(1)")


def test_what_was_accepted_is_not_typed_again() -> None:
    typed = keys(TEXT, 1)

    for length in range(len(TEXT) + 1):
        assert "".join(key.text for key in after_accepting(typed, length)) == TEXT[length:]


def test_an_edit_leaves_the_rest_of_the_file() -> None:
    assert Edit("p", "a.py", 2, 5).left("abcdefg") == "abfg"


@pytest.mark.parametrize(
    ("stroke", "flickers"),
    [
        (Stroke(10.0, "pute(1)", "pute(1)"), False),
        (Stroke(10.0, "pute(1) + 2", "pute(1)"), False),
        (Stroke(10.0, "pare(1)", "pute(1)"), True),
        (Stroke(10.0, "", "pute(1)"), True),
        (Stroke(10.0, "other", ""), False),
        (Stroke(None, "", "pute(1)"), False),
    ],
)
def test_a_suggestion_flickers_that_changes_while_the_person_types_just_that(stroke: Stroke, flickers: bool) -> None:
    assert stroke.flickers is flickers
