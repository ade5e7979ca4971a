from __future__ import annotations

import numpy as np
import pytest

from lsp_server.engine.name_guide import NameGuide, Tokens
from lsp_server.engine.native.model import is_word_byte
from lsp_server.text.known_names import KnownNames

WORDS = ["a", "b", "key", "keys", "words", "_ms", "e", "(", ")\n", "key(", " ", "ü", ".k", ".key", ".b", "self", " = "]

BETWEEN = [" ", " = ", "(", ")\n", ".b", ".k", ".key"]


class Words:
    """A vocabulary of these words, by their places."""

    pieces = tuple(word.encode() for word in WORDS)
    n_vocab = len(WORDS)

    @property
    def between_names(self) -> Tokens:
        return np.array([n for n, piece in enumerate(self.pieces) if not is_word_byte(piece[0])], np.int32)

    def continuations(self, text: bytes) -> Tokens:
        return np.array(
            [n for n, piece in enumerate(self.pieces) if piece.startswith(text) or text.startswith(piece)], np.int32
        )

    def piece(self, token: int) -> bytes:
        return self.pieces[token]


def led(guide: NameGuide, written: list[str]) -> list[str] | None:
    """What may come after some words; None for anything."""
    for word in written:
        guide.wrote(word.encode())
    mask = guide.tokens()
    assert guide.active == (mask is not None)
    return None if mask is None else [word for word, allowed in zip(WORDS, mask, strict=True) if allowed]


@pytest.mark.parametrize(
    ("names", "written", "expected"),
    [
        ([], [], None),
        (["keywords"], [], ["key"]),
        (["keywords"], ["key"], ["words"]),
        (["key"], [], ["key", "key("]),
        (["key", "keywords"], [], ["key", "key("]),
        # Whole, or how a longer one goes on.
        (["key", "keywords"], ["key"], [*BETWEEN, "words"]),
        (["key"], ["key"], BETWEEN),
        (["key"], ["key", "("], None),
        (["key"], ["key("], None),
        # The model was far surer of something else.
        (["key"], ["words"], None),
        (["key"], [""], None),
        (["a", "b", "b"], [], ["a", "b"]),
        # With the begun word.
        ([".keywords"], [], [".k", ".key"]),
        # A letter of two bytes belongs to a name.
        (["b\u00fc"], ["b"], ["ü"]),
    ],
)  # fmt: skip
def test_what_leads_to_a_name(names: list[str], written: list[str], expected: list[str] | None) -> None:
    found = led(NameGuide(Words(), names=names), written)
    assert (found and sorted(found)) == expected


KNOWN = [KnownNames("a", ("key", "keywords")), KnownNames("self", ("b",), may_be_new=True)]


@pytest.mark.parametrize(
    ("line", "written", "dots"),
    [
        # The dot may come or not, and behind it what there is.
        ("x = a", [], [".k", ".key"]),
        ("x = ", ["a"], [".k", ".key"]),
        ("(", ["a"], [".k", ".key"]),
        ("", ["a"], [".k", ".key"]),
        ("x\n", ["a"], [".k", ".key"]),
        ("x = self", [], [".b"]),
        ("", ["x", " ", "self"], [".b"]),
        # It is another name, or another's member.
        ("x = b", [], None),
        ("x = ba", [], None),
        ("x = a", ["b"], None),
        ("x.a", [], None),
        ("f().a", [], None),
        # The line may give it what it does not have.
        ("self", [], None),
        ("    self", [], None),
        ("", [")\n", "self"], None),
        # It is no longer what it was.
        ("", ["a", " = ", "b", ")\n", "x", " = ", "a"], None),
        ("", ["x", ", ", "a", " = ", "b", ")\n", "x", " = ", "a"], None),
        ("", ["for ", "a", " in ", "b", ")\n", "x", " = ", "a"], None),
        ("", ["x", " = ", "a", " == ", "a"], [".k", ".key"]),
    ],
)  # fmt: skip
def test_what_comes_behind_a_name_that_is_known(line: str, written: list[str], dots: list[str] | None) -> None:
    found = led(NameGuide(Words(), line, known=KNOWN), written)
    if dots is None:
        assert found is None
    else:
        assert found == [word for word in WORDS if not word.startswith(".") or word in dots]


@pytest.mark.parametrize(
    ("line", "written", "expected"),
    [
        ("x = a", [".k"], ["e"]),
        ("x = a", [".key"], ["words"]),
        ("x = a.", [], ["key", "key("]),
        ("x = a", ["("], None),
        # One member of one is no other's.
        ("x = a", [".key", ")\n"], None),
    ],
)  # fmt: skip
def test_the_name_behind_the_dot(line: str, written: list[str], expected: list[str] | None) -> None:
    found = led(NameGuide(Words(), line, known=KNOWN), written)
    assert (found and sorted(set(found) - set(BETWEEN))) == expected
