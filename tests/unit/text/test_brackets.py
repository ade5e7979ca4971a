from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.text.brackets import brackets


@pytest.mark.parametrize(
    ("code", "closes", "opens"),
    [
        ("", "", ""),
        ("f(a)[0]", "", ""),
        ("f(a, [", "", "])"),
        ("a)", ")", ""),
        ("a) + f(b", ")", ")"),
        ("a])}", "])}", ""),
        ('"(" + x)', ")", ""),
        ("'[' in x(", "", ")"),
        (r'"\"(" + (', "", ")"),
        ("don't (stop", "", ")"),
        ("fn f<'a>(x: &'a str", "", ")"),
        ("f(  # not (this", "", ")"),
        ("`${(`(", "", ")"),
        ('"""(\n"""(', "", ")"),
    ],
)
def test_unmatched_brackets(code: str, closes: str, opens: str) -> None:
    found = brackets(code, "#")
    assert "".join(char for _, char in found.closes) == closes
    assert "".join(closer for _, closer in found.opens) == opens


def test_where_they_close() -> None:
    assert brackets("a, b) + c]").closes == ((4, ")"), (9, "]"))


def test_a_string_of_several_lines_may_be_open() -> None:
    assert brackets('x = """a (').open_string
    assert not brackets('x = """a ("""').open_string
    assert not brackets("x = 'a").open_string


def test_without_a_comment_marker_nothing_is_a_comment() -> None:
    assert brackets("a # (").opens == ((4, ")"),)
    assert brackets("a // (", "//").opens == ()


@given(st.text(st.sampled_from("([{)]}a \n")))
def test_what_is_missing_closes_all(code: str) -> None:
    missing = "".join(closer for _, closer in brackets(code).opens)
    assert brackets(code + missing).opens == ()


@given(st.text(st.sampled_from("([{)]}a'\"#\n\\`")))
def test_any_text_will_do(code: str) -> None:
    found = brackets(code, "#")
    assert all(code[at] == char for at, char in found.closes)
