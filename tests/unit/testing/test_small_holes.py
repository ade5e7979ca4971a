from __future__ import annotations

import pytest

from lsp_server.testing import confined
from lsp_server.testing.small_holes import SmallHole, small_holes

EACH = pytest.mark.parametrize("hole", small_holes(), ids=lambda hole: hole.name)


def test_there_are_twenty() -> None:
    assert len({hole.name for hole in small_holes()}) == 20


@EACH
async def test_what_was_taken_out_passes_and_nothing_does_not(hole: SmallHole) -> None:
    assert (await confined.run(hole.program(hole.truth), timeout_s=30)).passed
    assert not (await confined.run(hole.program(""), timeout_s=30)).passed


def test_a_fill_may_take_the_place_of_what_is_behind_it() -> None:
    hole = SmallHole("", "f(", "1", ")", "")
    assert hole.program("2)", 1) == "f(2)\n\n"
