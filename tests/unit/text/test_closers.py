from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.text.closers import closes_line, front_end, front_lengths


@pytest.mark.parametrize(
    ("before", "after", "closes"),
    [
        ("foo(", ")", True),
        ("x = [f(", ")]", True),
        ("  if (a", ") ", True),
        ("def f(", "):", True),
        ("foo(", ");", True),
        ('print("', '")', True),
        ("x = 1", "", True),
        ("x = 1", "  ", True),
        ("x = ", '"""', False),
        ("foo(", ", b)", False),
        ("foo(", ") + 1", False),
        ("x", ":", False),
        ("for a in b", "; do", False),
    ],
)
def test_closes_line(before: str, after: str, closes: bool) -> None:
    assert closes_line(before, after) is closes


@pytest.mark.parametrize(
    ("text", "end"),
    [("", 0), ("x", 0), (")\n", 2), ("\n    }\n    x", 11), ("), b", 3), ('"),\r\n\r\n', 7), ("\n" * 300, 200)],
)
def test_front_end(text: str, end: int) -> None:
    assert front_end("__" + text, 2) == 2 + end


@pytest.mark.parametrize(
    ("text", "fronts"),
    [
        ("", [""]),
        ("x", [""]),
        ("  x", [""]),
        (")x", ["", ")"]),
        ("), b)", ["", ")", "),"]),
        (", b)", [""]),
        ("\n    x", ["", "\n"]),
        ("\r\nx", ["", "\r\n"]),
        ("  \n  }\nx", ["", "  ", "  \n", "  \n  }", "  \n  }\n"]),
        ('")\n', ["", '"', '")', '")\n']),
        ('"a"', [""]),
    ],
)
def test_front_lengths(text: str, fronts: list[str]) -> None:
    assert [text[:length] for length in front_lengths(text)] == fronts


@given(st.text(st.sampled_from("x )]}\"':,\r\n\t"), max_size=300))
def test_fronts_are_short_and_split_no_line_end(text: str) -> None:
    for length in front_lengths(text):
        assert length <= 201
        assert text[length - 1 : length + 1] != "\r\n" or length == 0
        assert "x" not in text[:length]
