from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.index.matching import fits_words, rank


@pytest.mark.parametrize("query", ["gHR", "ghr", "get_resp", "gethttp", "httpresponse", "response", "gtspns"])
def test_what_finds_a_name(query: str) -> None:
    assert rank(query, "get_http_response")
    assert rank(query, "getHttpResponse") or "_" in query


@pytest.mark.parametrize("query", ["response_get", "getx", "get_http_responses"])
def test_what_does_not(query: str) -> None:
    assert rank(query, "get_http_response") is None


def test_the_better_fit_comes_first() -> None:
    names = ["sarxea", "compute_area", "AreaOfShape", "area", "Area", "areas", "a_round_each_apple"]
    assert sorted(names, key=lambda name: rank("area", name) or ()) == [
        "area",
        "Area",
        "areas",
        "AreaOfShape",
        "compute_area",
        "a_round_each_apple",
        "sarxea",
    ]


def test_beginnings_of_words_go_before_what_only_contains_the_letters() -> None:
    assert fits_words("hr", "HttpResponse")
    assert fits_words("httpr", "get_http_response")
    assert fits_words("md5", "compute_md5")
    assert not fits_words("esp", "HttpResponse")
    assert not fits_words("rh", "HttpResponse")


@given(st.text(alphabet="abAB_1", min_size=1, max_size=8), st.data())
def test_any_letters_of_a_name_in_their_order_find_it(name: str, data: st.DataObject) -> None:
    kept = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    query = "".join(char for char, keep in zip(name, kept, strict=True) if keep)
    assert not query or rank(query, name)
