from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.context.window import window
from lsp_server.engine.layout import Hole, fim_prompt
from lsp_server.engine.native.model import FimTokens, common_prefix
from lsp_server.engine.spots import Spots
from lsp_server.models.catalog import FimLayout
from lsp_server.text.positions import LineIndex

BELOW = "\n    return x\n\n\ndef g():\n    pass\n"
LONG = "".join(f"line = {n}\n" for n in range(40))


def frozen(*suffixes: str) -> str:
    """What the last of some requests at one document gets."""
    spots = Spots()
    return [spots.suffix("doc", suffix) for suffix in suffixes][-1]


@pytest.mark.parametrize(
    "later",
    [
        BELOW,
        ")" + BELOW,
        ")]}" + BELOW,
        '")' + BELOW,
        "):" + BELOW,
        ");" + BELOW,
        "\n)" + BELOW,
        "\n    }" + BELOW,
        "\n    })\n" + BELOW,
        "  " + BELOW,
        "\n\n" + BELOW,
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_an_editor_closes_changes_nothing(later: str, newline: str) -> None:
    below, later = BELOW.replace("\n", newline), later.replace("\n", newline)
    assert frozen(below, later) == below
    assert frozen(below, later, below) == below


@pytest.mark.parametrize(
    ("first", "later"), [(", b)\n", "), b)\n"), (" else {\n", "\n} else {\n"), ("", ")"), ("", "\n}\n")]
)
def test_within_a_line_and_at_the_end(first: str, later: str) -> None:
    assert frozen(first, later) == first


@pytest.mark.parametrize("first", [")" + BELOW, "\n}" + BELOW, '")' + BELOW])
def test_a_closer_that_is_typed_over_is_not_shown_twice(first: str) -> None:
    assert frozen(first, BELOW) == BELOW
    assert frozen(first, BELOW, first) == BELOW, "one more prompt, not one for each bracket"


def test_a_bracket_that_enter_moves_down_stays_where_it_was() -> None:
    assert frozen("}" + BELOW, "\n    }" + BELOW) == "}" + BELOW


@pytest.mark.parametrize(
    "later",
    [
        BELOW.replace("return x", "return y"),
        BELOW + "x = 1\n",
        BELOW.replace("    return x\n", ""),
        BELOW.replace("\n    return", "\n        return"),
        BELOW[:20],
        "",
        "\n",
        "x" + BELOW,
        " + 1" + BELOW,
        '"text"' + BELOW,
    ],
    ids=[
        "an edit",
        "added",
        "deleted",
        "indented",
        "cut off",
        "all deleted",
        "nearly all",
        "a name",
        "a term",
        "a string",
    ],
)
def test_what_really_changed_is_shown(later: str) -> None:
    assert frozen(BELOW, later) == later


def test_text_below_the_end_is_shown() -> None:
    assert frozen("", ")", "\nx = 1\n") == "\nx = 1\n"


@pytest.mark.parametrize("n_lines", [30, 31])
def test_a_window_counted_in_lines_moves(n_lines: int) -> None:
    def cut(text: str) -> str:
        return "".join(text.splitlines(keepends=True)[:n_lines])

    first = cut("\n" + LONG)
    assert frozen(first, cut("\n}\n" + LONG)) == first
    assert frozen(cut("\n}\n" + LONG), first) == first, "it has a closer too many"
    assert frozen(cut("\n\n" + LONG), first) == cut("\n\n" + LONG)


def test_a_window_counted_in_characters_moves() -> None:
    def cut(text: str) -> str:
        return text[: text.rfind("\n", 0, 301) + 1]

    first = cut("\n" + LONG)
    later = cut("\n        })" + "\n" + LONG)
    assert not first.endswith(later[-40:])
    assert frozen(first, later) == first


def test_a_deletion_below_is_no_moved_window() -> None:
    shorter = LONG[: LONG.rindex("line")]
    assert frozen(")" + LONG, ")" + shorter) == ")" + shorter
    assert frozen(", " + LONG, ")" + ", " + LONG, ")" + ", " + shorter) == "), " + shorter


def test_an_earlier_place_is_found_again_while_its_text_is_there() -> None:
    spots = Spots()
    here, there = "\n    a\n", "\n    b\n"
    assert spots.suffix("doc", here) == here
    assert spots.suffix("doc", there) == there
    assert spots.suffix("doc", ")" + here) == here
    assert spots.suffix("doc", ")" + there) == there
    assert spots.suffix("doc", "\n    a2\n") == "\n    a2\n"


def test_documents_know_nothing_of_each_other() -> None:
    spots = Spots()
    spots.suffix("one", BELOW)
    assert spots.suffix("other", ")" + BELOW) == ")" + BELOW


def test_without_a_document_nothing_is_remembered() -> None:
    spots = Spots()
    spots.suffix("", BELOW)
    assert spots.suffix("", ")" + BELOW) == ")" + BELOW


def test_the_oldest_are_forgotten() -> None:
    spots = Spots(documents=2, spots=2)
    for text in ("\na", "\nb", "\nc"):
        spots.suffix("doc", text)
    assert spots.suffix("doc", ")\na") == ")\na"
    spots.suffix("two", "\nx")
    spots.suffix("three", "\nx")
    assert spots.suffix("doc", ")\nc") == ")\nc"


@given(st.lists(st.text(st.sampled_from('a)}"\n\r ,'), max_size=12), max_size=8))
def test_a_frozen_text_lacks_closers_at_most(suffixes: list[str]) -> None:
    spots = Spots()
    for suffix in suffixes:
        shown = spots.suffix("doc", suffix)
        assert suffix.count("a") == shown.count("a")
        assert "".join(suffix.split()).endswith("".join(shown.split()))


class Editor:
    """A document in an editor that closes brackets by itself, and the engine's prompts for it."""

    FIM = FimTokens(-1, -2, -3, None, None)

    def __init__(self, before: str, after: str, newline: str = "\n") -> None:
        self.before, self.after, self.newline = before, after, newline
        self.spots = Spots()

    def type(self, char: str) -> None:
        pairs = {"(": ")", "[": "]", "{": "}", '"': '"'}
        if char in ')]}"' and self.after.startswith(char):
            self.before, self.after = self.before + char, self.after[1:]
        else:
            self.before, self.after = self.before + char, pairs.get(char, "") + self.after

    def enter(self) -> None:
        indent = self.before[self.before.rfind("\n") + 1 :]
        indent = indent[: len(indent) - len(indent.lstrip(" "))]
        between = self.before[-1:] + self.after[:1] in ("()", "[]", "{}")
        self.before += self.newline + indent + ("    " if between else "")
        self.after = (self.newline + indent if between else "") + self.after

    def backspace(self, start: int) -> None:
        if len(self.before) > start:
            pair = self.before[-1] + self.after[:1] in ("()", "[]", "{}", '""')
            crlf = self.before.endswith("\r\n")
            self.before = self.before[: -2 if crlf else -1]
            self.after = self.after[1:] if pair else self.after

    def prompt(self) -> list[int]:
        around = window(LineIndex(self.before + self.after), len(self.before))
        hole = Hole(around.prefix, self.spots.suffix("doc", around.suffix))
        return fim_prompt(hole, self.FIM, FimLayout("suffix-first"), lambda t: [ord(c) for c in t], 8000).tokens


KEYS = st.lists(
    st.sampled_from(["(", "[", "{", '"', ")", "]", "}", "a", " ", ",", "enter", "backspace", "accept", "undo"]),
    max_size=40,
)


@given(KEYS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([BELOW, ", b)" + BELOW, BELOW + LONG * 3, ""]))
def test_all_but_what_is_typed_stays_in_the_prompt(keys: list[str], newline: str, after: str) -> None:
    """Whatever brackets come and go behind the cursor; the client has not left any of them out."""
    before = "def f(x):\n    y = f(x".replace("\n", newline)
    editor = Editor(before, after.replace("\n", newline), newline)
    history = [(editor.before, editor.after)]
    first = editor.prompt()
    head = len(first) - 3
    for key in keys:
        if key == "undo":
            editor.before, editor.after = history.pop() if len(history) > 1 else history[0]
        else:
            history.append((editor.before, editor.after))
            if key == "enter":
                editor.enter()
            elif key == "backspace":
                editor.backspace(len(before))
            elif key == "accept":
                editor.before += f"a = b{newline}    c = d{newline}"
            else:
                editor.type(key)
        assert common_prefix(first, editor.prompt()) >= head
