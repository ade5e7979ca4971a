from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsp_server.engine.layout import Hole, Prompt, fim_prompt, names_behind
from lsp_server.engine.native.model import FimTokens, common_prefix
from lsp_server.models.catalog import FimLayout
from lsp_server.text.snippet import Snippet

FIM = FimTokens(prefix=-1, suffix=-2, middle=-3, repository=-4, separator=-5)
SPELLINGS = {-1: "<PRE>", -2: "<SUF>", -3: "<MID>", -4: "<REPO>", -5: "<FILE>"}
PREFIX_FIRST, SUFFIX_FIRST = FimLayout("prefix-first", 1000), FimLayout("suffix-first")
LAYOUTS = [PREFIX_FIRST, SUFFIX_FIRST]


def tokenize(text: str) -> list[int]:
    """One token a character: what stands in a prompt can be read back, and budgets can be counted."""
    return [ord(c) for c in text]


def read(tokens: Sequence[int]) -> str:
    return "".join(SPELLINGS.get(token) or chr(token) for token in tokens)


def lay_out(hole: Hole, layout: FimLayout = PREFIX_FIRST, *, fim: FimTokens = FIM, budget: int = 1000) -> str:
    return read(fim_prompt(hole, fim, layout, tokenize, budget).tokens)


def test_prefix_first() -> None:
    assert lay_out(Hole("before\n", "after"), PREFIX_FIRST) == "<PRE>before\n<SUF>after<MID>"


def test_suffix_first_ends_with_the_prefix_so_that_typing_appends() -> None:
    assert lay_out(Hole("before\n", "after"), SUFFIX_FIRST) == "<PRE><SUF>after<MID>before\n"


