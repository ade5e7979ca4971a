from __future__ import annotations

import pytest

from tools.synthetic_vocabulary import synthetic_vocabulary


@pytest.mark.parametrize("size", [260, 1024, 129_280])
def test_as_many_different_tokens_as_asked_for(size: int) -> None:
    vocabulary = synthetic_vocabulary(size)
    assert len(vocabulary.tokens) == len(vocabulary.types) == len(set(vocabulary.tokens)) == size


def test_every_merge_makes_a_token_of_tokens() -> None:
    vocabulary = synthetic_vocabulary(30_000)
    known = set(vocabulary.tokens)
    for merge in vocabulary.merges:
        left, right = merge.split(" ")
        assert {left, right, left + right} <= known


def test_control_tokens_come_first() -> None:
    vocabulary = synthetic_vocabulary(300, ("<P>", "<S>", "<M>"))
    assert vocabulary.tokens[2:5] == ("<P>", "<S>", "<M>")
    assert vocabulary.types[:6] == (3, 3, 3, 3, 3, 1)


def test_too_few_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 259 tokens, not 258"):
        synthetic_vocabulary(258)
