from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.native.logprobs import TokenLogprob, logprobs


class Letters:
    """Token 0 is a, token 1 is b …"""

    def piece(self, token: int) -> bytes:
        return bytes([97 + token])


class Row:
    def __init__(self, logits: list[float]) -> None:
        self._logits = np.array([[0.0] * len(logits), logits], dtype=np.float32)

    def logits(self, row: int = -1) -> npt.NDArray[np.float32]:
        return self._logits[row]


def one(logits: list[float], token: int, n_probs: int) -> TokenLogprob:
    (found,) = logprobs(Letters(), Row(logits), 1, token, n_probs)
    return found


def test_nobody_asked() -> None:
    assert logprobs(Letters(), Row([1.0]), 1, 0, None) == ()


def test_the_token_and_the_likeliest() -> None:
    found = one([math.log(p) + 3 for p in (0.1, 0.6, 0.3)], 0, 2)

    assert (found.token, found.piece) == (0, b"a")
    assert found.logprob == pytest.approx(math.log(0.1), abs=1e-6)
    assert [(token, piece) for token, piece, _ in found.top] == [(1, b"b"), (2, b"c")]
    assert [p for *_, p in found.top] == pytest.approx([math.log(0.6), math.log(0.3)], abs=1e-6)


def test_only_the_token() -> None:
    assert one([1.0, 1.0], 1, 0) == TokenLogprob(1, b"b", pytest.approx(-math.log(2)), ())


def test_more_than_there_are() -> None:
    assert [token for token, *_ in one([1.0, 3.0, 2.0], 0, 10).top] == [1, 2, 0]


def test_of_equals_the_first_are_told() -> None:
    assert [token for token, *_ in one([1.0, 2.0] * 200, 0, 3).top] == [1, 3, 5]


def test_large_logits_do_not_overflow_and_forbidden_ones_are_impossible() -> None:
    found = one([5000.0, -math.inf, 5000.0], 1, 3)

    assert found.logprob == -math.inf
    assert [p for *_, p in found.top] == pytest.approx([-math.log(2), -math.log(2), -math.inf])


def test_the_row_is_not_changed() -> None:
    row = Row([1.0, 2.0])
    logprobs(Letters(), row, 1, 0, 2)

    assert row.logits(1).tolist() == [1.0, 2.0]


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=20), st.integers(1, 20))
def test_the_probabilities_add_up_and_greedy_is_the_first(logits: list[float], n_probs: int) -> None:
    greedy = int(np.argmax(np.array(logits, dtype=np.float32)))
    found = one(logits, greedy, n_probs)

    assert found.top[0] == (greedy, found.piece, found.logprob)
    assert [p for *_, p in found.top] == sorted((p for *_, p in found.top), reverse=True)
    total = sum(math.exp(p) for *_, p in found.top)
    assert total <= 1 + 1e-6  # logarithms in single precision
    assert n_probs < len(logits) or total == pytest.approx(1)
