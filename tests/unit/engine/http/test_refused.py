from __future__ import annotations

import pytest

from lsp_server.engine.http.refused import REFUSED, check
from lsp_server.errors import InvalidRequestError


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("value", [3, True, "something", ["something"], {"some": "thing"}])
def test_what_is_not_done_is_refused_by_its_name(name: str, value: object) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{name} .*is not supported"):
        check({name: value})


@pytest.mark.parametrize("name", REFUSED)
def test_what_asks_for_nothing_is_fine(name: str) -> None:
    for value in (None, [], {}, "", *REFUSED[name]):
        check({name: value})


def test_other_fields_are_not_looked_at() -> None:
    check({"temperature": 3, "anything": [1]})


def test_the_refusal_says_what_would_be_fine() -> None:
    with pytest.raises(InvalidRequestError, match=r'^tool_choice other than "none" or "auto" is not supported'):
        check({"tool_choice": "required"})
