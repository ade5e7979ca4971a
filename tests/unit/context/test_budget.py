from __future__ import annotations

import pytest

from lsp_server.context.budget import budget_tokens, estimated_tokens


@pytest.mark.parametrize(
    ("speed", "n_ctx", "expected"),
    [
        (None, 8192, 600),
        (None, 1024, 256),
        (200.0, 8192, 400),
        (20.0, 8192, 256),
        (700.0, 8192, 1400),
        (50_000.0, 8192, 2048),
        (50_000.0, 131_072, 4096),
        (20.0, 512, 128),
    ],
)
def test_what_is_read_in_two_seconds_within_a_quarter_of_the_context(
    speed: float | None, n_ctx: int, expected: int
) -> None:
    assert budget_tokens(speed, n_ctx) == expected


def test_tokens_are_estimated_by_length() -> None:
    assert estimated_tokens("") == 1
    assert estimated_tokens("x" * 350) == 101
