from __future__ import annotations

import numpy as np
import pytest

from lsp_server.engine.name_guide import NameGuide, Tokens

WORDS = ["a", "b", "key", "keys", "words", "_ms", "(", ")\n", "key(", " ", "ü", ".k"]


class Words:
    """A vocabulary of these words, by their places."""

    pieces = tuple(word.encode() for word in WORDS)

    @property
    def between_names(self) -> Tokens:
        return ids("(", ")\n", " ", ".k")

    def continuations(self, text: bytes) -> Tokens:
        return np.array(
            [n for n, piece in enumerate(self.pieces) if piece.startswith(text) or text.startswith(piece)], np.int32
        )

    def piece(self, token: int) -> bytes:
        return self.pieces[token]


def ids(*words: str) -> Tokens:
    return np.array(sorted(map(WORDS.index, words)), np.int32)


def led(names: list[str], written: list[str]) -> list[str] | None:
    """What may come after some words; None for anything."""
    guide = NameGuide(Words(), [name.encode() for name in names])
    for word in written:
        guide.wrote(word.encode())
    tokens = guide.tokens()
    assert guide.active == (tokens is not None)
    return None if tokens is None else sorted(WORDS[token] for token in tokens)


@pytest.mark.parametrize(
    ("names", "written", "expected"),
    [
        ([], [], None),
        (["keywords"], [], ["key"]),
        (["keywords"], ["key"], ["words"]),
        (["key"], [], ["key", "key("]),
        (["key", "keywords"], [], ["key", "key("]),
        # Whole, or how a longer one goes on.
        (["key", "keywords"], ["key"], [" ", "(", ")\n", ".k", "words"]),
        (["key"], ["key"], [" ", "(", ")\n", ".k"]),
        (["key"], ["key", "("], None),
        (["key"], ["key("], None),
        # The model was far surer of something else.
        (["key"], ["words"], None),
        (["key"], [""], None),
        (["a", "b", "b"], [], ["a", "b"]),
        # With the begun word.
        ([".keywords"], [], [".k"]),
        # A letter of two bytes belongs to a name.
        (["b\u00fc"], ["b"], ["ü"]),
    ],
)  # fmt: skip
def test_what_leads_to_a_name(names: list[str], written: list[str], expected: list[str] | None) -> None:
    assert led(names, written) == expected


def test_a_token_that_goes_on_within_a_word_leads_to_no_name() -> None:
    assert "keys" not in (led(["key"], []) or [])
    assert "words" not in (led(["key"], ["key"]) or [])
