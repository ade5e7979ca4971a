"""The tree in the module's docstring is the tree of the classes."""

from __future__ import annotations

import re

import pytest

from lsp_server import errors


def _subclasses(cls: type[BaseException]) -> set[type[BaseException]]:
    return {cls}.union(*(_subclasses(sub) for sub in cls.__subclasses__()))


def test_every_error_is_drawn_under_its_parent() -> None:
    parents: dict[int, str] = {}
    drawn: dict[str, str | None] = {}
    for line in (errors.__doc__ or "").splitlines():
        if match := re.match(r"    ([│├└─ ]*)([A-Z]\w+Error)\b", line):
            depth = len(match[1]) // 4
            drawn[match[2]] = parents.get(depth - 1)
            parents[depth] = match[2]
    own = {
        c.__name__: c.__bases__[0].__name__
        for c in _subclasses(errors.ShardlightError)
        if c.__module__ == errors.__name__
    }
    own["ShardlightError"] = None  # type: ignore[assignment]
    assert drawn == own


@pytest.mark.parametrize(("hint", "text"), [("", "Wrong."), ("Do this.", "Wrong. Do this.")])
def test_text_joins_message_and_way_out(hint: str, text: str) -> None:
    assert str(errors.ShardlightError("Wrong.", hint=hint)) == text