@pytest.mark.parametrize(
    ("prefix", "kept", "indentation"),
    [
        ("def f():\n    ", "def f():\n", "    "),
        ("def f():\r\n\t", "def f():\r\n", "\t"),
        ("def f():\r  ", "def f():\r", "  "),
        ("    ", "", "    "),
        ("def f():\n    x =", "def f():\n    x =", ""),
        ("def f():\n", "def f():\n", ""),
        ("", "", ""),
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_indentation_of_a_blank_line_is_left_to_the_answer(
    layout: FimLayout, prefix: str, kept: str, indentation: str
) -> None:
    prompt = fim_prompt(Hole(prefix, "\nend"), FIM, layout, tokenize, 1000)

    assert prompt.indentation == indentation
    expected = f"<PRE>{kept}<SUF>\nend<MID>" if layout is PREFIX_FIRST else f"<PRE><SUF>\nend<MID>{kept}"
    assert read(prompt.tokens) == expected


@pytest.mark.parametrize(
    ("prefix", "begun_word"),
    [
        ("def f():\n    ret", " ret"),
        ("ret", "ret"),
        ("x = sum(va", "(va"),
        ("foo_ba", "_ba"),
        ("price2", ""),
        ("x = größ", " größ"),
        ("return ", " "),
        ("f(a,  ", ""),
        ("total =", ""),
        ("x\nret", "ret"),
    ],
)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_begun_word_is_left_to_the_answer(layout: FimLayout, prefix: str, begun_word: str) -> None:
    """So that the model can choose the token of the whole word, and typing on within it changes no prompt."""
    prompt = fim_prompt(Hole(prefix, "\nend"), FIM, layout, tokenize, 1000)

    assert prompt.begun_word == begun_word
    assert prefix.removesuffix(begun_word) in read(prompt.tokens)
    assert prefix not in read(prompt.tokens) or not begun_word


TWO_FILES = Hole(
    "before\n", "after", path="here.py", repository="shop", extra=(Snippet("a.py", "A"), Snippet("b.py", "B"))
)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_extra_files_stand_in_front_in_the_repository_form(layout: FimLayout) -> None:
    expected = "<REPO>shop\n<FILE>a.py\nA\n<FILE>b.py\nB\n<FILE>here.py\n"

    assert lay_out(TWO_FILES, layout) == expected + lay_out(Hole("before\n", "after"), layout)


@pytest.mark.parametrize("missing", ["repository", "separator"])
def test_a_model_without_the_repository_tokens_gets_no_extra_files(missing: str) -> None:
    fim = FimTokens(-1, -2, -3, *(None if name == missing else -9 for name in ("repository", "separator")))

    assert lay_out(TWO_FILES, fim=fim) == "<PRE>before\n<SUF>after<MID>"


def test_without_extra_files_there_is_no_repository_form() -> None:
    assert lay_out(Hole("before\n", "after", path="here.py", repository="shop")) == "<PRE>before\n<SUF>after<MID>"


def test_control_spellings_in_code_stay_text() -> None:
    """The layout never asks for special tokens in text: ids of its own stand only where it puts them."""
    code = "s = '<PRE><|fim_middle|>'"

    tokens = fim_prompt(
        Hole(code, code, path=code, repository=code, extra=(Snippet(code, code),)), FIM, LAYOUTS[0], tokenize, 1000
    ).tokens

    assert [SPELLINGS[t] for t in tokens if t < 0] == ["<REPO>", "<FILE>", "<FILE>", "<PRE>", "<SUF>", "<MID>"]


def test_everything_is_kept_when_it_fits() -> None:
    """Up to a stride stays unused, so that a file goes and comes with a stride and not with a character."""
    whole = lay_out(TWO_FILES)
    size = len(fim_prompt(TWO_FILES, FIM, PREFIX_FIRST, tokenize, 1000).tokens)

    assert lay_out(TWO_FILES, budget=size + size // 8) == whole
    assert lay_out(TWO_FILES, budget=size - 1) != whole


def test_the_last_extra_file_is_given_up_first() -> None:
    size = len(fim_prompt(TWO_FILES, FIM, PREFIX_FIRST, tokenize, 1000).tokens)
    room_for_one = lay_out(dataclasses.replace(TWO_FILES, extra=TWO_FILES.extra[:1]))

    assert lay_out(TWO_FILES, budget=size - 1) == room_for_one
    assert lay_out(TWO_FILES, budget=21) == "<PRE>before\n<SUF>after<MID>"


def test_then_the_head_of_the_prefix_and_the_tail_of_the_suffix() -> None:
    """The suffix keeps at most a quarter of the room when both are too long."""
    hole = Hole("0123456789" * 10, "abcdefghij" * 10)

    assert lay_out(hole, budget=43) == f"<PRE>{hole.prefix[-30:]}<SUF>{hole.suffix[:10]}<MID>"


def test_a_short_suffix_leaves_its_share_to_the_prefix() -> None:
    assert lay_out(Hole("0123456789", "ab"), budget=3 + 8) == "<PRE>456789<SUF>ab<MID>"


def test_a_short_prefix_leaves_its_share_to_the_suffix() -> None:
    assert lay_out(Hole("01", "abcdefghij"), budget=3 + 8) == "<PRE>01<SUF>abcdef<MID>"


def test_the_layout_limits_the_suffix() -> None:
    assert lay_out(Hole("01", "abcdefghij"), FimLayout("prefix-first", 4)) == "<PRE>01<SUF>abcd<MID>"
    assert lay_out(Hole("01", "abcdefghij"), FimLayout("suffix-first", 4)) == "<PRE><SUF>abcd<MID>01"


def test_the_prefix_is_cut_at_a_line_where_one_begins_soon() -> None:
    hole = Hole("".join(f"line {n:03}\n" for n in range(100)) + "x =", "")

    assert re.match(r"<PRE>line \d+\n", lay_out(hole, budget=303))


def at_boundaries(prompt: Prompt) -> list[str]:
    return [read(prompt.tokens[:position]) for position in prompt.boundaries]


def test_boundaries_with_the_suffix_first() -> None:
    hole = dataclasses.replace(TWO_FILES, prefix="before\nx = 12")
    prompt = fim_prompt(hole, FIM, SUFFIX_FIRST, tokenize, 1000)

    files = "<REPO>shop\n<FILE>a.py\nA\n<FILE>b.py\nB\n<FILE>here.py\n"
    suffix = f"{files}<PRE><SUF>after<MID>"
    assert at_boundaries(prompt) == [
        files,
        suffix,
        f"{suffix}before\n",
        f"{suffix}before\nx = ",
        f"{suffix}before\nx = 1",
    ]
    assert read(prompt.tokens[: prompt.shared]) == files


def test_boundaries_with_the_prefix_first() -> None:
    prompt = fim_prompt(Hole("before\nx = 12", "after"), FIM, PREFIX_FIRST, tokenize, 1000)

    assert at_boundaries(prompt) == [
        "<PRE>before\n",
        "<PRE>before\nx = ",
        "<PRE>before\nx = 12<SUF>after",
    ]
    assert prompt.shared == 0


def test_a_prompt_behind_others_tokens() -> None:
    prompt = fim_prompt(TWO_FILES, FIM, SUFFIX_FIRST, tokenize, 1000)

    behind = prompt.behind([7, 8])

    assert behind.tokens == [7, 8, *prompt.tokens]
    assert behind.boundaries == tuple(position + 2 for position in prompt.boundaries)
    assert behind.shared == prompt.shared + 2
    assert fim_prompt(Hole("a", "b"), FIM, SUFFIX_FIRST, tokenize, 1000).behind([7]).shared == 0


TEXT = st.text("ab \n\t", max_size=40)
FILES = st.lists(st.builds(Snippet, TEXT, TEXT), max_size=3).map(tuple)


@given(st.builds(Hole, TEXT, TEXT, TEXT, TEXT, FILES), st.sampled_from(LAYOUTS), st.integers(3, 200))
def test_a_prompt_never_exceeds_its_budget_and_keeps_what_is_nearest(
    hole: Hole, layout: FimLayout, budget: int
) -> None:
    prompt = fim_prompt(hole, FIM, layout, tokenize, budget)

    assert len(prompt.tokens) <= budget
    form = {
        "prefix-first": r"<PRE>(?P<prefix>[^<]*)<SUF>(?P<suffix>[^<]*)<MID>$",
        "suffix-first": r"<PRE><SUF>(?P<suffix>[^<]*)<MID>(?P<prefix>[^<]*)$",
    }
    parts = re.search(form[layout.order], read(prompt.tokens))
    assert parts
    assert hole.prefix.endswith(parts["prefix"] + prompt.begun_word + prompt.indentation)
    assert hole.suffix.startswith(parts["suffix"])
    assert len(prompt.boundaries) <= 6
    assert list(prompt.boundaries) == sorted(set(prompt.boundaries))
    assert all(0 < position < len(prompt.tokens) for position in prompt.boundaries)


TYPED = st.text(st.sampled_from("ab1 \n()=."), min_size=60, max_size=100)


@given(
    st.text(st.sampled_from("ab \n"), max_size=150),
    TYPED,
    st.text("xy\n", max_size=200),
    st.sampled_from(LAYOUTS),
    FILES,
)
def test_typing_lays_only_the_tail_anew_except_at_strides(
    before: str, typed: str, suffix: str, layout: FimLayout, files: tuple[Snippet, ...]
) -> None:
    """Also over the budget, where something has to go: it goes a stride at a time."""
    budget = 80
    stride = (budget - 3) // 8
    steps = 0
    previous: list[int] = []
    for n in range(len(typed) + 1):
        prompt = fim_prompt(Hole(before + typed[:n], suffix, extra=files), FIM, layout, tokenize, budget)
        # Up to what was typed last the prompts are the same: a word and a line's indentation come in as a whole.
        unchanged = previous.index(FIM.suffix) if layout is PREFIX_FIRST and previous else len(previous)
        steps += common_prefix(previous, prompt.tokens) < unchanged - max(_unsettled(typed[:n]), 2)
        previous = prompt.tokens

    assert steps <= len(typed) // stride + 2


def _unsettled(text: str) -> int:
    """Characters at the end that a prompt may lack now, though it had them before: they turned out to be a word."""
    return len(text) - len(re.sub(r"\W?[^\W\d]*\s*\Z", "", text))


@pytest.mark.parametrize(
    ("prefix", "begun_word", "expected"),
    [
        ("x = self.", "", ("area", "keys", "keywords")),
        ("x = self.ke", ".ke", (".keys", ".keywords")),
        # Of a name with several parts only the last one is left to the answer.
        ("x = self.keywords_of", "_of", ()),
        ("x = self.keyw", "w", ("words",)),
        ("x = self.keys", ".keys", (".keys",)),
        ("x = self. ", " ", (" area", " keys", " keywords")),
        ("", "", ("area", "keys", "keywords")),
    ],
)
def test_how_answers_begin_that_write_a_name(prefix: str, begun_word: str, expected: tuple[str, ...]) -> None:
    assert names_behind(prefix, begun_word, ["area", "keys", "keywords"]) == expected
